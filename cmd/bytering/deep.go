package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/pump"
)

// defaultDepthBlock is the default size of a read or write at depth.
const defaultDepthBlock = "256K"

// deepShape decides the size of a block at depth. It makes the ring hold one block
// more than are in flight.
func (p *parser) deepShape() error {
	if p.depth <= 1 && !p.readsObject() {
		return nil
	}
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"-r, which -R holds back too", p.readRate > 0},
		{"-P", p.startAbove > 0},
		{"-p", p.resumeBelow < 100},
	} {
		if f.given {
			return fmt.Errorf("--depth %d does not go together with %s", p.depth, f.name)
		}
	}
	if p.deepBlock = p.block; p.deepBlock.bytes == 0 {
		p.deepBlock, _ = parseMemory(defaultDepthBlock)
	}
	if p.direct {
		p.deepBlock.roundUp(directBlock)
	}
	usual, _ := parseMemory(defaultMemory)
	if n := product(p.depth+1, p.deepBlock.bytes); p.memory.bytes == 0 && p.share == 0 && n > usual.bytes {
		p.memory = size{n, fmt.Sprintf("%d times %v", p.depth+1, p.deepBlock)}
	}
	return nil
}

// deep reports whether ends are read or written at several offsets at once, if
// they have offsets.
func (s *stream) deep() bool { return s.depth > 1 || s.readsObject() }

func (s *stream) deepOptions(m *async.Meter) []async.Option {
	return []async.Option{async.Depth(s.depth), async.Block(s.deepBlock.bytes), async.WithMeter(m)}
}

// A readAt reads an input at any offset.
type readAt func(ctx context.Context, b []byte, off int64) (int, error)

func (f readAt) ReadAt(b []byte, off int64) (int, error) { return f(context.Background(), b, off) }

func (f readAt) ReadAtContext(ctx context.Context, b []byte, off int64) (int, error) {
	return f(ctx, b, off)
}

// anywhere returns a function that reads the end at any offset, and the offset of
// the next byte. It returns nil if the end has no offsets.
func (e *end) anywhere() (read readAt, from int64) {
	switch {
	case e.remote != nil && e.remote.Ranges():
		return e.remote.ReadAtContext, e.remote.from
	case e.remote != nil || e.size <= 0: // what is not known, as of files of the system
		return nil, 0
	}
	from, err := e.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, 0
	}
	return readAtOf(e.file), from
}

func readAtOf(r io.ReaderAt) readAt {
	return func(_ context.Context, b []byte, off int64) (int, error) { return r.ReadAt(b, off) }
}

// upto returns f with an io.EOF at the offset end.
func (f readAt) upto(end int64) readAt {
	return func(ctx context.Context, b []byte, off int64) (int, error) {
		if off >= end {
			return 0, io.EOF
		}
		ends := int64(len(b)) >= end-off
		if ends {
			b = b[:end-off]
		}
		n, err := f(ctx, b, off)
		if ends && n == len(b) && err == nil {
			err = io.EOF
		}
		return n, err
	}
}

// within returns f, with a call of stalled when a read takes longer than after.
func (f readAt) within(after time.Duration, stalled func()) readAt {
	return func(ctx context.Context, b []byte, off int64) (int, error) {
		defer time.AfterFunc(after, stalled).Stop()
		return f(ctx, b, off)
	}
}

// fill reads the inputs at depth, up to the first one that has none. It returns how
// many bytes it has read, and whether an input is left.
func (s *stream) fill(ctx context.Context) (moved int64, left bool, err error) {
	in := s.source
	if o := in.cur.stored; o != nil {
		if moved, err = o.fill(ctx, s.p); err != nil {
			err = &pump.Error{Side: pump.Source, Offset: moved, Err: err}
		}
		return moved, false, err
	}
	for {
		e := in.cur
		read, from := e.anywhere()
		if read == nil {
			addDirect(&s.directRead, 0, e.noOffsets())
			return moved, true, nil
		}
		if len(in.rest) == 0 {
			// No input is left for pump. Its consumer always waits for more, and with that
			// makes Fill read any space that a slow sink frees, not whole blocks.
			s.c[0].Close()
		}
		var past *direct.At
		if s.direct && e.remote == nil {
			past = s.directAt(e.file, os.O_RDONLY, from, s.p.Position())
			read = readAtOf(past)
		}
		if in.left >= 0 {
			read = read.upto(from + min(in.left, 1<<62-from))
		}
		opts := append(s.deepOptions(&s.filling), async.Offset(from))
		switch {
		case e.remote != nil:
			stall := webStall
			if s.timeout > 0 {
				stall = s.timeout
			}
			opts = append(opts, async.Retry(s.webRetry()), async.Stall(stall))
		case s.timeout > 0:
			read = read.within(s.timeout, s.stalled("read", in.name, s.timeout))
		}
		var stats async.Stats
		if in.skip == 0 { // otherwise all of it is left out
			stats, err = async.Fill(ctx, s.p, read, opts...)
		}
		if past != nil {
			n, why := past.Moved()
			addDirect(&s.directRead, n, why)
			past.Close() // whose error says nothing of what was read
		} else {
			addDirect(&s.directRead, 0, errNotFile)
		}
		s.fillDepth = max(s.fillDepth, stats.Depth)
		moved += stats.Safe
		if in.left >= 0 {
			in.left -= stats.Safe
		}
		if e.remote == nil {
			// Others may read on there.
			if _, failed := e.file.Seek(from+stats.Safe, io.SeekStart); err == nil {
				err = failed
			}
		}
		switch {
		case err != nil:
		case in.left == 0 || len(in.rest) == 0:
			if err = in.ended(); err == nil {
				return moved, false, nil
			}
		default:
			e.close()
			if s.timeout > 0 {
				opening := time.AfterFunc(s.timeout, s.stalled("read", in.name, s.timeout))
				err = in.next()
				opening.Stop()
			} else {
				err = in.next()
			}
		}
		if err != nil {
			var failed *async.Error
			switch {
			case s.timeout > 0 && errors.Is(err, async.ErrStalled):
				err = idle("read", in.name(), s.timeout)
			case errors.As(err, &failed):
				err = failed.Err
			}
			return moved, false, &pump.Error{Side: pump.Source, Offset: moved, Err: err}
		}
	}
}

