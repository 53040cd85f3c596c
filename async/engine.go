package async

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// An engine is one call under way: a half of a ring, a window over it, and the
// operations. The goroutine of the caller owns the half; it hands blocks out,
// commits, and waits. Workers run the operations, each on a goroutine of its own,
// or with a depth of 1 on that of the caller. They meet under the mutex:
//
//	the caller                       a worker
//	grant    a block is handed out   moved    a part of it is complete
//	prefix   what can be committed   stop     the stream ends here
//	commit   it was                  release  its memory is not used any more
//	halt     nothing is handed out
//	         any more
//
// After each of its steps a worker sends a token, and the caller looks again.
// Nothing of the ring is called under the mutex.
type engine struct {
	config
	half   half
	op     string                // of an Error
	run    func(*worker, *block) // moves a block, or lets it fail
	events events
	ctx    context.Context // of the call

	// Of the caller.
	start   func(*block)
	work    chan *block
	running sync.WaitGroup
	dead    bool // the half moves nothing any more
	alone   bool // at the last look no operation was under way, and all is committed
	settled bool // nothing is in use, and the workers have ended

	mu      seam.Mutex
	window  window
	workers []*worker
	halted  error // why nothing is handed out any more, or nil
	crash   *crash
	retries int64
}

// A crash is how an operation has ended that did not return.
type crash struct{ value any } // of the panic; nil for runtime.Goexit

// errStopped is the cause of the context of an operation that is not needed any
// more.
var errStopped = errors.New("async: the call is ending")

func newEngine(ctx context.Context, h half, op string, c config) *engine {
	size := min(c.block, int64(h.Cap()))
	depth := int(min(int64(c.depth), max(1, int64(h.Cap())/size-1)))
	e := &engine{
		config: c,
		half:   h,
		op:     op,
		ctx:    ctx,
		events: events{make(chan struct{}, 1)},
		work:   make(chan *block, depth), // a block in use each, so a send never waits
		window: window{size: size, depth: depth, end: c.length},
	}
	e.start = e.dispatch
	return e
}

// do runs the call. It returns once nothing uses the ring's memory.
func (e *engine) do() (Stats, error) {
	defer context.AfterFunc(e.ctx, e.post)()
	e.meter.watch(e)
	defer e.meter.keep(e)
	e.acquire()
	defer e.release() // also if an operation has ended this goroutine
	for {
		if e.ctx.Err() != nil {
			e.halt(context.Cause(e.ctx))
		}
		need, done := e.step()
		if done {
			break
		}
		e.await(need)
	}
	e.settle()
	if e.crash != nil {
		if e.crash.value == nil {
			runtime.Goexit()
		}
		panic(e.crash.value)
	}
	return e.stats(), e.result()
}

// acquire keeps the ring's memory for the operations, whoever closes the half.
func (e *engine) acquire() { e.half.Pin() }

// release gives the memory back once nothing uses it.
func (e *engine) release() {
	e.settle()
	e.half.advance(0) // gives back what Slices has handed out; it fails on a closed half
	e.half.Unpin()
}

// step commits what is complete, and hands out what there is room for. It returns
// how many bytes of the half the next block needs, or 0, and whether the call is
// over.
func (e *engine) step() (need int64, done bool) {
	if err := e.half.over(); err != nil {
		e.halt(err)
	}
	a, b := e.commit()
	there := lent{a, b}
	for {
		e.mu.Lock()
		var blk *block
		if e.halted == nil {
			blk = e.window.grant(there.len())
		}
		if blk == nil {
			need, done = e.look()
			e.mu.Unlock()
			return need, done
		}
		blk.lent, blk.since = there.cut(blk.from-e.window.safe, blk.to-blk.from), time.Now()
		e.mu.Unlock()
		e.start(blk)
		if e.window.depth == 1 {
			return 0, false // it has run
		}
	}
}

// look returns the results of step.
func (e *engine) look() (need int64, done bool) {
	w := &e.window
	if e.halted == nil {
		need = w.need()
	}
	if w.busy > 0 || w.prefix() > 0 && !e.dead {
		e.alone = false
		return need, false
	}
	e.alone = true
	return need, e.halted != nil || w.complete()
}

