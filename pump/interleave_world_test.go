//go:build interleave

package pump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/interleave"
	"github.com/bytering/bytering/internal/seam"
)

// A world is a copy in a scenario: its three goroutines and its ends.
type world struct {
	*interleave.T
	f        *flow
	opts     []Option
	smallest int // the pool's smallest ring
	pool     Pool
	polls    bool // the source reports when it would block
	tries    bool // the sink can write without waiting
	splices  bool // it is the mover
	src, dst fake
	ctx      context.Context
	cancel   context.CancelCauseFunc

	// Set by the thread that copies.
	err      error
	stats    Stats
	panicked any
	crash    any // the panic of a side that was left behind
	check    func()

	// Set by the sink's goroutine, which starts when there is a ring.
	starts   int
	started  interleave.Token
	returned bool // whether Copy has returned
}

// newWorld makes a world whose pool has rings of one byte.
func newWorld(t *interleave.T) *world {
	w := &world{T: t, opts: []Option{Capacity(1)}, smallest: 1}
	w.src.T, w.dst.T = t, t
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	return w
}

// changed makes such a world with a change, unless that is nil.
func changed(t *interleave.T, change func(*world)) *world {
	w := newWorld(t)
	if change != nil {
		change(w)
	}
	return w
}

// broadcast gives the copy a ring with a second consumer, which is idle or closed.
func (w *world) broadcast(closed bool) {
	p, cs, err := bytering.NewBroadcast(1, 2)
	if err != nil {
		panic(err)
	}
	if closed {
		cs[1].Close()
	}
	w.opts = []Option{Ring(p, cs[0])}
}

// splice gives the copy a ring of its own, which every other byte may pass by.
func (w *world) splice() {
	w.keeps()
	w.splices = true
}

// Move makes the world a mover, for every other byte.
func (w *world) Move(int) int {
	if w.src.moved%2 == 1 || w.src.bytes == 0 && !w.src.silent {
		return 0
	}
	if w.src.returned {
		w.Fail("a splice after Copy has returned")
	}
	if w.src.bytes == 0 {
		if w.src.wait() != nil {
			return 0
		}
		w.src.bytes, w.src.silent = 1, false // the last byte
	}
	w.Step("splice", func() {
		w.src.bytes--
		w.src.moved++
		if w.dst.moved++; w.dst.moved != w.src.moved {
			w.Fail("byte %d overtakes others: %d have arrived", w.src.moved, w.dst.moved-1)
		}
	})
	return 1
}

// keeps gives the copy a ring of its own.
func (w *world) keeps() {
	p, c, err := bytering.New(1)
	if err != nil {
		panic(err)
	}
	w.opts = []Option{Ring(p, c)}
}

// run declares the threads of the copy.
func (w *world) run() {
	cfg := configure(append(w.opts, WithPool(&w.pool)))
	cfg.smallest = w.smallest
	if err := cfg.check(nil, nil); err != nil {
		panic(err)
	}
	var src io.Reader = &w.src
	if w.polls {
		src = &polled{&w.src, func() bool { return w.f.in.pending > 0 }}
	}
	var dst io.Writer = &w.dst
	if w.tries {
		dst = &trying{&w.dst}
	}
	w.f = newFlow(dst, src, cfg, seam.NewToken())
	if w.splices {
		w.f.mover = w
	}
	w.Name("source", &w.f.in.mu)
	w.Name("sink", &w.f.out.mu)
	w.Name("pool", &w.pool.mu)
	w.Name("copy's token", w.f.wake)
	run := func(s *side, f func() error) {
		defer func() {
			if v := recover(); v == errTest {
				w.crash = v
			} else if v != nil {
				panic(v)
			}
		}()
		w.f.run(s, f)
	}
	w.f.startSink = func() {
		if w.starts++; w.starts > 1 {
			w.Fail("the sink has two goroutines")
		}
		w.started.Post()
	}
	feed := w.f.feed
	if w.f.fixed != nil {
		feed = w.f.feedFixed
		w.starts = 1
	}
	w.Go("source", func() { run(&w.f.in.side, feed) })
	w.Go("sink", func() {
		for w.starts > 0 || !w.returned {
			if w.starts == 0 {
				w.started.Take(nil)
				continue
			}
			w.starts--
			run(&w.f.out.side, w.f.drain)
		}
	})
	w.Go("copy", w.copy)
	w.Final(w.atRest)
}

