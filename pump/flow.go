package pump

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/internal/netaddr"
	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/internal/splice"
	"github.com/bytering/bytering/vectored"
)

// A flow is one copy under way: two sides, the rings between them, and the
// overseer, which is the goroutine of the caller of Copy or Relay. The source has
// a goroutine until the flow ends, the sink while there is a ring.
//
// A side and the overseer meet in critical sections of the side's mutex, one
// for each step:
//
//	the side                         the overseer
//	begin  a call begins             look     has it settled, and how?
//	end    the call is back          stop     no further call begins
//	run    the side has settled:     abandon  it is no longer waited for
//	       its function has ended
//
// A side that has settled posts a token, and the overseer looks again. A sink that
// has settled because it has no ring posts one only after the source has settled.
// The source starts it again when it has bytes for it; in a Relay it first tries to
// write them itself (see handOver). The overseer does everything else, in the order
// of its code. Only the overseer closes the halves of the rings in use, both after
// stop, except that it ends the stream once the source has settled. So an error that a
// side reports before stop is a failure of its own, or of a half that another
// goroutine has closed. A later error is a consequence, and is not reported unless it
// is a panic.
type flow struct {
	config
	in   source
	out  sink
	wake seam.Token
	rings
	offering

	// Of the source, for splices.
	mover    mover         // nil if it does not splice
	patience time.Duration // with a sink that has bytes of the ring left
	fed      int           // bytes of the last read, or unknown
	late     bool          // the sink has not caught up

	startSink func()
	onFill    func([][]byte, int) (int, error)
	onDrain   func([][]byte, int) (int, error)
	ticks     int // of the grace

	// Of the sink's mutex.
	behind int  // sides left behind that are not over
	lent   bool // the source, left behind, makes a call of the sink that has settled
}

// newFlow makes the flow of a configuration that check has passed.
func newFlow(dst io.Writer, src io.Reader, cfg config, wake seam.Token) *flow {
	f := &flow{config: cfg, wake: wake, ticks: ticks}
	f.in.init(src, cfg, wake)
	f.out.init(dst, cfg, wake)
	f.startSink = func() { go f.run(&f.out.side, f.drain) }
	f.onFill = func(bufs [][]byte, n int) (int, error) {
		if n == 0 {
			return 0, nil
		}
		return f.in.Readv(bufs)
	}
	f.onDrain = func(bufs [][]byte, n int) (int, error) {
		if n == 0 {
			return 0, nil // the consumer was closed meanwhile
		}
		return f.out.Writev(bufs)
	}
	if f.in.poll != nil {
		f.onAttempt, f.onBlocked = f.attempt, f.blocked
	}
	if f.fixed != nil {
		f.list, f.feeding = []*ring{f.fixed}, f.fixed
		if cfg.direct {
			f.goDirect(dst, src)
		}
		if f.pair != nil && f.fixed.p.Consumers() == 1 && f.holdsPacket() && f.in.boundary == vectored.Packet {
			f.mover, f.patience, f.in.reveal = f.pair, splice.Patience/2, true
		}
	} else {
		f.out.over = true
	}
	return f
}

// goDirect makes the ends direct that can be. The ring is empty, and is
// advanced so that its memory is aligned with them.
func (f *flow) goDirect(dst io.Writer, src io.Reader) {
	p, c := f.fixed.p, f.fixed.c
	memory, _ := p.Slices()
	p.Commit(0)
	var skip int
	f.in.direct, f.out.direct, skip = direct.Open(src, dst, direct.Ring{
		Capacity: p.Cap(),
		Call:     f.maxCall,
		Memory:   memory,
		Position: p.Position(),
		Idle:     c.Len() == 0 && p.Consumers() == 1,
	})
	f.in.buffered, f.out.buffered = f.in.direct.Why(), f.out.direct.Why()
	if skip > 0 {
		p.Slices()
		if p.Commit(skip) == nil { // otherwise the ring is closed
			c.Discard(skip)
		}
	}
}

// start starts the goroutines.
func (f *flow) start() {
	if f.fixed != nil {
		go f.run(&f.in.side, f.feedFixed)
		f.startSink()
	} else {
		go f.run(&f.in.side, f.feed)
	}
}

// run runs a side's function on its goroutine.
func (f *flow) run(s *side, fn func() error) {
	defer func() {
		if s.isLeft() {
			if s == &f.in.side && f.isLent() {
				f.out.clear()
			}
			f.leave(-1)
		}
	}()
	s.run(fn)
}

// A consumerClosed is the error of a source that found the consumer closed.
type consumerClosed struct{ error }

// watch returns once the copy is to be finished.
func (f *flow) watch(ctx context.Context) {
	for !f.settled(ctx) {
		seam.Take(f.wake, ctx.Done())
	}
}