// commit commits the prefix, and returns what the half has then.
func (e *engine) commit() (a, b []byte) {
	e.mu.Lock()
	n := e.window.prefix()
	e.mu.Unlock()
	a, b = e.half.Slices()
	if there := int64(len(a) + len(b)); n > there {
		n, e.dead = 0, true // it was closed
		e.halt(e.closed())
	}
	if n > 0 {
		if err := e.half.advance(int(n)); err != nil {
			n, e.dead = 0, true
			e.halt(err)
		}
		a, b = e.half.Slices()
	}
	e.mu.Lock()
	e.window.commit(n)
	e.mu.Unlock()
	return a, b
}

// closed returns the error of a half that has less than was handed out.
func (e *engine) closed() error {
	if err := e.half.over(); err != nil {
		return err
	}
	return io.ErrClosedPipe
}

// await waits for the bytes that the next block needs, or an event.
func (e *engine) await(need int64) {
	e.mu.Lock()
	halted := e.halted != nil
	e.mu.Unlock()
	if halted {
		<-e.events.token
		return
	}
	var ended bool
	var err error
	if need == 0 || need > int64(e.half.Cap()) {
		err = e.half.idle(e.events)
	} else {
		ended, err = e.half.more(e.events, int(need), e.alone)
	}
	if err != nil {
		if err != errEvent {
			e.halt(err)
		}
		return
	}
	a, b := e.half.Slices()
	there := int64(len(a) + len(b))
	e.mu.Lock()
	if ended {
		e.end(e.window.safe+there, errEnd)
	} else if there < need {
		e.window.short = there // what there is
	}
	e.mu.Unlock()
}

// dispatch has a worker run the block.
func (e *engine) dispatch(b *block) {
	e.mu.Lock()
	busy, n := e.window.busy, len(e.workers)
	if n < busy {
		w := &worker{engine: e}
		w.renew()
		e.workers = append(e.workers, w)
	}
	e.mu.Unlock()
	switch {
	case e.window.depth == 1:
		e.workers[0].do(b)
		return
	case n < busy:
		w := e.workers[n]
		e.running.Go(w.loop)
	}
	e.work <- b
}

// halt hands nothing out any more, because of the first err, and interrupts all
// operations.
func (e *engine) halt(err error) {
	e.mu.Lock()
	if e.halted == nil {
		e.halted = err
	}
	e.interrupt(0)
	e.mu.Unlock()
}

// stop ends the stream, and interrupts the operations beyond its end.
func (e *engine) stop(at int64, err error) {
	e.mu.Lock()
	e.end(at, err)
	e.mu.Unlock()
}

// end is stop under the mutex.
func (e *engine) end(at int64, err error) {
	e.window.stop(at, err)
	e.interrupt(e.window.end)
}

// interrupt interrupts the operations from an offset on.
func (e *engine) interrupt(from int64) {
	for _, w := range e.workers {
		if w.block != nil && w.block.from >= from {
			w.cancel(errStopped)
		}
	}
}

func (e *engine) post() { post(e.events.token) }

func post(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}

// settle waits until nothing is in use, and the workers have ended.
func (e *engine) settle() {
	if e.settled {
		return
	}
	for {
		e.mu.Lock()
		busy := e.window.busy > 0
		e.mu.Unlock()
		if !busy {
			break
		}
		e.halt(errStopped)
		<-e.events.token
	}
	close(e.work)
	e.settled = true
	e.running.Wait()
	for _, w := range e.workers {
		w.cancel(errStopped)
	}
}

// result returns the error of a call that has ended by itself.
func (e *engine) result() error {
	w := &e.window
	if !w.complete() {
		return e.halted
	}
	err := w.err
	if err == errEnd {
		if err = e.half.reason(); err != io.EOF {
			return err // the producer's
		}
		if err = nil; e.exact {
			err = io.ErrUnexpectedEOF
		}
	}
	if err == nil {
		return nil
	}
	return &Error{Op: e.op, Offset: e.offset + w.end, Err: err}
}

func (e *engine) stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := &e.window
	s := Stats{
		Safe:     w.safe,
		InFlight: w.busy,
		Depth:    w.depth,
		Head:     e.offset + w.safe,
		Retries:  e.retries,
	}
	if w.head != nil && w.head.used {
		s.HeadAge = time.Since(w.head.since)
	}
	return s
}