func (w *world) copy() {
	defer func() {
		if v := recover(); v == errTest {
			w.panicked = v
		} else if v != nil {
			panic(v)
		}
		w.src.returned, w.dst.returned, w.returned = true, true, true
		w.started.Post()
		if r := w.f.fixed; r != nil && (r.p.Err() == nil || r.c.Err() == nil) {
			w.Fail("Err of the halves is %v and %v", r.p.Err(), r.c.Err())
		}
		w.check()
	}()
	w.f.watch(w.ctx)
	stats, err := w.f.finish(w.ctx)
	w.f.pass()
	w.stats, w.err = stats, err
}

// after sets the check to run when Copy has returned or panicked.
func (w *world) after(check func()) { w.check = check }

// cancels ends the context at some moment, and later wakes the ends of wake.
func (w *world) cancels(wake ...*interleave.Token) {
	w.Go("cancel", func() {
		w.Step("cancel", func() { w.cancel(errTest) })
		for _, k := range wake {
			k.Post()
		}
	})
}

// clock lets a grace of one tick pass, if it has started by then. Otherwise what
// the copy waits for must come by itself.
func (w *world) clock() {
	w.f.ticks = 1
	w.Go("clock", func() { w.Advance(uint64(tick)) })
}

// atRest checks the world after all threads have ended, including those of sides
// left behind.
func (w *world) atRest() error {
	if w.src.deadline || w.dst.deadline {
		return fmt.Errorf("deadlines are left: %v at the source, %v at the sink", w.src.deadline, w.dst.deadline)
	}
	if w.panicked == nil && (w.stats.Source != w.f.in.stats() || w.stats.Sink != w.f.out.stats()) {
		return errors.New("the statistics have changed after Copy has returned")
	}
	e, failed := errors.AsType[*Error](w.err)
	if n := int64(w.dst.moved); failed && (n < e.Written || n > e.Written+e.Pending) {
		return fmt.Errorf("%d bytes are in the sink; written %d, pending %d", n, e.Written, e.Pending)
	}
	if w.pool.lent != 0 {
		return fmt.Errorf("%d bytes of the pool's rings are lent", w.pool.lent)
	}
	seen := map[*ring]bool{}
	for size, free := range w.pool.free {
		for _, x := range free {
			r := x.Value()
			if seen[r] || r.c.Cap() != size || r.p.Err() != nil || r.c.Err() != nil || r.c.Len() > 0 {
				return errors.New("the pool has a ring twice, or one that is not as new")
			}
			seen[r] = true
		}
	}
	for _, r := range w.f.list {
		if (w.f.in.left || w.f.out.left) && seen[r] {
			return errors.New("the pool has a ring in which a call was left behind")
		}
	}
	return nil
}

// moved fails the schedule unless the ends and the statistics have these numbers of
// bytes.
func (w *world) moved(source, sink int) {
	if w.stats.Source.Bytes != int64(source) || w.stats.Sink.Bytes != int64(sink) || w.dst.moved != sink {
		w.Fail("%d bytes read and %d written, %d of them arrived; want %d and %d",
			w.stats.Source.Bytes, w.stats.Sink.Bytes, w.dst.moved, source, sink)
	}
}

// succeeded fails the schedule unless Copy moved all of n bytes without an error.
func (w *world) succeeded(n int) {
	if w.err != nil {
		w.Fail("error %v", w.err)
	}
	w.moved(n, n)
}

// stoppedOr fails the schedule unless the context has stopped Copy, or Copy moved all
// of n bytes.
func (w *world) stoppedOr(n int) {
	if w.err != nil {
		w.failed(Neither, errTest)
	} else {
		w.moved(n, n)
	}
}

// failed fails the schedule unless the error is one of the side alone.
func (w *world) failed(side Side, cause error) {
	if _, ok := w.err.(*Error); !ok {
		w.Fail("error %v, want one of the %v alone", w.err, side)
	}
	w.is(w.err, side, cause)
}

func (w *world) is(err error, side Side, cause error) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Side != side || !errors.Is(e, cause) {
		w.Fail("error %v, want %v of the %v", err, cause, side)
	}
	if e.Pending == 0 && e.Written != int64(w.dst.moved) {
		w.Fail("%d bytes are written, %d arrived", e.Written, w.dst.moved)
	}
}

