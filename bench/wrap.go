package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/vectored"
)

// A wrapWay is a way to move the bytes on both sides of a ring's wrap.
type wrapWay struct {
	memory
	plain bool // with Read and Write, which take one slice
}

func (w wrapWay) String() string {
	if w.plain {
		return w.name + ", Read and Write"
	}
	return w.name + ", readv and writev"
}

// wraps measures calls at the wrap, in one direction.
func wraps(name, title string, writes bool) suite {
	s := suite{
		name:  name,
		title: title,
		op:    "round",
		sizes: []int{64, 4 << 10, 32 << 10},
		legend: []string{
			"The column is a piece of which half lies before the wrap and half after it. On the heap that is one call with two slices, or two calls with one. On mirrored memory it is one call with one slice. A read of one slice costs less than a readv of one.",
			"A round is ReadFrom or WriteTo on a ring of two pieces, or a page, and the calls that bring the next piece to the wrap, which move no bytes. It leaves out the other end of the pipe.",
		},
	}
	found, missing := had(heap, mirrored)
	s.legend = append(s.legend, missing...)
	for _, plain := range []bool{false, true} {
		for _, m := range found {
			way := wrapWay{m, plain}
			s.contenders = append(s.contenders, contender{way.String(), true, false, func(_ config, size int) (trial, error) {
				return newWrapTrial(way, size, writes)
			}})
		}
	}
	return s
}

// A pieceReader returns io.EOF after each piece.
type pieceReader struct {
	r    io.Reader
	left int
}

