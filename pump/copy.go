package pump

import (
	"context"
	"errors"
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
// latter first. A panic in src or dst stops both and comes out of Copy.
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
		p.Close()
		c.Close()
		return Stats{}, &Error{Side: Context, Err: context.Cause(ctx)}
	}
	in, out := newSource(src, cfg), newSink(dst, cfg)
	if cfg.direct {
		goDirect(&in.side, &out.side, src, dst, cfg)
	}
	go in.run(func() error {
		defer p.Close()
		return in.feed(p)
	})
	go out.run(func() error {
		defer c.CloseWithError(errSinkEnded)
		return out.drain(c)
	})

	var failed *Error // unless it is the source alone
	select {
	case <-out.ended:
	case <-ctx.Done():
		select {
		case <-out.ended: // it is over anyway
		default:
			failed = &Error{Side: Context, Err: context.Cause(ctx)}
		}
	}
	var own error // of the source, before it is stopped
	switch {
	case failed != nil:
		own = in.failure()
		p.Close() // for a side that waits for the other
		failed.Pending = stop(in, out)
	case out.err != nil:
		failed = &Error{Side: Sink, Err: out.err}
		own = in.failure()
		in.stop()
	default:
		<-in.ended // as the stream has
		own = in.failure()
	}
	out.pass()
	in.pass()
	stats := Stats{Source: in.stats(), Sink: out.stats()}
	var errs []error
	if failed != nil {
		failed.Offset, failed.Written = stats.Sink.Bytes, stats.Sink.Bytes
		errs = append(errs, failed)
	}
	if own != nil {
		errs = append(errs, &Error{Side: Source, Offset: stats.Source.Bytes, Written: stats.Sink.Bytes, Err: own})
	}
	if len(errs) == 1 {
		return stats, errs[0]
	}
	return stats, errors.Join(errs...)
}

// errSinkEnded is what a source is told whose sink has ended.
var errSinkEnded = errors.New("pump: the sink has ended")

// failure returns the error of a source that has failed by itself, else nil.
func (s *source) failure() error {
	select {
	case <-s.ended:
		if s.err != errSinkEnded {
			return s.err
		}
	default:
	}
	return nil
}

// stop ends both sides for a cause outside of them, and returns the bytes that
// a write left behind was offered.
func stop(in *source, out *sink) (pending int64) {
	stopped := make(chan struct{})
	go func() {
		in.stop()
		close(stopped)
	}()
	pending = out.stop()
	<-stopped
	return pending
}
