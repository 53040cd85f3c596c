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
	first := make(chan error, 2)
	one := func(dst io.Writer, src io.Reader, stats *Stats) func() error {
		return func() error {
			err := errExited // unless Copy returns
			defer func() {
				if err != nil {
					first <- err
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
	forwards, backwards := newTask(), newTask()
	go forwards.run(one(b, a, &toB))
	go backwards.run(one(a, b, &toA))
	<-forwards.ended
	<-backwards.ended
	forwards.pass()
	backwards.pass()
	select {
	case err = <-first:
	default:
	}
	return toB, toA, err
}
