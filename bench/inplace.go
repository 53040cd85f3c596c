package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/bytering/bytering"
)

// inPlace returns the contenders of streams that work in the ring's own memory and
// therefore copy less than twice.
func inPlace() []contender {
	var cs []contender
	for _, c := range []struct {
		name string
		part bool
		put  func(*placing) error
		take func(*placing) error
	}{
		{"bytering Write, Slices in place (one copy)", false, (*placing).write, (*placing).lookAt},
		{"bytering Slices in place, Read (one copy)", false, (*placing).mark, (*placing).read},
		{"bytering ReadFrom, WriteTo (one copy)", false, (*placing).readFrom, (*placing).writeTo},
		{"bytering Slices in place (no copy)", true, (*placing).mark, (*placing).lookAt},
	} {
		cs = append(cs, contender{c.name, true, c.part, func(cfg config, size int) (trial, error) {
			return newPlacing(cfg.room(size), size, c.put, c.take)
		}})
	}
	return cs
}

// A placing is a trial in which at least one side works in the ring's memory.
type placing struct {
	stream
	p         *bytering.Producer
	c         *bytering.Consumer
	put, take func(*placing) error // move all remaining chunks
	made      maker
	seen      checker
}

func newPlacing(capacity, size int, put, take func(*placing) error) (trial, error) {
	p, c, err := bytering.New(capacity)
	if err != nil {
		return nil, err
	}
	t := &placing{p: p, c: c, put: put, take: take}
	t.stream = stream{w: p, r: c, out: make([]byte, size), in: make([]byte, size)}
	t.made = maker{chunk: t.out, whole: true}
	t.seen = checker{size: size, want: make([]byte, size)}
	err = t.run(max(2, 2*capacity/size))
	t.made.whole, t.seen.want = false, nil
	return t, err
}

func (t *placing) run(n int) error {
	t.made.begin(n)
	t.seen.begin(n)
	return t.both(func() error { return t.put(t) }, func() error { return t.take(t) })
}

func (t *placing) write() error {
	for t.made.left > 0 {
		if err := writeChunk(t.p, t.made.chunk); err != nil {
			return err
		}
		t.made.next()
	}
	return nil
}

// place waits for space for each chunk, calls f to fill it, and commits.
func (t *placing) place(f func([]byte)) error {
	size := len(t.made.chunk)
	for t.made.left > 0 {
		a, b := t.p.Slices()
		if len(a)+len(b) < size {
			if err := t.p.Wait(context.Background(), size); err != nil {
				return err
			}
			continue
		}
		a = a[:min(size, len(a))]
		f(a)
		f(b[:size-len(a)])
		if err := t.p.Commit(size); err != nil {
			return err
		}
	}
	return nil
}

// mark makes the chunks in the ring.
func (t *placing) mark() error {
	if t.made.whole {
		return t.place(func(b []byte) { t.made.Read(b) })
	}
	return t.place(t.made.mark)
}

func (t *placing) readFrom() error {
	_, err := t.p.ReadFrom(&t.made)
	return err
}

func (t *placing) read() error {
	for t.seen.left > 0 {
		if err := readChunk(t.c, t.in); err != nil {
			return err
		}
		if _, err := t.seen.Write(t.in); err != nil && err != errEnough {
			return err
		}
	}
	return nil
}

func (t *placing) lookAt() error {
	for t.seen.left > 0 {
		a, b := t.c.Slices()
		if len(a)+len(b) < t.seen.size {
			if err := t.c.Wait(context.Background(), t.seen.size); err != nil {
				return err
			}
			continue
		}
		a = a[:min(t.seen.size, len(a))]
		for _, piece := range [][]byte{a, b[:t.seen.size-len(a)]} {
			if _, err := t.seen.Write(piece); err != nil && err != errEnough {
				return err
			}
		}
		if err := t.c.Discard(t.seen.size); err != nil {
			return err
		}
	}
	return nil
}

