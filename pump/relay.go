package pump

import (
	"context"
	"fmt"
	"io"
)

// Relay copies a to b and b to a until both streams have ended, as a proxy does
// between two connections. When one stream ends it calls the CloseWrite of the
// end that it went to, if that has one, as connections of TCP, Unix sockets and
// TLS do, so that the other side learns of it while the other stream goes on. It
// closes neither.
//
// If one direction fails, or ctx ends, both are stopped and the first error is
// returned: an [*Error] as of [Copy], or what CloseWrite returned. Each
// direction has a ring of its own. A panic in a or b stops both and comes out of
// Relay.
//
// An end without CloseWrite can't be told that the stream to it has ended. The
// other direction then goes on until its own end, or ctx's.
func Relay(ctx context.Context, a, b io.ReadWriter, opts ...Option) (toB, toA Stats, err error) {
	if !configure(opts).own {
		return toB, toA, fmt.Errorf("%w: one for both directions", ErrInvalidRing)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The first error is the cause of ctx from the moment when it ends.
	one := func(dst io.Writer, src io.Reader, stats *Stats) func() error {
		return func() (err error) {
			err = errExited // unless it returns
			defer func() {
				if err != nil {
					cancel(err)
				}
			}()
			*stats, err = Copy(ctx, dst, src, opts...)
			if half, ok := dst.(interface{ CloseWrite() error }); ok && err == nil {
				err = half.CloseWrite()
			}
			return err
		}
	}
	x, y := spawn(one(b, a, &toB)), spawn(one(a, b, &toA))
	there, back := <-x, <-y
	there.pass()
	back.pass()
	if there.err == nil || back.err != nil && context.Cause(ctx) == back.err {
		return toB, toA, back.err
	}
	return toB, toA, there.err
}
