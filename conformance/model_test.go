package conformance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/bytering/bytering"
)

var errTest = errors.New("test error")

// A machine drives both halves and a slice of bytes through the same random steps.
// If they differ, rapid reduces the sequence of steps to a short one.
type machine struct {
	p           *bytering.Producer
	c           *bytering.Consumer
	ring        []byte // what the ring must hold
	wrote, read uint64
	perr, cerr  error // what each half was closed with
}

func newMachine(t *rapid.T) *machine {
	p, c, err := bytering.New(rapid.IntRange(1, 20).Draw(t, "capacity"))
	if err != nil {
		t.Fatal(err)
	}
	return &machine{p: p, c: c}
}

func (m *machine) free() int { return m.p.Cap() - len(m.ring) }

func (m *machine) producerErr() error {
	if m.perr != nil {
		return io.ErrClosedPipe
	}
	return m.cerr
}

func (m *machine) consumerErr() error {
	switch {
	case m.cerr != nil:
		return io.ErrClosedPipe
	case len(m.ring) == 0:
		return m.perr
	}
	return nil
}

// put and take compare a call with the model and update the model.
func (m *machine) put(t *rapid.T, b []byte, n int, err error, wantN int, wantErr error) {
	if wantErr == io.ErrClosedPipe || m.producerErr() != nil {
		wantN, wantErr = 0, m.producerErr()
	}
	if n != wantN || !errors.Is(err, wantErr) {
		t.Fatalf("%d, %v; want %d, %v", n, err, wantN, wantErr)
	}
	m.ring = append(m.ring, b[:n]...)
	m.wrote += uint64(n)
}

func (m *machine) take(t *rapid.T, b []byte, err error, wantN int, wantErr error) {
	if e := m.consumerErr(); e != nil {
		wantN, wantErr = 0, e
	}
	if !bytes.Equal(b, m.ring[:wantN]) || !errors.Is(err, wantErr) {
		t.Fatalf("%x, %v; want %x, %v", b, err, m.ring[:wantN], wantErr)
	}
	m.ring = m.ring[wantN:]
	m.read += uint64(wantN)
}

var chunk = rapid.SliceOfN(rapid.Byte(), 0, 25)

func (m *machine) TryWrite(t *rapid.T) {
	b := chunk.Draw(t, "bytes")
	n, err := m.p.TryWrite(b)
	m.put(t, b, n, err, min(len(b), m.free()), nil)
}

func (m *machine) Write(t *rapid.T) {
	b := chunk.Draw(t, "bytes")
	b = b[:min(len(b), m.free())] // a longer write would park
	n, err := m.p.Write(b)
	m.put(t, b, n, err, len(b), nil)
}

func (m *machine) ReadFrom(t *rapid.T) {
	b := chunk.Draw(t, "bytes")
	if m.free() == 0 && m.producerErr() == nil {
		t.Skip("it would park")
	}
	b = b[:min(len(b), max(0, m.free()-1))] // a longer source would park before its io.EOF
	n, err := m.p.ReadFrom(bytes.NewReader(b))
	if m.perr == nil && len(m.ring) == 0 && len(b) == 0 {
		// The source has ended and every byte was taken, so ReadFrom succeeds even if
		// the consumer is closed.
		if n != 0 || err != nil {
			t.Fatalf("%d, %v; want 0, nil", n, err)
		}
		return
	}
	m.put(t, b, int(n), err, len(b), nil)
}

// outcome returns what a callback returns for n bytes, and what the ring must make
// of it.
func outcome(t *rapid.T, n int) (k int, err error, wantN int, wantErr error) {
	k = rapid.IntRange(-1, n+1).Draw(t, "count")
	err = rapid.SampledFrom([]error{nil, errTest}).Draw(t, "error")
	if k < 0 || k > n {
		return k, err, 0, bytering.ErrInvalidCount
	}
	return k, err, k, err
}