func (t *placing) writeTo() error {
	if _, err := t.c.WriteTo(&t.seen); err != errEnough {
		return fmt.Errorf("WriteTo: %w", err)
	}
	return nil
}

// A maker is a reader of a number of chunks, in pieces of any length.
type maker struct {
	chunk []byte
	whole bool // whether chunks differ in all bytes, not only in their stamps
	left  int
	seq   int
	at    int // the position in the chunk
}

func (m *maker) begin(chunks int) {
	m.left, m.seq, m.at = chunks, -1, 0
	m.advance()
}

// next goes on to the next chunk.
func (m *maker) next() {
	m.left, m.at = m.left-1, 0
	m.advance()
}

func (m *maker) advance() {
	m.seq++
	if m.whole {
		fill(m.chunk, m.seq)
	} else {
		stamp(m.chunk, uint64(m.seq))
	}
}

func (m *maker) Read(b []byte) (total int, err error) {
	for total < len(b) && m.left > 0 {
		n := copy(b[total:], m.chunk[m.at:])
		total += n
		if m.at += n; m.at == len(m.chunk) {
			m.next()
		}
	}
	if m.left == 0 {
		err = io.EOF
	}
	return total, err
}

// mark writes the part of a chunk's stamps that falls into b, and leaves the rest
// of b as it is.
func (m *maker) mark(b []byte) {
	if len(b) == 0 {
		return
	}
	overStamps(b, m.at, len(m.chunk), func(b []byte, at int) bool {
		copy(b, m.chunk[at:])
		return true
	})
	if m.at += len(b); m.at == len(m.chunk) {
		m.next()
	}
}

// errEnough is what a checker returns after the last chunk.
var errEnough = errors.New("all chunks are there")

// A checker compares the chunks written to it, in pieces of any length, with those
// of a maker.
type checker struct {
	size  int
	want  []byte // room for a chunk if chunks are compared whole, otherwise nil
	ends  [2 * stampSize]byte
	left  int
	seq   int
	at    int
	begun bool
}

func (k *checker) begin(chunks int) { k.left, k.seq, k.at, k.begun = chunks, 0, 0, false }

func (k *checker) Write(b []byte) (total int, err error) {
	for total < len(b) {
		if k.left == 0 {
			return total, fmt.Errorf("%d bytes more than there should be", len(b)-total)
		}
		piece := b[total:min(len(b), total+k.size-k.at)]
		if !k.right(piece) {
			return total, fmt.Errorf("chunk %d is wrong at byte %d, or in the %d after it", k.seq, k.at, len(piece)-1)
		}
		total += len(piece)
		if k.at += len(piece); k.at == k.size {
			k.left, k.seq, k.at, k.begun = k.left-1, k.seq+1, 0, false
		}
	}
	if k.left == 0 {
		err = errEnough
	}
	return total, err
}

// right reports whether a piece of the current chunk is correct.
func (k *checker) right(piece []byte) bool {
	if k.want != nil {
		if !k.begun {
			fill(k.want, k.seq)
		}
		k.begun = true
		return bytes.Equal(piece, k.want[k.at:k.at+len(piece)])
	}
	if !k.begun {
		stamp(k.ends[:], uint64(k.seq)) // both stamps, side by side
	}
	k.begun = true
	return overStamps(piece, k.at, k.size, func(b []byte, at int) bool {
		if at >= stampSize {
			at -= k.size - 2*stampSize
		}
		return bytes.Equal(b, k.ends[at:at+len(b)])
	})
}

// overStamps calls f for the parts of a chunk's two stamps that fall into b, which
// lies at an offset of the chunk. It stops when f returns false, and reports
// whether f always returned true.
func overStamps(b []byte, at, size int, f func(b []byte, at int) bool) bool {
	within := func(from, to int) bool {
		from, to = max(from, at), min(to, at+len(b))
		return from >= to || f(b[from-at:to-at], from)
	}
	return within(0, stampSize) && (size < 2*stampSize || within(size-stampSize, size))
}
