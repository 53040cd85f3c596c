package pump

import (
	"context"
	"io"
)

// Copy reads src until io.EOF and writes everything to dst, both at the same
// time, each on a goroutine of its own. It closes neither. It returns nil when
// dst has accepted all of src, and what was done in any case.
//
// If src fails, what it returned before that still goes to dst. If dst fails or
// ctx ends, both are stopped; see the package's documentation for what can be
// interrupted. An error is an [*Error], which says how many bytes are safe, or
// for options that can't be one that wraps [ErrInvalidMaxCall],
// [ErrInvalidRing], [errors.ErrUnsupported] or what [bytering.New] returns. If
// src has failed and then dst fails too, or ctx ends, the error joins both, the
// latter first. A panic in src or dst, or in a deadline setter of theirs, stops
// both and comes out of Copy.
//
// Src and dst are used as [bytering.Producer.ReadFrom] and
// [bytering.Consumer.WriteTo] do: a short write is io.ErrShortWrite, a count out
// of range [bytering.ErrInvalidCount], reads of nothing for ever
// io.ErrNoProgress. After Copy has returned they are not used any more, except
// by a call that was left behind.
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