func (m *machine) Fill(t *rapid.T) {
	b := rapid.SliceOfN(rapid.Byte(), m.free(), m.free()).Draw(t, "bytes")
	k, kerr, wantN, wantErr := outcome(t, len(b))
	n, err := m.p.IOSlices(func(bufs [][]byte, n int) (int, error) {
		if n != len(b) || m.producerErr() != nil {
			t.Fatalf("offered %d bytes, want %d", n, len(b))
		}
		done := 0
		for _, x := range bufs {
			done += copy(x, b[done:])
		}
		return k, kerr
	})
	m.put(t, b, n, err, wantN, wantErr)
}

func (m *machine) Drain(t *rapid.T) {
	k, kerr, wantN, wantErr := outcome(t, len(m.ring))
	var seen []byte
	n, err := m.c.IOSlices(func(bufs [][]byte, n int) (int, error) {
		seen = bytes.Join(bufs, nil)
		if n != len(seen) || !bytes.Equal(seen, m.ring) {
			t.Fatalf("offered %x (%d), want %x", seen, n, m.ring)
		}
		return k, kerr
	})
	m.take(t, seen[:n], err, wantN, wantErr)
}

func (m *machine) TryRead(t *rapid.T) {
	b := make([]byte, rapid.IntRange(0, 25).Draw(t, "n"))
	n, err := m.c.TryRead(b)
	m.take(t, b[:n], err, min(len(b), len(m.ring)), nil)
}

func (m *machine) PeekAndDiscard(t *rapid.T) {
	n := rapid.IntRange(0, len(m.ring)).Draw(t, "n")
	b, err := m.c.Peek(n)
	b = bytes.Clone(b)
	if m.consumerErr() == nil {
		if err := m.c.Discard(len(b)); err != nil {
			t.Fatal(err)
		}
	}
	m.take(t, b, err, n, nil)
}

func (m *machine) Wait(t *rapid.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if n := rapid.IntRange(1, m.p.Cap()).Draw(t, "n"); m.perr == nil && m.cerr == nil {
		perr, cerr := m.p.Wait(ctx, n), m.c.Wait(ctx, n)
		if (perr == nil) != (n <= m.free()) || (cerr == nil) != (n <= len(m.ring)) {
			t.Fatalf("Wait(%d) is %v and %v with %d bytes free", n, perr, cerr, m.free())
		}
	}
}

func (m *machine) CloseProducer(t *rapid.T) {
	m.close(t, m.p.CloseWithError, &m.perr, io.EOF)
}

func (m *machine) CloseConsumer(t *rapid.T) {
	m.close(t, m.c.CloseWithError, &m.cerr, io.ErrClosedPipe)
}

func (m *machine) close(t *rapid.T, with func(error) error, said *error, end error) {
	if rapid.IntRange(0, 4).Draw(t, "seldom") > 0 {
		t.Skip("not now")
	}
	err := rapid.SampledFrom([]error{nil, errTest}).Draw(t, "error")
	if e := with(err); e != nil {
		t.Fatal(e)
	}
	if *said == nil {
		if *said = err; err == nil {
			*said = end
		}
	}
}

// Check runs after each step.
func (m *machine) Check(t *rapid.T) {
	if got := m.c.Len(); got != len(m.ring) {
		t.Fatalf("Len is %d, want %d", got, len(m.ring))
	}
	if got := m.p.Free(); got != m.free() {
		t.Fatalf("Free is %d, want %d", got, m.free())
	}
	if p, c := m.p.Position(), m.c.Position(); p != m.wrote || c != m.read {
		t.Fatalf("positions %d and %d, want %d and %d", p, c, m.wrote, m.read)
	}
	if perr, cerr := m.p.Err(), m.c.Err(); perr != m.producerErr() || cerr != m.consumerErr() {
		t.Fatalf("errors %v and %v, want %v and %v", perr, cerr, m.producerErr(), m.consumerErr())
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(rapid.StateMachineActions(m))
	})
}
