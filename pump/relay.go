package pump

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// Relay copies a to b and b to a until both streams have ended, as a proxy does
// between two connections. When one stream ends it calls the CloseWrite of the
// end that it went to, if that has one, as connections of TCP, Unix sockets and
// TLS do, so that the other side learns of it while the other stream goes on. It
// closes neither.
//
// If one direction fails, or ctx ends, both are stopped and the first error is
// returned: an [*Error] as of [Copy], or what CloseWrite returned. Each
// direction has a ring of its own.
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
	one := func(dst io.Writer, src io.Reader, stats *Stats) {
		var err error
		*stats, err = Copy(ctx, dst, src, opts...)
		if half, ok := dst.(interface{ CloseWrite() error }); ok && err == nil {
			err = half.CloseWrite()
		}
		if err != nil {
			first <- err
			cancel(err)
		}
	}
	var backwards sync.WaitGroup
	backwards.Go(func() { one(a, b, &toA) })
	one(b, a, &toB)
	backwards.Wait()
	select {
	case err = <-first:
	default:
	}
	return toB, toA, err
}
