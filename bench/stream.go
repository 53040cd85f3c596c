package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// chunkSizes range from all overhead to all copying.
var chunkSizes = []int{8, 64, 512, 4 << 10, 32 << 10, 64 << 10, 256 << 10, 1 << 20}

// streams measures the time per chunk between two goroutines when chunk follows
// chunk.
func streams() suite {
	s := suite{
		name:      "stream",
		title:     "One goroutine writes chunk after chunk, another reads them",
		op:        "chunk",
		sizes:     chunkSizes,
		oneAndTwo: true,
		legend: []string{
			"All copy a chunk in and copy it out, except io.Pipe and net.Pipe, which have no buffer and copy once, and the rows that say otherwise. From 32 KiB on, that one copy decides.",
			"os.Pipe goes through the kernel and holds what the system gives it, 64 KiB on Linux.",
			"Write and Read are the methods of io.Writer and io.Reader, which park. Slices+Commit and SlicesAtLeast+Commit park in Wait. All rivals park.",
			"Slices promises all the space there is, so it loads the other half's cursor each time. SlicesAtLeast, like Write and Read, goes by the last value it has seen while that is enough.",
			"TryWrite and TryRead never park. If they move nothing, the row calls runtime.Gosched and tries again, so it keeps both processors busy.",
			"\"In place\" means that this side works in the ring's memory, as an encoder or a parser would. The others copy from or to a chunk of their own. The source of ReadFrom copies its chunk into the ring, the sink of WriteTo works in place; both are called with as much as there is, not chunk by chunk. The row without a copy writes and reads nothing but the stamps. It shows the cost of the hand-over and cannot win.",
		},
	}
	for _, l := range links() {
		if l.name == "io.Pipe" {
			s.contenders = append(s.contenders, inPlace()...)
		}
		s.contenders = append(s.contenders, contender{
			name: l.name,
			ours: l.ours,
			prepare: func(cfg config, size int) (trial, error) {
				return newStream(l, cfg.room(size), size)
			},
		})
	}
	return s
}

// A link is one of the ways to get bytes from one goroutine to another.
type link struct {
	name string
	ours bool
	open func(capacity int) (io.WriteCloser, io.Reader, error)
}

// stampSize is the smallest chunk, which holds nothing but its number.
const stampSize = 8

// stamp writes the number of a chunk at its beginning and, inverted, at its end.
func stamp(b []byte, seq uint64) {
	binary.LittleEndian.PutUint64(b, seq)
	if len(b) >= 2*stampSize {
		binary.LittleEndian.PutUint64(b[len(b)-stampSize:], ^seq)
	}
}

// checkStamp returns an error unless b is the chunk with the number.
func checkStamp(b []byte, seq uint64) error {
	if got := binary.LittleEndian.Uint64(b); got != seq {
		return fmt.Errorf("chunk %d begins as chunk %d", seq, got)
	}
	if len(b) >= 2*stampSize {
		if got := ^binary.LittleEndian.Uint64(b[len(b)-stampSize:]); got != seq {
			return fmt.Errorf("chunk %d ends as chunk %d", seq, got)
		}
	}
	return nil
}

// A stream is a trial over a link.
type stream struct {
	w       io.WriteCloser
	r       io.Reader
	out, in []byte
}

// newStream opens a link, sends some chunks through it and checks every byte of
// them. This also touches all memory.
func newStream(l link, capacity, size int) (*stream, error) {
	w, r, err := l.open(capacity)
	if err != nil {
		return nil, err
	}
	s := &stream{w: w, r: r, out: make([]byte, size), in: make([]byte, size)}
	n := max(2, 2*capacity/size) * size
	return s, s.both(
		func() error { return pour(w, newPayload(), n, size) },
		func() error { return scoop(r, newPayload(), n, s.in) })
}

func (s *stream) run(n int) error {
	return s.both(
		func() error {
			for i := range n {
				stamp(s.out, uint64(i))
				if err := writeChunk(s.w, s.out); err != nil {
					return err
				}
			}
			return nil
		},
		func() error {
			for i := range n {
				if err := readChunk(s.r, s.in); err != nil {
					return err
				}
				if err := checkStamp(s.in, uint64(i)); err != nil {
					return err
				}
			}
			return nil
		})
}

// both runs a writer and a reader. If one fails, both closes its link, so that the
// other does not wait for it.
func (s *stream) both(write, read func() error) error {
	written := make(chan error, 1)
	go func() {
		err := write()
		if err != nil {
			s.w.Close()
		}
		written <- err
	}()
	err := read()
	if err != nil {
		s.w.Close()
	}
	return errors.Join(err, <-written)
}

// finish closes the link. No byte may be left, and the reader must see the end.
func (s *stream) finish() error {
	if err := s.w.Close(); err != nil {
		return err
	}
	if n, err := s.r.Read(s.in); n != 0 || err != io.EOF {
		return fmt.Errorf("after the end: %d bytes, error %v", n, err)
	}
	if c, ok := s.r.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// writeChunk writes all of b.
func writeChunk(w io.Writer, b []byte) error {
	n, err := w.Write(b)
	if err != nil || n != len(b) {
		return fmt.Errorf("wrote %d of %d bytes: %w", n, len(b), err)
	}
	return nil
}

// readChunk fills b. It is io.ReadFull with a check of every count.
func readChunk(r io.Reader, b []byte) error {
	for got := 0; got < len(b); {
		n, err := r.Read(b[got:])
		if n <= 0 || n > len(b)-got || err != nil {
			return fmt.Errorf("read %d of %d bytes: %w", n, len(b)-got, err)
		}
		got += n
	}
	return nil
}

// fill writes bytes to b that differ from chunk to chunk, and from piece to piece
// of a chunk.
func fill(b []byte, seq int) {
	x := uint32(seq)*2654435761 + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
}
