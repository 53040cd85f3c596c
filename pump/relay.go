package pump

import (
	"context"
	"fmt"
	"io"

	"github.com/bytering/bytering/internal/netaddr"
)

// Relay copies a to b and b to a until both streams have ended, as a proxy does
// between two connections. Half-close takes a method: when one stream ends,
// Relay calls the CloseWrite of the end that it went to, as connections of TCP,
// Unix sockets and TLS have it, so that the other side learns of it while the
// other stream goes on. An end without the method, such as a struct that embeds
// a [net.Conn], is not told, and Relay goes on until the other stream ends by
// itself, which may be never: give the wrapper a CloseWrite, or use [HalfClose].
//
// If one direction fails, or ctx ends, both are stopped and the first error is
// returned. It is an [*Error] as of [Copy] that says which direction and which
// end it was. What CloseWrite returns is an error of the sink. Each direction
// has a ring of its own. A panic in a or b stops both and comes out of Relay. It
// closes neither.
func Relay(ctx context.Context, a, b io.ReadWriter, opts ...Option) (toB, toA Stats, err error) {
	cfg := configure(opts)
	if !cfg.own {
		return toB, toA, fmt.Errorf("%w: one for both directions", ErrInvalidRing)
	}
	forwards, backwards := cfg.towards(ToB), cfg.towards(ToA)
	if err := forwards.check(a); err != nil {
		return toB, toA, err
	}
	if err := backwards.check(b); err != nil {
		return toB, toA, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The first error is the cause of ctx from the moment when it ends.
	one := func(cfg config, dst io.Writer, src io.Reader, stats *Stats) func() error {
		return func() (err error) {
			err = errExited // unless it returns
			defer func() {
				if err != nil {
					cancel(err)
				}
			}()
			*stats, err = cfg.relay(ctx, dst, src)
			return err
		}
	}
	x, y := spawn(one(forwards, b, a, &toB)), spawn(one(backwards, a, b, &toA))
	there, back := <-x, <-y
	there.pass()
	back.pass()
	if there.err == nil || back.err != nil && context.Cause(ctx) == back.err {
		return toB, toA, back.err
	}
	return toB, toA, there.err
}

// towards returns the configuration of one direction.
func (c config) towards(d Direction) config {
	c.direction, c.meter = d, c.meters[d-ToB]
	return c
}

// relay copies one stream and tells dst of its end.
func (c config) relay(ctx context.Context, dst io.Writer, src io.Reader) (Stats, error) {
	stats, err := c.copy(ctx, dst, src)
	if err != nil {
		return stats, err
	}
	if half, ok := dst.(interface{ CloseWrite() error }); ok {
		err = half.CloseWrite()
	} else if c.halfClose != nil {
		err = c.halfClose(dst)
	}
	if err != nil {
		e := &Error{Side: Sink, Direction: c.direction, Offset: stats.Sink.Bytes, Written: stats.Sink.Bytes, Err: fmt.Errorf("half-close: %w", err)}
		e.Local, e.Remote = netaddr.Local(dst), netaddr.Remote(dst)
		return stats, e
	}
	return stats, nil
}
