package pump

import (
	"context"
	"fmt"
	"io"

	"github.com/bytering/bytering/internal/seam"
)

// Relay copies a to b and b to a until both streams have ended, as a proxy
// between two connections does. When one stream ends, Relay calls the CloseWrite
// method of the end that it went to, which connections of TCP, Unix sockets and
// TLS have. The peer of that end then sees the end of the stream, while the other
// stream continues. An end without that method, such as a struct that embeds a
// [net.Conn], is not told. Relay then continues until the other stream ends by
// itself, which may be never. Give such a wrapper a CloseWrite, or use
// [HalfClose].
//
// A message that comes alone is written by the goroutine that has read it, if the
// connection that it goes to takes it at once. So no other goroutine should write to a
// or b: while its Write blocks, Relay does not read in that direction.
//
// If one direction fails, or ctx ends, both are stopped and Relay returns the
// first error. It is an [*Error] as of [Copy], and also says which direction and
// which end failed. An error that CloseWrite returns is an error of the sink.
// Each direction has a ring of its own, so [Ring] is refused. A panic in a or b
// stops both directions and propagates out of Relay. Relay closes neither a nor
// b.
func Relay(ctx context.Context, a, b io.ReadWriter, opts ...Option) (toB, toA Stats, err error) {
	cfg := configure(opts)
	if cfg.given {
		return toB, toA, fmt.Errorf("%w: one for both directions", ErrInvalidRing)
	}
	forwards, backwards := cfg.towards(ToB), cfg.towards(ToA)
	if err := forwards.check(b, a); err != nil {
		return toB, toA, err
	}
	if err := backwards.check(a, b); err != nil {
		forwards.release()
		return toB, toA, err
	}
	if _, err := forwards.expired(ctx); err != nil {
		backwards.release()
		return toB, toA, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wake := seam.NewToken()
	r := relay{ctx: ctx, cancel: cancel, wake: wake}
	r.ways[0].flow = newFlow(b, a, forwards, wake)
	r.ways[1].flow = newFlow(a, b, backwards, wake)
	r.run()
	return r.ways[0].stats, r.ways[1].stats, r.err
}

// towards returns the configuration of one direction.
func (c config) towards(d Direction) config {
	c.direction, c.meter = d, c.meters[d-ToB]
	return c
}

// release gives back the ring of a copy that does not begin.
func (c config) release() {
	if c.fixed != nil {
		c.fixed.back()
	}
}

// A relay is two running flows. The goroutine of the caller of Relay oversees
// both.
type relay struct {
	ctx    context.Context
	cancel context.CancelFunc
	wake   seam.Token
	ways   [2]way
	err    error // the first
}

// A way is one direction of a relay.
type way struct {
	*flow
	finished bool // the flow is finished
	stats    Stats
	closing  <-chan outcome // of the running half-close, or nil
	closed   outcome        // the result of the half-close
}

// run runs both flows to their end. An error of one stops the other.
func (r *relay) run() {
	defer func() {
		for i := range r.ways {
			if w := &r.ways[i]; !w.finished { // a deadline setter has panicked
				r.fail(errExited)
				r.finish(w)
			}
		}
		for i := range r.ways {
			r.ways[i].pass()
			r.ways[i].closed.pass()
		}
	}()
	for i := range r.ways {
		r.ways[i].start()
	}
	for !r.over() {
		done := r.ctx.Done()
		if r.ways[0].finished && r.ways[1].finished {
			done = nil // a half-close ends by itself
		}
		seam.Take(r.wake, done)
	}
}

// over finishes the flows that have settled, and reports whether nothing is left
// to do.
func (r *relay) over() bool {
	over := true
	for i := range r.ways {
		w := &r.ways[i]
		if !w.finished && w.settled(r.ctx) {
			r.finish(w)
		}
		if w.closing != nil {
			select {
			case w.closed = <-w.closing:
				w.closing = nil
				r.fail(w.closed.err)
			default:
			}
		}
		over = over && w.finished && w.closing == nil
	}
	return over
}

// finish finishes a flow. If its stream has arrived whole, it half-closes the
// sink.
func (r *relay) finish(w *way) {
	w.finished = true
	var err error
	if w.stats, err = w.flow.finish(r.ctx); err != nil {
		r.fail(err)
	} else if f := w.closer(); f != nil {
		w.closing = spawn(f, r.wake)
	}
}

// fail stops the relay with err if err is its first error.
func (r *relay) fail(err error) {
	if err != nil && r.err == nil {
		r.err = err
		r.cancel()
	}
}

// closer returns the function that half-closes the sink, or nil.
func (w *way) closer() func() error {
	f, dst := w.halfClose, w.out.dst
	if half, ok := dst.(interface{ CloseWrite() error }); ok {
		f = func(io.Writer) error { return half.CloseWrite() }
	}
	if f == nil {
		return nil
	}
	return func() error {
		err := f(dst)
		if err == nil {
			return nil
		}
		e := &Error{Side: Sink, Err: fmt.Errorf("half-close: %w", err)}
		w.locate(e, w.stats)
		return e
	}
}
