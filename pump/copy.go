package pump

import (
	"context"
	"io"
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
	if err := cfg.check(src); err != nil {
		return Stats{}, err
	}
	return cfg.copy(ctx, dst, src)
}

// copy is Copy through the ring that check has made or found.
func (cfg config) copy(ctx context.Context, dst io.Writer, src io.Reader) (Stats, error) {
	if ctx.Err() != nil {
		e := &Error{Side: Context, Direction: cfg.direction, Err: context.Cause(ctx)}
		cfg.p.CloseWithError(e.reason())
		cfg.c.Close()
		return Stats{}, e
	}
	f := newFlow(dst, src, cfg)
	go f.in.run(f.feed)
	go f.out.run(f.drain)
	return f.oversee(ctx)
}
