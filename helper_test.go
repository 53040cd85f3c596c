package bytering

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/bytering/bytering/internal/pattern"
)

// errTest and errLater are errors that the library does not know.
var (
	errTest  = errors.New("test error")
	errLater = errors.New("a later error")
)

// pair is New for arguments that are valid.
func pair(t testing.TB, capacity int, opts ...Option) (*Producer, *Consumer) {
	t.Helper()
	p, c, err := New(capacity, opts...)
	if err != nil {
		t.Fatalf("New(%d): %v", capacity, err)
	}
	return p, c
}

// cast is NewBroadcast for arguments that are valid.
func cast(t testing.TB, capacity, consumers int, opts ...Option) (*Producer, []*Consumer) {
	t.Helper()
	p, cs, err := NewBroadcast(capacity, consumers, opts...)
	if err != nil {
		t.Fatalf("NewBroadcast(%d, %d): %v", capacity, consumers, err)
	}
	return p, cs
}

// at is like pair, but both halves start at offset off of the memory, and the ring
// holds the n bytes of the stream from off on.
func at(t testing.TB, capacity, off, n int) (*Producer, *Consumer) {
	t.Helper()
	p, c := pair(t, capacity)
	mustMove(t, p, c, off)
	fill(t, p, n)
	return p, c
}

// mustMove moves both halves of an empty ring on by n bytes.
func mustMove(t testing.TB, p *Producer, c *Consumer, n int) {
	t.Helper()
	for n > 0 {
		m := min(n, p.Cap())
		p.Slices()
		if err := errors.Join(p.Commit(m), c.Discard(m)); err != nil {
			t.Fatalf("moving on by %d bytes: %v", m, err)
		}
		n -= m
	}
}

// fill writes the next n bytes of the stream, which must fit.
func fill(t testing.TB, p *Producer, n int) {
	t.Helper()
	if m, err := p.TryWrite(stream(p.Position(), n)); m != n || err != nil {
		t.Fatalf("TryWrite of %d bytes = %d, %v", n, m, err)
	}
}

// The stream that the tests move.
var (
	stream      = pattern.Bytes
	fillStream  = pattern.Fill
	checkStream = pattern.Check
)

// want fails the test unless a call returned n and an error that is err.
func want(t testing.TB, what string, gotN int, gotErr error, n int, err error) {
	t.Helper()
	if gotN != n || !is(gotErr, err) {
		t.Errorf("%s = %d, %v; want %d, %v", what, gotN, gotErr, n, err)
	}
}

// is reports whether got is the error that was wanted. It compares nil and the
// errors of package io with ==, because callers do.
func is(got, want error) bool {
	switch want {
	case nil, io.EOF, io.ErrClosedPipe, io.ErrUnexpectedEOF:
		return got == want
	}
	return errors.Is(got, want)
}

// state fails the test unless both halves report this state to an onlooker.
func state(t testing.TB, p *Producer, c *Consumer, filled int, perr, cerr error) {
	t.Helper()
	if got := c.Len(); got != filled {
		t.Errorf("Len is %d, want %d", got, filled)
	}
	if got := p.Free(); got != p.Cap()-filled {
		t.Errorf("Free is %d, want %d", got, p.Cap()-filled)
	}
	if got := distance(c.Position(), p.Position()); got != filled {
		t.Errorf("positions %d and %d are %d apart, want %d", c.Position(), p.Position(), got, filled)
	}
	if got := p.Err(); !is(got, perr) {
		t.Errorf("producer's Err is %v, want %v", got, perr)
	}
	if got := c.Err(); !is(got, cerr) {
		t.Errorf("consumer's Err is %v, want %v", got, cerr)
	}
}

// panics returns the text of what f panics with. It fails the test if f does not
// panic or if the text lacks one of the parts.
func panics(t testing.TB, what string, f func(), parts ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		v := recover()
		if v == nil {
			t.Errorf("%s does not panic", what)
			return
		}
		for _, part := range parts {
			if s := fmt.Sprint(v); !strings.Contains(s, part) {
				t.Errorf("%s panics with %q, which lacks %q", what, s, part)
			}
		}
	}()
	f()
}

