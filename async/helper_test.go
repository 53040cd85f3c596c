package async_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/pattern"
)

var errTest = errors.New("test")

// data returns the first n bytes of the stream that the tests move.
func data(n int) []byte { return pattern.Bytes(0, n) }

func pair(t testing.TB, capacity int, opts ...bytering.Option) (*bytering.Producer, *bytering.Consumer) {
	t.Helper()
	p, c, err := bytering.New(capacity, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(); c.Close() })
	return p, c
}

// rings calls f with rings of every kind, with one consumer and with two, at every
// depth. Some rings do not start at the beginning of their memory.
func rings(t *testing.T, f func(t *testing.T, depth int, p *bytering.Producer, cs []*bytering.Consumer)) {
	for _, tc := range []struct {
		name     string
		capacity int
		begin    int // bytes moved through the ring before
		opts     []bytering.Option
	}{
		{"heap", 4096, 0, nil},
		{"heap, wrapping", 5001, 77, nil},
		{"smaller than a block", 100, 0, nil},
		{"one byte", 1, 0, nil},
		{"mirrored", 8192, 77, []bytering.Option{bytering.Mirror()}},
		{"mapped", 5001, 77, []bytering.Option{bytering.Prefault()}},
	} {
		for _, depth := range []int{1, 2, 7} {
			for _, consumers := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s, depth %d, %d consumers", tc.name, depth, consumers), func(t *testing.T) {
					p, cs, err := bytering.NewBroadcast(tc.capacity, consumers, tc.opts...)
					if errors.Is(err, errors.ErrUnsupported) {
						t.Skip(err)
					}
					must(err)
					for range tc.begin {
						must(p.WriteByte(0))
						for _, c := range cs {
							c.ReadByte()
						}
					}
					f(t, depth, p, cs)
					p.Close()
					for _, c := range cs {
						c.Close()
					}
				})
			}
		}
	}
}

// readerAt and writerAt make a function an io.ReaderAt or io.WriterAt.
type readerAt func(b []byte, off int64) (int, error)

func (f readerAt) ReadAt(b []byte, off int64) (int, error) { return f(b, off) }

type writerAt func(b []byte, off int64) (int, error)

func (f writerAt) WriteAt(b []byte, off int64) (int, error) { return f(b, off) }

// ctxReader and ctxWriter do the same for sources and sinks that can be
// interrupted.
type ctxReader func(ctx context.Context, b []byte, off int64) (int, error)

func (f ctxReader) ReadAt([]byte, int64) (int, error) { panic("not with ReadAtContext") }
func (f ctxReader) ReadAtContext(ctx context.Context, b []byte, off int64) (int, error) {
	return f(ctx, b, off)
}

type ctxWriter func(ctx context.Context, b []byte, off int64) (int, error)

func (f ctxWriter) WriteAt([]byte, int64) (int, error) { panic("not with WriteAtContext") }
func (f ctxWriter) WriteAtContext(ctx context.Context, b []byte, off int64) (int, error) {
	return f(ctx, b, off)
}

// A file is a sink in memory.
type file struct {
	mu sync.Mutex
	b  []byte
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if need := int(off) + len(b); need > len(f.b) {
		f.b = append(f.b, make([]byte, need-len(f.b))...)
	}
	return copy(f.b[off:], b), nil
}

// collect reads c to the end of the stream on a goroutine of its own.
func collect(c *bytering.Consumer) func() ([]byte, error) {
	var b []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, err = io.ReadAll(c)
	}()
	return func() ([]byte, error) { <-done; return b, err }
}

// same fails the test unless got equals want.
func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("%s: got %d bytes, want %d; they differ from byte %d on", what, len(got), len(want), at)
	}
}

// recovered returns what f panics with.
func recovered(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprint("unexpected: ", err))
	}
}