// A fake is an end: a source that gives one byte a read, or a sink.
type fake struct {
	*interleave.T
	bytes  int   // that the source has
	err    error // a source's error after its bytes, or a sink's first
	full   bool  // err comes together with bytes: the source's last, or all of a write
	panics bool  // the source panics after its bytes
	silent bool  // it waits for wake or a deadline; a source does so after its bytes
	deaf   bool  // it waits for wake alone
	setter func()

	later int // bytes that come later, for a source that polls
	stuck int // how often in turn a write would wait, after each that does not
	tried int // and how often this one would

	wake     interleave.Token
	raised   bool // whether it has panicked
	broken   bool // whether a write has failed
	moved    int
	set      int  // how often a deadline was set
	deadline bool // whether a deadline is set
	returned bool // whether Copy has returned
}

// wait waits until the end is woken or a deadline is set.
func (e *fake) wait() error {
	e.wake.Take(nil)
	if e.deadline && !e.deaf {
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (e *fake) Read(b []byte) (int, error) {
	if e.returned {
		e.Fail("a read after Copy has returned")
	}
	if e.bytes == 0 {
		if e.silent {
			if err := e.wait(); err != nil {
				return 0, err
			}
		}
		if e.panics {
			e.raised = true
			panic(errTest)
		}
		if e.err != nil {
			return 0, e.err
		}
		return 0, io.EOF
	}
	e.bytes--
	e.moved++
	interleave.TouchWrite(b[:1])
	b[0] = byte(e.moved)
	if e.full && e.bytes == 0 {
		return 1, e.err
	}
	return 1, nil
}

func (e *fake) Write(b []byte) (int, error) {
	if e.returned {
		e.Fail("a write after Copy has returned")
	}
	if e.silent {
		if err := e.wait(); err != nil {
			return 0, err
		}
	}
	if e.broken {
		e.Fail("a write after one that has failed")
	}
	e.broken = e.err != nil
	if e.broken && !e.full {
		return 0, e.err
	}
	interleave.TouchRead(b)
	for _, v := range b {
		if e.moved++; v != byte(e.moved) {
			e.Fail("byte %d is %d", e.moved, v)
		}
	}
	return len(b), e.err
}

func (e *fake) SetReadDeadline(at time.Time) error  { return e.setDeadline(at) }
func (e *fake) SetWriteDeadline(at time.Time) error { return e.setDeadline(at) }

func (e *fake) setDeadline(at time.Time) error {
	if e.deadline != at.IsZero() {
		e.Fail("a deadline is set twice, or cleared without being set")
	}
	e.set++
	if e.setter != nil {
		e.setter()
	}
	e.deadline = !at.IsZero()
	if e.deadline && !e.deaf {
		e.wake.Post()
	}
	return nil
}

// A polled end is a source that reports when it would block.
type polled struct {
	*fake
	begun func() bool // reports whether the side is in a call
}

func (e *polled) Readv(bufs [][]byte) (int, error) { return e.Read(bufs[0]) }

func (e *polled) ReadvFunc(offer func() [][]byte, blocked func()) (int, error) {
	for {
		bufs := offer()
		if len(bufs) == 0 {
			return 0, nil
		}
		if !e.begun() {
			e.Fail("an attempt before the call has begun")
		}
		interleave.TouchWrite(bufs[0][:1]) // the memory belongs to the source
		if e.bytes > 0 || e.later == 0 && !e.silent {
			return e.Read(bufs[0])
		}
		blocked()
		if err := e.wait(); err != nil {
			return 0, err
		}
	}
}

// A trying end is a sink that can write without waiting.
type trying struct{ *fake }

func (e *trying) Writev(bufs [][]byte) (int, error) { return e.Write(bufs[0]) }

func (e *trying) TryWritev(bufs [][]byte) (int, error) {
	if e.tried++; e.tried <= e.stuck {
		return 0, nil
	}
	e.tried = 0
	return e.Writev(bufs)
}

// feeds makes the source's later bytes available, one at a time.
func (w *world) feeds() {
	w.Go("feeder", func() {
		for w.src.later > 0 {
			w.Step("feed", func() { w.src.later--; w.src.bytes++ })
			w.src.wake.Post()
		}
	})
}