// settled reports whether the copy is to be finished: both sides have settled, the
// sink has failed, ctx has ended, or the consumer was closed. It ends the stream
// once the source has settled.
func (f *flow) settled(ctx context.Context) bool {
	source := f.in.look()
	if source.over && !f.ended {
		if _, ok := source.err.(consumerClosed); ok {
			return true
		}
		var why error
		if source.err != nil {
			why = (&Error{Side: Source, Err: source.err}).reason()
		}
		f.end(why)
	}
	sink := f.out.look()
	return f.done(source, sink) || sink.over && sink.err != nil || ctx.Err() != nil
}

// done reports whether the sink has come to the end of the stream. If the flow
// keeps one ring, that is so once the sink has settled.
func (f *flow) done(source, sink status) bool { return sink.over && (source.over || f.fixed != nil) }

// finish stops what is left of the copy and returns what was done.
func (f *flow) finish(ctx context.Context) (Stats, error) {
	source, sink := f.in.stop(), f.out.stop()
	errs := f.failures(sink, source, ctx)
	var why error
	if len(errs) > 0 {
		why = errs[0].reason()
	}
	f.close(why)
	pending := f.halt()
	f.giveBack()

	if f.done(source, sink) && !source.over && sink.err == nil && ctx.Err() != nil {
		errs = slices.Insert(errs, 0, &Error{Side: Neither, Err: context.Cause(ctx)})
	}
	stats := Stats{Source: f.in.stats(), Sink: f.out.stats()}
	if len(errs) == 0 {
		return stats, nil
	}
	for _, e := range errs {
		f.locate(e, stats)
	}
	errs[0].Pending = pending
	if len(errs) == 1 {
		return stats, errs[0]
	}
	return stats, errors.Join(errs[0], errs[1])
}

// pass propagates a panic or a runtime.Goexit that has ended a side.
func (f *flow) pass() {
	f.out.pass()
	f.in.pass()
}

// failures returns the errors that ended the copy early: first that of the sink
// or the context, if there is one, then that of the source.
func (f *flow) failures(sink, source status, ctx context.Context) (errs []*Error) {
	gone, consumer := source.err.(consumerClosed)
	switch {
	case sink.err != nil:
		errs = append(errs, &Error{Side: Sink, Err: sink.err})
	case consumer:
		errs = append(errs, &Error{Side: Sink, Err: gone.error})
	case !f.done(source, sink):
		errs = append(errs, &Error{Side: Neither, Err: context.Cause(ctx)})
	case !source.over:
		// The stream has ended, and not by the source: another goroutine has
		// closed the producer.
		source.err = f.fixed.c.Err()
		if source.err == io.EOF {
			source.err = io.ErrClosedPipe
		}
	}
	if source.err != nil && source.err != errStopped && !consumer {
		errs = append(errs, &Error{Side: Source, Err: source.err})
	}
	return errs
}

// locate adds to e the place where it happened.
func (f *flow) locate(e *Error, stats Stats) {
	e.Direction, e.Offset, e.Written = f.direction, stats.Sink.Bytes, stats.Sink.Bytes
	end := any(f.out.dst)
	if e.Side == Source {
		end, e.Offset = f.in.src, stats.Source.Bytes
	}
	// An end that has panicked may be nil. Its panic propagates instead.
	if e.Direction != 0 && e.Side != Neither && e.Err != errExited {
		e.Local, e.Remote = netaddr.Local(end), netaddr.Remote(end)
	}
}

// grace is how long a call that can't be interrupted may take to return. It is
// counted in ticks, so that it is not over at once when a process or machine
// resumes after a halt.
const (
	grace = ticks * tick
	ticks = 10
	tick  = 25 * time.Millisecond
)

// halt interrupts the calls under way and returns once both sides have settled
// or are left behind, with the bytes that a write left behind was offered. A
// deadline setter may panic: the rest is done on the way out.
func (f *flow) halt() (pending int64) {
	defer func() {
		f.linger()
		pending = f.abandon()
		if !f.in.left {
			defer f.in.clear()
		}
		if !f.out.left && !f.lent {
			f.out.clear()
		}
	}()
	defer f.in.interrupt()
	f.out.interrupt()
	return 0
}

// abandon leaves behind the sides that have not settled. It returns the bytes that a
// call that is not over was offered: one of the sink's, which the source may make.
func (f *flow) abandon() (pending int64) {
	in, out := &f.in.side, &f.out.side
	in.mu.Lock()
	defer in.mu.Unlock()
	out.mu.Lock()
	defer out.mu.Unlock()
	in.left, out.left = !in.over, !out.over
	f.lent = in.left && !out.left && out.pending > 0
	return out.pending
}

// isLent reports whether a source that was left behind makes a call of the sink.
func (f *flow) isLent() bool {
	f.out.mu.Lock()
	defer f.out.mu.Unlock()
	return f.lent
}

// linger returns once both sides have settled, or the grace is over.
func (f *flow) linger() {
	var timer seam.Timer
	for range f.ticks {
		at := uint64(0) // when the tick is over
		for at == 0 || seam.Now() < at {
			if f.in.look().over && f.out.look().over {
				return
			}
			if at == 0 {
				now := seam.Now()
				at = now + uint64(tick)
				timer.Set(f.wake, now, at)
			}
			seam.Take(f.wake, nil)
		}
	}
}
