package pump

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/bytering/bytering/internal/netaddr"
	"github.com/bytering/bytering/internal/seam"
)

// A flow is one copy under way: a ring, two sides, each on a goroutine of its
// own, and the overseer, which is the goroutine of Copy's caller.
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
// A side that has settled posts a token, and the overseer looks again. All else
// is the overseer's, in the order of its code. It alone closes the halves of
// the ring: the producer's once the source has settled, both after stop. So
// what a side has reported before stop is a failure of its own, or of a half
// that another goroutine has closed. What comes later is a consequence, and is
// not reported unless it is a panic.
type flow struct {
	config
	in    source
	out   sink
	wake  seam.Token
	ticks int // of the grace
}

func newFlow(dst io.Writer, src io.Reader, cfg config) *flow {
	f := &flow{config: cfg, wake: seam.NewToken(), ticks: ticks}
	f.in.init(src, cfg, f.wake)
	f.out.init(dst, cfg, f.wake)
	if cfg.direct {
		goDirect(&f.in.side, &f.out.side, src, dst, cfg)
	}
	return f
}

// A consumerClosed is the error of a source that found the consumer closed.
type consumerClosed struct{ error }

// oversee waits for the end of the copy, stops what is left of it and returns
// what was done.
func (f *flow) oversee(ctx context.Context) (Stats, error) {
	f.watch(ctx)
	sink, source := f.out.stop(), f.in.stop()
	errs := f.failures(sink, source, ctx)
	var why error
	if len(errs) > 0 {
		why = errs[0].reason()
	}
	f.p.CloseWithError(why)
	f.c.Close()
	pending := f.halt()
	f.out.pass()
	f.in.pass()

	if sink.over && !source.over && sink.err == nil && ctx.Err() != nil {
		errs = slices.Insert(errs, 0, &Error{Side: Context, Err: context.Cause(ctx)})
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

// watch returns once the sink has settled, or could only wait: ctx has ended or
// the consumer was closed. It ends the stream once the source has settled.
func (f *flow) watch(ctx context.Context) {
	for open := true; ; {
		source := f.in.look()
		if source.over && open {
			if _, ok := source.err.(consumerClosed); ok {
				return
			}
			open = false
			var why error
			if source.err != nil {
				why = (&Error{Side: Source, Err: source.err}).reason()
			}
			f.p.CloseWithError(why)
		}
		if f.out.look().over || !seam.Take(f.wake, ctx.Done()) {
			return
		}
	}
}

// failures returns what ended the copy early: first an error of the sink or the
// context, if there is one, then the source's.
func (f *flow) failures(sink, source status, ctx context.Context) (errs []*Error) {
	gone, consumer := source.err.(consumerClosed)
	switch {
	case sink.err != nil:
		errs = append(errs, &Error{Side: Sink, Err: sink.err})
	case consumer:
		errs = append(errs, &Error{Side: Sink, Err: gone.error})
	case !sink.over:
		errs = append(errs, &Error{Side: Context, Err: context.Cause(ctx)})
	case !source.over:
		// The stream has ended, and not by the source: another goroutine has
		// closed the producer.
		source.err = f.c.Err()
		if source.err == io.EOF {
			source.err = io.ErrClosedPipe
		}
	}
	if source.err != nil && !consumer {
		errs = append(errs, &Error{Side: Source, Err: source.err})
	}
	return errs
}

// locate adds to e where it was.
func (f *flow) locate(e *Error, stats Stats) {
	e.Direction, e.Offset, e.Written = f.direction, stats.Sink.Bytes, stats.Sink.Bytes
	end := any(f.out.dst)
	if e.Side == Source {
		end, e.Offset = f.in.src, stats.Source.Bytes
	}
	if e.Direction != 0 && e.Side != Context {
		e.Local, e.Remote = netaddr.Local(end), netaddr.Remote(end)
	}
}

// grace is how long a call that can't be interrupted may take to come back. It
// is counted in ticks, so that it is not over when a process or machine goes on
// that was halted meanwhile.
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
		f.in.abandon()
		pending = f.out.abandon()
		if !f.in.left {
			defer f.in.clear()
		}
		if !f.out.left {
			f.out.clear()
		}
	}()
	defer f.in.interrupt()
	f.out.interrupt()
	return 0
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