// feed reads the inputs into the ring.
func (s *stream) feed(ctx context.Context, in io.Reader, opts []pump.Option) (err error) {
	moved := int64(0)
	if s.deep() {
		// Meanwhile the consumer that pump takes is read by hand.
		emptied := make(chan struct{})
		go func() {
			defer close(emptied)
			s.c[0].WriteTo(nowhere{})
		}()
		var left bool
		if moved, left, err = s.fill(ctx); !left || ctx.Err() != nil {
			why := err
			if ctx.Err() != nil {
				why, err = context.Cause(ctx), nil
			}
			s.p.CloseWithError(why)
			<-emptied
			s.c[0].Close()
			return err
		}
		s.c[0].SetReadDeadline(time.Unix(1, 0))
		<-emptied
		s.c[0].SetReadDeadline(time.Time{})
	}
	s.stats, err = pump.Copy(ctx, nowhere{}, in, opts...)
	var failed *pump.Error
	if errors.As(err, &failed) {
		failed.Offset += moved
	}
	return err
}

// A placed is a sink that is written at several offsets at once.
type placed struct {
	to      *direct.At
	options []async.Option
	meter   async.Meter
	after   time.Duration // that a write may take, or 0
	stalled func()
}

// effectiveDepth returns the depth that the ring has room for.
func (s *stream) effectiveDepth() int {
	return max(1, min(s.depth, s.memory.bytes/s.deepBlock.bytes-1))
}

// place makes k a sink that is written at depth, if its output is a file that
// was opened by its name, and if no flag holds the writes back or sets their
// size. Only with --direct: the system lets one write at a time into a file's cache,
// and those that wait cost processor time.
func (s *stream) place(k *sink, p place) {
	info, err := k.file.Stat()
	switch {
	case !s.direct:
		return
	case err != nil || !onDisk(info):
		k.direct.Buffered = errNotFile
		return
	case s.depth <= 1 || k.std != nil || p.append || s.whole > 0 || s.tape != (tape{}) || s.writeRate > 0:
		k.direct.Buffered = errInOrder
		return
	}
	k.placed = &placed{after: s.timeout, stalled: s.stalled("write", func() string { return k.name }, s.timeout)}
	k.placed.options = s.deepOptions(&k.placed.meter)
	k.placed.to = s.directAt(k.file, os.O_WRONLY, 0, k.c.Position())
}

func (d *placed) WriteAt(b []byte, off int64) (int, error) {
	if d.after > 0 {
		defer time.AfterFunc(d.after, d.stalled).Stop()
	}
	return d.to.WriteAt(b, off)
}

// drainPlaced writes the stream at depth. The file was empty. After an error it
// is truncated to the bytes that are complete from its beginning on.
func (k *sink) drainPlaced() {
	stats, err := async.Drain(context.Background(), k.c, k.placed, k.placed.options...)
	k.direct.Direct, k.direct.Buffered = k.placed.to.Moved()
	k.err = k.placed.to.Close()
	if err == nil {
		return
	}
	var failed *async.Error
	if errors.As(err, &failed) {
		k.err = failed.Err
	}
	if info, err := k.file.Stat(); err == nil && info.Mode().IsRegular() {
		if err := k.file.Truncate(stats.Safe); err != nil {
			k.err = errors.Join(k.err, err)
		}
	}
}

// accepted returns how many bytes the sink has accepted.
func (k *sink) accepted() int64 {
	switch {
	case k.placed != nil:
		return k.placed.meter.Stats().Safe
	case k.stored != nil && !k.over.Load():
		return int64(k.c.Position())
	}
	return k.n.Load()
}

// underWay returns how many bytes the calls in flight may still write.
func (k *sink) underWay(block int) int64 {
	if k.placed != nil {
		return int64(k.placed.meter.Stats().InFlight) * int64(block)
	}
	return k.calling.Load()
}

// depths returns a text with the depth of each end. A pipe has none.
func (s *stream) depths() string {
	written := 1
	for _, k := range s.sinks {
		if k.placed != nil {
			written = max(written, k.placed.meter.Stats().Depth)
		}
	}
	return fmt.Sprintf("depth %d read, %d written", max(1, s.fillDepth), written)
}

// waits returns the offset of the block that the source is to deliver next, and
// how long that block has been in flight.
func (s *stream) waits() (offset int64, age time.Duration) {
	stats := s.filling.Stats()
	if stats.InFlight == 0 {
		return 0, 0
	}
	return stats.Head, stats.HeadAge
}