// ended is a context that has ended with errTest.
func ended() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errTest)
	return ctx
}

// A call is a method of a half, called with one byte.
type call[H any] struct {
	name  string
	parks bool // whether it parks if the byte cannot be moved
	n     int  // what run returns if it can
	run   func(h H) (int, error)
}

var producerCalls = []call[*Producer]{
	{"Write", true, 1, func(p *Producer) (int, error) { return p.Write([]byte("x")) }},
	{"WriteString", true, 1, func(p *Producer) (int, error) { return p.WriteString("x") }},
	{"WriteByte", true, 0, func(p *Producer) (int, error) { return 0, p.WriteByte('x') }},
	{"ReadFrom", true, 1, func(p *Producer) (int, error) {
		n, err := p.ReadFrom(strings.NewReader("x"))
		return int(n), err
	}},
	{"Wait", true, 0, func(p *Producer) (int, error) { return 0, p.Wait(context.Background(), 1) }},
	{"TryWrite", false, 1, func(p *Producer) (int, error) { return p.TryWrite([]byte("x")) }},
	{"IOSlices", false, 1, func(p *Producer) (int, error) {
		return p.IOSlices(func(_ [][]byte, n int) (int, error) { return min(n, 1), nil })
	}},
}

var consumerCalls = []call[*Consumer]{
	{"Read", true, 1, func(c *Consumer) (int, error) { return c.Read(make([]byte, 1)) }},
	{"ReadByte", true, 0, func(c *Consumer) (int, error) { _, err := c.ReadByte(); return 0, err }},
	{"Peek", true, 1, func(c *Consumer) (int, error) { b, err := c.Peek(1); return len(b), err }},
	{"WriteTo", true, 1, func(c *Consumer) (int, error) {
		n, err := c.WriteTo(io.Discard)
		return int(n), err
	}},
	{"Wait", true, 0, func(c *Consumer) (int, error) { return 0, c.Wait(context.Background(), 1) }},
	{"TryRead", false, 1, func(c *Consumer) (int, error) { return c.TryRead(make([]byte, 1)) }},
	{"IOSlices", false, 1, func(c *Consumer) (int, error) {
		return c.IOSlices(func(_ [][]byte, n int) (int, error) { return min(n, 1), nil })
	}},
}

// drain reads until the stream ends and fails the test unless exactly b comes and
// then err.
func drain(t testing.TB, c *Consumer, b []byte, err error) {
	t.Helper()
	got, e := io.ReadAll(c)
	if e == nil {
		e = io.EOF
	}
	if !is(e, err) {
		t.Errorf("the stream ends with %v, want %v", e, err)
	}
	if !bytes.Equal(got, b) {
		t.Errorf("the stream is %q, want %q", got, b)
	}
}

type result struct {
	n   int
	err error
}

// A script is a reader and a writer that returns prescribed results, whatever it is
// offered. It repeats the last result.
type script struct {
	results []result
	calls   int
	offered []int
}

func (s *script) next(b []byte) (int, error) {
	s.offered = append(s.offered, len(b))
	r := s.results[min(s.calls, len(s.results)-1)]
	s.calls++
	return r.n, r.err
}

func (s *script) Read(b []byte) (int, error)  { return s.next(b) }
func (s *script) Write(b []byte) (int, error) { return s.next(b) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// A source is a reader of n bytes of the stream.
type source struct {
	pos uint64
	n   int
}

func (s *source) Read(b []byte) (int, error) {
	if s.n == 0 {
		return 0, io.EOF
	}
	n := min(s.n, len(b))
	fillStream(b[:n], s.pos)
	s.pos += uint64(n)
	s.n -= n
	return n, nil
}

// giveWay lets other goroutines run from within a loop that never waits, on systems
// where the runtime cannot preempt it.
func giveWay() {
	if runtime.GOARCH == "wasm" {
		runtime.Gosched()
	}
}

// startAt starts the cursors at n, so that a test can see them wrap.
func startAt(n uint64) Option {
	return func(c *config) { c.start = n }
}
