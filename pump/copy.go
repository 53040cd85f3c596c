package pump

import (
	"context"
	"io"

	"github.com/bytering/bytering/internal/seam"
)

// Copy reads src until io.EOF and writes everything to dst. It does both at the
// same time, each on a goroutine of its own. It closes neither. It returns a nil
// error when dst has accepted all of src, and in any case what was done.
//
// If src fails, what it returned before is still written to dst. If dst fails or
// ctx ends, both are stopped; see the package documentation for what can be
// interrupted. The error is an [*Error], which says how many bytes are safe. For
// invalid options it is instead one that wraps [ErrInvalidMaxCall],
// [ErrInvalidRing] or [errors.ErrUnsupported], or the one that [bytering.New]
// returns. If src has failed and then dst fails too, or ctx ends, the error joins
// both, with that of dst or ctx first. A panic in src or dst, or in one of their
// deadline setters, stops both and propagates out of Copy.
//
// Copy uses src and dst as [bytering.Producer.ReadFrom] and
// [bytering.Consumer.WriteTo] do: a short write is io.ErrShortWrite, a count out
// of range is [bytering.ErrInvalidCount], and a source that keeps returning no
// bytes and no error is io.ErrNoProgress. After Copy has returned it no longer
// uses them, except in a call that was left behind.
func Copy(ctx context.Context, dst io.Writer, src io.Reader, opts ...Option) (Stats, error) {
	cfg := configure(opts)
	if err := cfg.check(dst, src); err != nil {
		return Stats{}, err
	}
	if stats, err := cfg.expired(ctx); err != nil {
		return stats, err
	}
	f := newFlow(dst, src, cfg, seam.NewToken())
	f.start()
	f.watch(ctx)
	stats, err := f.finish(ctx)
	f.pass()
	return stats, err
}

// expired returns the error of a copy whose context had ended before the copy
// began.
func (c config) expired(ctx context.Context) (Stats, error) {
	if ctx.Err() == nil {
		return Stats{}, nil
	}
	e := &Error{Side: Neither, Direction: c.direction, Err: context.Cause(ctx)}
	if c.fixed != nil {
		c.fixed.p.CloseWithError(e.reason())
		c.fixed.back()
	}
	return Stats{}, e
}
