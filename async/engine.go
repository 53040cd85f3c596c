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

// An engine is a running call: a half of a ring, a window over it, and the operations.
// The goroutine of the caller owns the half; it hands blocks out, commits, and waits.
// Workers run the operations, each on a goroutine of its own, or with a depth of 1 on
// that of the caller. The window is shared under the mutex:
//
//	the caller                       a worker
//	grant    hands a block out       moved    a part of the block is complete
//	prefix   what can be committed   stop     the stream ends here
//	commit   has committed it        release  the block's memory is not used any more
//	halt     hands nothing out any
//	         more
//
// After each step a worker sends a token, and the caller looks at the window again. No
// method of the ring is called under the mutex.
type engine struct {
	config
	half   half
	op     string                // of an Error
	run    func(*worker, *block) // moves a block
	events events
	ctx    context.Context // of the call

	// Used by the caller only.
	start      func(*block)
	work       chan *block
	running    sync.WaitGroup
	halfClosed bool // the half moves nothing any more
	idle       bool // at the last look no operation was in flight, and all was committed
	batched    bool // the half has waited for a batch since the last block was handed out
	settled    bool // no memory is in use, and the workers have ended
	batchTimer *time.Timer

	mu      seam.Mutex
	window  window
	workers []*worker
	halted  error // why nothing is handed out any more, or nil
	crash   *crash
	retries int64
}

// A crash says how an operation ended that did not return.
type crash struct{ value any } // of the panic; nil for runtime.Goexit

// errStopped is the cause of the context of an operation whose bytes are not needed
// any more.
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
		work:   make(chan *block, depth), // at most depth blocks are in use, so a send never blocks
		window: window{size: size, depth: depth, end: c.length},
	}
	e.start = e.dispatch
	return e
}

// do runs the call. It returns when nothing uses the ring's memory any more.
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

// step commits what is complete, and hands out the blocks that the half has enough
// for. It returns what the next block needs, as window.need does, and whether the call
// is done.
func (e *engine) step() (need int64, done bool) {
	if err := e.half.err(); err != nil {
		e.halt(err)
	}
	a, b := e.commit()
	there := span{a, b}
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
		blk.mem, blk.since = there.cut(blk.from-e.window.safe, blk.to-blk.from), time.Now()
		e.mu.Unlock()
		e.batched = false
		e.start(blk)
		if e.window.depth == 1 {
			return 0, false // the block has run
		}
	}
}

// look returns the results of step. Its caller holds the mutex.
func (e *engine) look() (need int64, done bool) {
	w := &e.window
	if e.halted == nil {
		need = w.need()
	}
	if w.busy > 0 || w.prefix() > 0 && !e.halfClosed {
		e.idle = false
		return need, false
	}
	e.idle = true
	return need, e.halted != nil || w.complete()
}

// commit commits the prefix, and returns what the half has after that.
func (e *engine) commit() (a, b []byte) {
	e.mu.Lock()
	n := e.window.prefix()
	e.mu.Unlock()
	a, b = e.half.Slices()
	if there := int64(len(a) + len(b)); n > there {
		n, e.halfClosed = 0, true
		e.halt(e.closeError())
	}
	if n > 0 {
		if err := e.half.advance(int(n)); err != nil {
			n, e.halfClosed = 0, true
			e.halt(err)
		}
		a, b = e.half.Slices()
	}
	e.mu.Lock()
	e.window.commit(n)
	e.mu.Unlock()
	return a, b
}

// closeError returns the error of a half that was closed.
func (e *engine) closeError() error {
	if err := e.half.err(); err != nil {
		return err
	}
	return io.ErrClosedPipe
}

// await waits for an event, or for the bytes that the next block needs.
func (e *engine) await(need int64) {
	e.mu.Lock()
	halted := e.halted != nil
	e.mu.Unlock()
	if halted {
		<-e.events.token
		return
	}
	if want := e.half.batch(); e.idle && !e.batched && 0 < need && need < int64(want) {
		e.awaitBatch(want)
		return
	}
	var ended bool
	var err error
	if need == 0 || need > int64(e.half.Cap()) {
		err = e.half.awaitEvent(e.events)
	} else {
		ended, err = e.half.await(e.events, int(need), e.idle)
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
		e.stopLocked(e.window.safe+there, errEnd)
	} else if there < need {
		e.window.limit = there // take what there is
	}
	e.mu.Unlock()
}

// patience is how long the half waits for a batch at most. The other half may be waiting
// for the end of the call.
const patience = time.Millisecond

// awaitBatch waits for a batch. Its caller looks again, whatever ends that, and then
// waits for what it needs, or for a batch again if the end was another event.
func (e *engine) awaitBatch(want int) {
	if e.batchTimer == nil {
		e.batchTimer = time.AfterFunc(patience, e.post)
	} else {
		e.batchTimer.Reset(patience)
	}
	_, err := e.half.await(e.events, want, true)
	early := e.batchTimer.Stop()
	e.batched = err != errEvent || !early
}

// dispatch makes a worker run the block.
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

// halt stops handing out blocks and interrupts all operations. The first err is the
// reason.
func (e *engine) halt(err error) {
	e.mu.Lock()
	if e.halted == nil {
		e.halted = err
	}
	e.interrupt(0)
	e.mu.Unlock()
}

// stop ends the stream at an offset, and interrupts the operations beyond its end.
func (e *engine) stop(at int64, err error) {
	e.mu.Lock()
	e.stopLocked(at, err)
	e.mu.Unlock()
}

// stopLocked is stop for a caller that holds the mutex.
func (e *engine) stopLocked(at int64, err error) {
	e.window.stop(at, err)
	e.interrupt(e.window.end)
}

// interrupt interrupts the operations from an offset on. Its caller holds the mutex.
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

// settle waits until no memory is in use and the workers have ended.
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

// result returns the error of a call that has ended without a crash.
func (e *engine) result() error {
	w := &e.window
	if !w.complete() {
		return e.halted
	}
	err := w.err
	if err == errEnd {
		if err = e.half.end(); err != io.EOF {
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
