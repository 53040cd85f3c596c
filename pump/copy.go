package pump

import (
	"context"
	"errors"
	"io"

	"github.com/bytering/bytering"
)

// Copy reads src until io.EOF and writes everything to dst, both at the same
// time, each on a goroutine of its own. It closes neither. It returns nil when
// dst has accepted all of src, and what was done in any case.
//
// If src fails, what it returned before that still goes to dst. If dst fails or
// ctx ends, both are stopped; see the package's documentation for what can be
// interrupted. An error is an [*Error], which says how many bytes are safe, or
// for options out of range one that wraps [ErrInvalidMaxCall],
// [ErrInvalidRing] or what [bytering.New] returns. If src fails and then dst too the error joins
// both, the latter first.
//
// Src and dst are used as [bytering.Producer.ReadFrom] and
// [bytering.Consumer.WriteTo] do: a short write is io.ErrShortWrite, a count out
// of range [bytering.ErrInvalidCount], reads of nothing for ever
// io.ErrNoProgress. After Copy has returned they are not used any more, except
// by a call that was left behind.
func Copy(ctx context.Context, dst io.Writer, src io.Reader, opts ...Option) (Stats, error) {
	cfg := configure(opts)
	err := cfg.check()
	if err != nil {
		return Stats{}, err
	}
	p, c := cfg.p, cfg.c
	if ctx.Err() != nil {
		return Stats{}, &Error{Side: Context, Err: context.Cause(ctx)}
	}
	in, out := newSource(src, cfg), newSink(dst, cfg)
	go in.run(func() error {
		defer p.Close()
		_, err := p.ReadFrom(in)
		return err
	})
	go out.run(func() error {
		defer c.CloseWithError(errSinkEnded)
		_, err := c.WriteTo(out)
		return err
	})

	select {
	case <-out.ended:
	case <-ctx.Done():
		select {
		case <-out.ended: // it is over anyway
		default:
			err = stop(p, c, in, out, context.Cause(ctx))
			return Stats{Source: in.stats(), Sink: out.stats()}, err
		}
	}
	if out.err != nil {
		err = &Error{Side: Sink, Offset: out.bytes.Load(), Written: out.bytes.Load(), Err: out.err}
		if own := in.failure(out); own != nil {
			err = errors.Join(err, own)
		}
		in.stop()
	} else {
		<-in.ended // as the stream has
		err = in.failure(out)
	}
	return Stats{Source: in.stats(), Sink: out.stats()}, err
}

// errSinkEnded is what a source is told whose sink has ended.
var errSinkEnded = errors.New("pump: the sink has ended")

// failure returns the Error of a source that has failed by itself, else nil.
func (s *source) failure(out *sink) error {
	select {
	case <-s.ended:
		if s.err != nil && s.err != errSinkEnded {
			return &Error{Side: Source, Offset: s.bytes.Load(), Written: out.bytes.Load(), Err: s.err}
		}
	default:
	}
	return nil
}

// stop ends both sides for a cause outside of them.
func stop(p *bytering.Producer, c *bytering.Consumer, in *source, out *sink, cause error) error {
	p.Close()
	c.Close()
	stopped := make(chan struct{})
	go func() {
		in.stop()
		close(stopped)
	}()
	pending := out.stop()
	<-stopped
	written := out.bytes.Load()
	return &Error{Side: Context, Offset: written, Written: written, Pending: pending, Err: cause}
}