func (p *pieceReader) count(n int, err error) (int, error) {
	if p.left -= n; p.left == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

func (p *pieceReader) Read(b []byte) (int, error) { return p.count(p.r.Read(b)) }

type pieceReaderv struct {
	*pieceReader
	v vectored.Reader
}

func (p *pieceReaderv) Readv(bufs [][]byte) (int, error) { return p.count(p.v.Readv(bufs)) }

// A pieceWriter returns errEnough after each piece.
type pieceWriter struct {
	w    io.Writer
	left int
}

func (p *pieceWriter) count(n int, err error) (int, error) {
	if p.left -= n; p.left == 0 && err == nil {
		err = errEnough
	}
	return n, err
}

func (p *pieceWriter) Write(b []byte) (int, error) { return p.count(p.w.Write(b)) }

type pieceWriterv struct {
	*pieceWriter
	v vectored.Writer
}

func (p *pieceWriterv) Writev(bufs [][]byte) (int, error) { return p.count(p.v.Writev(bufs)) }

// A wrapTrial moves pieces of one size between a pipe and a ring. Each lies half
// before the wrap and half after it.
type wrapTrial struct {
	p       *bytering.Producer
	c       *bytering.Consumer
	rest    int // the capacity less a piece
	src     io.Reader
	dst     io.Writer
	got     *pieceReader // src itself, or embedded in it
	sent    *pieceWriter
	r, w    *os.File
	mirror  bool
	writes  bool
	batch   int // pieces in the pipe
	buf     []byte
	made    maker
	seen    checker
	clocked time.Duration
}

// pipeHolds is how much a pipe holds on every system, even in pieces that do not
// fill its pages.
const pipeHolds = 32 << 10

func newWrapTrial(way wrapWay, size int, writes bool) (trial, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	page := os.Getpagesize()
	p, c, err := way.open((2*size + page - 1) / page * page)
	if err != nil {
		return nil, err
	}
	t := &wrapTrial{p: p, c: c, rest: p.Cap() - size, got: &pieceReader{r: r}, sent: &pieceWriter{w: w}, r: r, w: w,
		mirror: way.name == mirrored.name, writes: writes, batch: max(1, pipeHolds/size), buf: make([]byte, size)}
	t.src, t.dst = t.got, t.sent
	if !way.plain {
		readv, err := vectored.NewReader(r)
		if err != nil {
			return nil, err
		}
		writev, err := vectored.NewWriter(w)
		if err != nil {
			return nil, err
		}
		t.src, t.dst = &pieceReaderv{t.got, readv}, &pieceWriterv{t.sent, writev}
	}
	if err := t.skip(size / 2); err != nil {
		return nil, err
	}
	t.made = maker{chunk: make([]byte, size), whole: true}
	t.seen = checker{size: size, want: make([]byte, size)}
	err = t.run(2 * t.batch)
	t.made.whole, t.seen.want = false, nil
	return t, err
}

func (t *wrapTrial) run(n int) error {
	t.made.begin(n)
	t.seen.begin(n)
	t.clocked = 0
	feed, step, drain := t.feed, t.in, func() error { return nil }
	if t.writes {
		feed, step, drain = drain, t.out, t.drain
	}
	for left := n; left > 0; {
		batch := min(left, t.batch)
		for _, part := range []struct {
			do    func() error
			timed bool
		}{{feed, false}, {step, true}, {drain, false}} {
			start := time.Now()
			for range batch {
				if err := part.do(); err != nil {
					return err
				}
			}
			if part.timed {
				t.clocked += time.Since(start)
			}
		}
		left -= batch
	}
	return nil
}

// skip advances an empty ring by n bytes.
func (t *wrapTrial) skip(n int) error {
	t.p.Slices()
	return errors.Join(t.p.Commit(n), t.c.Discard(n))
}

// room fills an empty ring except for room for a piece over the wrap. The consumer
// has to discard the rest.
func (t *wrapTrial) room() error {
	t.p.Slices()
	return t.p.Commit(t.rest)
}

// read reads a piece, or what is left at the end, into the empty ring.
func (t *wrapTrial) read() (int, error) {
	if err := t.room(); err != nil {
		return 0, err
	}
	t.got.left = t.p.Cap() - t.rest
	n, err := t.p.ReadFrom(t.src)
	if err != nil {
		return int(n), err
	}
	return int(n), t.c.Discard(t.rest)
}

// write writes the n bytes in the ring.
func (t *wrapTrial) write(n int) error {
	t.sent.left = n
	if m, err := t.c.WriteTo(t.dst); int(m) != n || err != errEnough {
		return fmt.Errorf("WriteTo wrote %d of %d bytes: %w", m, n, err)
	}
	return nil
}

// feed fills the pipe.
func (t *wrapTrial) feed() error {
	err := writeChunk(t.w, t.made.chunk)
	t.made.next()
	return err
}

// drain empties the pipe.
func (t *wrapTrial) drain() error {
	if err := readChunk(t.r, t.buf); err != nil {
		return err
	}
	return t.look(t.buf)
}

func (t *wrapTrial) look(b []byte) error {
	if _, err := t.seen.Write(b); err != nil && err != errEnough {
		return err
	}
	return nil
}

// in moves a piece from the pipe into the ring.
func (t *wrapTrial) in() error {
	if n, err := t.read(); n != len(t.buf) || err != nil {
		return fmt.Errorf("ReadFrom read %d of %d bytes: %w", n, len(t.buf), err)
	}
	a, b := t.c.Slices()
	if err := t.wrapped(a, b); err != nil {
		return err
	}
	if err := errors.Join(t.look(a), t.look(b)); err != nil {
		return err
	}
	return t.c.Discard(len(t.buf))
}

// out moves a piece from the ring into the pipe.
func (t *wrapTrial) out() error {
	if err := t.room(); err != nil {
		return err
	}
	a, b := t.p.Slices()
	if err := t.wrapped(a, b); err != nil {
		return err
	}
	for _, piece := range [][]byte{a, b} {
		if t.made.whole {
			t.made.Read(piece)
		} else {
			t.made.mark(piece)
		}
	}
	if err := t.p.Commit(len(t.buf)); err != nil {
		return err
	}
	if err := t.c.Discard(t.rest); err != nil {
		return err
	}
	return t.write(len(t.buf))
}

// wrapped returns an error unless a piece lies over the wrap.
func (t *wrapTrial) wrapped(a, b []byte) error {
	if len(a)+len(b) != len(t.buf) || (len(b) == 0) != t.mirror {
		return fmt.Errorf("a piece of %d bytes lies in %d and %d", len(t.buf), len(a), len(b))
	}
	return nil
}

func (t *wrapTrial) report(s *sample, n int) { s.perOp = float64(t.clocked) / float64(n) }

func (t *wrapTrial) finish() error {
	return errors.Join(t.p.Close(), t.c.Close(), t.r.Close(), t.w.Close())
}
