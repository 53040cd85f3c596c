package main

import (
	"fmt"
	"io"

	"github.com/bytering/bytering"
)

// micro measures the cost of calls without contention: one goroutine puts a chunk
// in and takes it out again.
func micro() suite {
	s := suite{
		name:  "micro",
		title: "One goroutine writes a chunk and reads it back",
		op:    "chunk in and out",
		sizes: chunkSizes,
		legend: []string{
			"The rows that move no bytes are the calls alone: Slices, Commit, Slices, Discard; and IOSlices twice. The row of two copies has no buffer at all. These rows cannot win.",
			"The pipes are missing because they hold no chunk, or not every chunk.",
		},
	}
	add := func(name string, ours, part bool, prepare func(cfg config, size int) (trial, error)) {
		s.contenders = append(s.contenders, contender{name, ours, part, prepare})
	}
	for i, l := range links() {
		if !l.holds() {
			continue
		}
		if i == 1 {
			add("bytering Slices+Commit, no bytes", true, true, func(cfg config, size int) (trial, error) {
				return newBare(heap, cfg, size, (*bare).slices)
			})
			add("bytering IOSlices, no bytes", true, true, func(cfg config, size int) (trial, error) {
				return newBare(heap, cfg, size, (*bare).ioSlices)
			})
		}
		add(l.name, l.ours, false, func(cfg config, size int) (trial, error) {
			w, r, err := l.open(cfg.room(size))
			return &alternating{stream{w, r, make([]byte, size), make([]byte, size)}}, err
		})
	}
	add("two copies", false, true, func(cfg config, size int) (trial, error) {
		return &copying{make([]byte, size), make([]byte, size), make([]byte, size)}, nil
	})
	return s
}

// alternating writes and reads in turn.
type alternating struct{ stream }

func (a *alternating) run(n int) error {
	for i := range n {
		stamp(a.out, uint64(i))
		if err := writeChunk(a.w, a.out); err != nil {
			return err
		}
		if err := readChunk(a.r, a.in); err != nil {
			return err
		}
		if err := checkStamp(a.in, uint64(i)); err != nil {
			return err
		}
	}
	return nil
}

// A bare trial moves the cursors and no bytes.
type bare struct {
	p    *bytering.Producer
	c    *bytering.Consumer
	size int
	op   func(*bare) error
	put  func([][]byte, int) (int, error)
}

func newBare(m memory, cfg config, size int, op func(*bare) error) (trial, error) {
	p, c, err := m.open(cfg.room(size))
	return &bare{p: p, c: c, size: size, op: op, put: func(_ [][]byte, n int) (int, error) {
		return min(n, size), nil
	}}, err
}

func (b *bare) slices() error {
	x, y := b.p.Slices()
	if n := len(x) + len(y); n < b.size {
		return fmt.Errorf("%d bytes free", n)
	}
	if err := b.p.Commit(b.size); err != nil {
		return err
	}
	x, y = b.c.Slices()
	if n := len(x) + len(y); n != b.size {
		return fmt.Errorf("%d bytes there", n)
	}
	return b.c.Discard(b.size)
}

func (b *bare) ioSlices() error {
	if n, err := b.p.IOSlices(b.put); n != b.size || err != nil {
		return fmt.Errorf("put %d bytes: %w", n, err)
	}
	if n, err := b.c.IOSlices(b.put); n != b.size || err != nil {
		return fmt.Errorf("took %d bytes: %w", n, err)
	}
	return nil
}

func (b *bare) run(n int) error {
	at := b.c.Position()
	for range n {
		if err := b.op(b); err != nil {
			return err
		}
	}
	if got := b.c.Position() - at; got != uint64(n)*uint64(b.size) {
		return fmt.Errorf("moved %d bytes, want %d times %d", got, n, b.size)
	}
	return nil
}

func (b *bare) finish() error {
	if err := b.p.Close(); err != nil {
		return err
	}
	if err := b.c.Err(); err != io.EOF {
		return fmt.Errorf("after the end: error %v", err)
	}
	return b.c.Close()
}

// A copying is the minimum of work for all contenders that copy twice.
type copying struct{ out, mid, in []byte }

func (c *copying) run(n int) error {
	for i := range n {
		stamp(c.out, uint64(i))
		copy(c.mid, c.out)
		copy(c.in, c.mid)
		if err := checkStamp(c.in, uint64(i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *copying) finish() error { return nil }
