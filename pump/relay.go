package pump

import (
	"context"
	"fmt"
	"io"

	"github.com/bytering/bytering/internal/netaddr"
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
// If one direction fails, or ctx ends, both are stopped and Relay returns the
// first error. It is an [*Error] as of [Copy], and also says which direction and
// which end failed. An error that CloseWrite returns is an error of the sink.
// Each direction has a ring of its own, so [Ring] is refused. A panic in a or b
// stops both directions and propagates out of Relay. Relay closes neither a nor
// b.
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
