package async

import (
	"context"
	"fmt"
	"io"

	"github.com/bytering/bytering"
)

// A ReaderAtContext is a source whose reads can be interrupted. ReadAtContext is
// [io.ReaderAt]'s ReadAt, but returns early once ctx has ended, and may return
// less than len(b) bytes without an error.
type ReaderAtContext interface {
	ReadAtContext(ctx context.Context, b []byte, off int64) (n int, err error)
}

// A WriterAtContext is a sink whose writes can be interrupted. WriteAtContext is
// [io.WriterAt]'s WriteAt, but returns early once ctx has ended.
type WriterAtContext interface {
	WriteAtContext(ctx context.Context, b []byte, off int64) (n int, err error)
}

// Fill reads src into the ring of p, up to [Depth] blocks at once, straight into
// the ring's memory. What is complete from the beginning on is committed, and only
// that, so the consumers see the bytes in order. It does not close p.
//
// Fill returns nil after everything up to src's io.EOF, or up to [Length], was
// committed. Otherwise it returns the first of these:
//
//   - an [*Error]: the error of src at the lowest offset, after everything before
//     it was committed;
//   - the cause of ctx;
//   - what [bytering.Producer.Err] returns, or os.ErrDeadlineExceeded if p's
//     deadline passes while it waits.
//
// It calls src from several goroutines at once, with offsets in no order, also
// beyond its end. A read may return less than it was asked for: Fill goes on
// behind it. An io.EOF ends the stream where the lowest one was; what was read
// beyond is dropped. So of a file that shrinks and grows meanwhile the bytes up to
// its end at some moment arrive.
//
// Whatever ends it, Fill returns when no call of src uses the ring's memory any
// more. If src is a [ReaderAtContext], calls under way are interrupted; ReadAt
// of another is waited for. The consumers' Close is noticed at once, with a depth
// of 1 when the call under way has returned. A panic in src comes out of Fill,
// after the other calls have ended.
func Fill(ctx context.Context, p *bytering.Producer, src io.ReaderAt, opts ...Option) (Stats, error) {
	c, err := configure(opts)
	if err != nil {
		return Stats{}, err
	}
	read := func(_ context.Context, b []byte, off int64) (int, error) { return src.ReadAt(b, off) }
	if s, ok := src.(ReaderAtContext); ok {
		read = s.ReadAtContext
	}
	e := newEngine(ctx, filling{p}, "read", c)
	e.run = func(w *worker, b *block) { w.transfer(b, true, read) }
	return e.do()
}

// Drain writes what comes out of the ring of c to dst, up to [Depth] blocks at
// once, straight out of the ring's memory. What is written from the beginning on
// is discarded, and only that. It waits for whole blocks, except at the end of the
// stream. It does not close c.
//
// Drain returns nil after everything up to the end of the stream, or [Length],
// was written. Otherwise it returns the first of these:
//
//   - the producer's error, after everything before it was written;
//   - an [*Error]: the error of dst at the lowest offset, after everything before
//     it was written;
//   - the cause of ctx;
//   - io.ErrClosedPipe if c was closed, which is noticed when an operation ends,
//     or os.ErrDeadlineExceeded if c's deadline passes while it waits.
//
// It calls dst from several goroutines at once, with offsets in no order. After an
// error bytes of dst at and beyond Stats.Safe are undefined: truncate a new file
// to there. A write that returns less than it was given without an error is an
// io.ErrShortWrite.
//
// Whatever ends it, Drain returns when no call of dst uses the ring's memory any
// more. If dst is a [WriterAtContext], calls under way are interrupted; WriteAt
// of another is waited for. A panic in dst comes out of Drain, after the other
// calls have ended.
func Drain(ctx context.Context, c *bytering.Consumer, dst io.WriterAt, opts ...Option) (Stats, error) {
	cfg, err := configure(opts)
	if err != nil {
		return Stats{}, err
	}
	write := func(_ context.Context, b []byte, off int64) (int, error) { return dst.WriteAt(b, off) }
	if d, ok := dst.(WriterAtContext); ok {
		write = d.WriteAtContext
	}
	e := newEngine(ctx, draining{c}, "write", cfg)
	e.run = func(w *worker, b *block) { w.transfer(b, false, write) }
	return e.do()
}

// DrainParts cuts what comes out of the ring of c into parts of [Block] bytes, and
// has w write up to [Depth] of them at once. All parts are of that size but the
// last, which may be smaller; an empty stream has none. A part begins when its
// bytes are in the ring, and it is known whether it is the last. It does not close
// c.
//
// A part's memory is the ring's. It is discarded, in order, when WritePart has
// returned nil, and every reader of the part is closed. A part that fails, and
// that [Retry] does not try again, ends the call with an [*Error]: parts before it
// are finished, later ones interrupted by their context. The other results are
// those of [Drain].
//
// DrainParts returns when nothing uses the ring's memory any more: when every
// WritePart has returned, and every reader is closed. It allocates a little for
// each part.
//
// A ring that has no room for a part and a byte of the next is an error that wraps
// [ErrInvalidOption].
func DrainParts(ctx context.Context, c *bytering.Consumer, w PartWriter, opts ...Option) (Stats, error) {
	cfg, err := configure(opts)
	if err != nil {
		return Stats{}, err
	}
	if capacity := int64(c.Cap()); cfg.block >= capacity {
		return Stats{}, fmt.Errorf("%w: parts of %d bytes take a ring of more than that, not of %d", ErrInvalidOption, cfg.block, capacity)
	}
	e := newEngine(ctx, draining{c}, "part", cfg)
	e.window.whole = true
	e.run = func(wk *worker, b *block) { wk.part(b, w) }
	return e.do()
}
