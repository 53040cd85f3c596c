package async

import (
	"context"
	"fmt"
	"io"

	"github.com/bytering/bytering"
)

// A ReaderAtContext is a source whose reads can be interrupted. ReadAtContext is like
// ReadAt of [io.ReaderAt], but returns early when ctx ends, and may return fewer than
// len(b) bytes with a nil error.
type ReaderAtContext interface {
	ReadAtContext(ctx context.Context, b []byte, off int64) (n int, err error)
}

// A WriterAtContext is a sink whose writes can be interrupted. WriteAtContext is like
// WriteAt of [io.WriterAt], but returns early when ctx ends.
type WriterAtContext interface {
	WriteAtContext(ctx context.Context, b []byte, off int64) (n int, err error)
}

// Fill reads src into the ring of p, with up to [Depth] reads at once, directly into the
// ring's memory. It commits only the prefix of the stream that is complete, so the
// consumers see the bytes in order. It does not close p.
//
// Fill returns nil after it has committed everything up to the io.EOF of src, or up to
// [Length]. Otherwise it returns the first of these:
//
//   - an [*Error] with the error of src at the lowest offset, after everything before
//     that was committed;
//   - the cause of ctx;
//   - the error of [bytering.Producer.Err], or os.ErrDeadlineExceeded if the deadline of
//     p passes while Fill waits for space.
//
// Fill calls src from several goroutines at once, with offsets in no particular order,
// which may lie beyond its end. If a read returns fewer bytes than it was asked for,
// Fill reads the rest. The io.EOF at the lowest offset ends the stream; bytes that were
// read beyond it are dropped. So if a file shrinks and grows meanwhile, Fill delivers
// its bytes up to one of its ends.
//
// Fill returns when no call of src uses the ring's memory any more, whatever ends it. If
// src is a [ReaderAtContext] it interrupts calls in flight; otherwise it waits for them.
// It notices the Close of the consumers at once, or with a depth of 1 when the call in
// flight has returned. A panic in src propagates out of Fill, after the other calls have
// ended.
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

// Drain writes the stream in the ring of c to dst, with up to [Depth] writes at once,
// directly out of the ring's memory. It discards only the prefix of the stream that is
// written. It waits for whole blocks, except at the end of the stream. It does not close
// c.
//
// Drain returns nil after it has written everything up to the end of the stream, or up
// to [Length]. Otherwise it returns the first of these:
//
//   - the producer's error, after everything before that was written;
//   - an [*Error] with the error of dst at the lowest offset, after everything before
//     that was written;
//   - the cause of ctx;
//   - io.ErrClosedPipe if c was closed, which Drain notices when an operation ends, or
//     os.ErrDeadlineExceeded if the deadline of c passes while Drain waits for bytes.
//
// Drain calls dst from several goroutines at once, with offsets in no particular order.
// After an error the bytes of dst from [Offset] + Stats.Safe on are undefined; truncate
// a new file to that length. If a write returns fewer bytes than it was given and a nil
// error, its error is io.ErrShortWrite.
//
// Drain returns when no call of dst uses the ring's memory any more, whatever ends it.
// If dst is a [WriterAtContext] it interrupts calls in flight; otherwise it waits for
// them. A panic in dst propagates out of Drain, after the other calls have ended.
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

// DrainParts cuts the stream in the ring of c into parts of [Block] bytes, and makes w
// write up to [Depth] of them at once. The last part may be smaller; an empty stream has
// no part. A part begins when its bytes are in the ring and it is known whether it is
// the last. DrainParts does not close c.
//
// A part is in the ring's memory. It is discarded, in order, after WritePart has
// returned nil and every reader of the part is closed. If a part fails, and [Retry] does
// not try it again, DrainParts finishes the parts before it, interrupts later ones
// through their context, and returns an [*Error]. The other results are those of
// [Drain].
//
// DrainParts returns when nothing uses the ring's memory any more: every WritePart has
// returned, and every reader is closed. It allocates a few objects for each part.
//
// If the ring does not have room for a part and one byte more, DrainParts returns an
// error that wraps [ErrInvalidOption] before it takes any byte.
func DrainParts(ctx context.Context, c *bytering.Consumer, w PartWriter, opts ...Option) (Stats, error) {
	cfg, err := configure(opts)
	if err != nil {
		return Stats{}, err
	}
	if capacity := int64(c.Cap()); cfg.block >= capacity {
		return Stats{}, fmt.Errorf("%w: parts of %d bytes need a ring of more than that, not of %d", ErrInvalidOption, cfg.block, capacity)
	}
	e := newEngine(ctx, draining{c}, "part", cfg)
	e.window.whole = true
	e.run = func(wk *worker, b *block) { wk.part(b, w) }
	return e.do()
}
