package bytering

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// closers are the ways to close a half, each with the error that the other half
// then gets. A nil error stands for the one that a plain Close gives.
var closers = []struct {
	name  string
	close func(io.Closer, func(error) error) error
	err   error
}{
	{"Close", func(h io.Closer, _ func(error) error) error { return h.Close() }, nil},
	{"CloseWithError(nil)", func(_ io.Closer, f func(error) error) error { return f(nil) }, nil},
	{"CloseWithError(err)", func(_ io.Closer, f func(error) error) error { return f(errTest) }, errTest},
	{"twice", func(h io.Closer, f func(error) error) error { return errors.Join(h.Close(), h.Close(), f(errLater)) }, nil},
	{"first error wins", func(h io.Closer, f func(error) error) error {
		return errors.Join(f(errTest), f(errLater), f(nil), h.Close())
	}, errTest},
}

func or(err, fallback error) error {
	if err == nil {
		return fallback
	}
	return err
}

func TestProducerClosed(t *testing.T) {
	for _, cl := range closers {
		for _, m := range producerCalls {
			for filled := range 5 {
				p, c := at(t, 4, 3, filled)
				if err := cl.close(p, p.CloseWithError); err != nil {
					t.Errorf("%s: %v", cl.name, err)
				}
				n, err := m.run(p)
				want(t, cl.name+", then "+m.name, n, err, 0, io.ErrClosedPipe)
				cerr := error(nil)
				if filled == 0 {
					cerr = or(cl.err, io.EOF)
				}
				state(t, p, c, filled, io.ErrClosedPipe, cerr)
				if a, b := p.Slices(); len(a)+len(b) > 0 {
					t.Errorf("Slices of a closed producer returns %d and %d bytes", len(a), len(b))
				}
				for _, n := range []int{0, 1, 4, 5, math.MaxInt} {
					if err := p.Commit(n); err != io.ErrClosedPipe {
						t.Errorf("Commit(%d) on a closed producer: %v", n, err)
					}
				}
				panics(t, "Commit", func() { p.Commit(-1) }, "Commit of -1 bytes")
				state(t, p, c, filled, io.ErrClosedPipe, cerr)
				drain(t, c, stream(3, filled), or(cl.err, io.EOF))
			}
		}
	}
}

func TestConsumerClosed(t *testing.T) {
	for _, cl := range closers {
		for _, m := range consumerCalls {
			for filled := range 5 {
				p, c := at(t, 4, 3, filled)
				if err := cl.close(c, c.CloseWithError); err != nil {
					t.Errorf("%s: %v", cl.name, err)
				}
				n, err := m.run(c)
				want(t, cl.name+", then "+m.name, n, err, 0, io.ErrClosedPipe)
				state(t, p, c, filled, or(cl.err, io.ErrClosedPipe), io.ErrClosedPipe)
				if a, b := c.Slices(); len(a)+len(b) > 0 {
					t.Errorf("Slices of a closed consumer returns %d and %d bytes", len(a), len(b))
				}
				for _, n := range []int{0, 1, 4, 5, math.MaxInt} {
					if err := c.Discard(n); err != io.ErrClosedPipe {
						t.Errorf("Discard(%d) on a closed consumer: %v", n, err)
					}
				}
				panics(t, "Discard", func() { c.Discard(-1) }, "Discard of -1 bytes")
				state(t, p, c, filled, or(cl.err, io.ErrClosedPipe), io.ErrClosedPipe)
			}
		}
	}
}

// TestOtherHalfClosed checks what each call returns once the other half is closed.
func TestOtherHalfClosed(t *testing.T) {
	for _, cl := range closers {
		for _, m := range producerCalls {
			for _, filled := range []int{0, 2, 4} {
				p, c := at(t, 4, 3, filled)
				cl.close(c, c.CloseWithError)
				n, err := m.run(p)
				want(t, "consumer's "+cl.name+", then "+m.name, n, err, 0, or(cl.err, io.ErrClosedPipe))
				state(t, p, c, filled, or(cl.err, io.ErrClosedPipe), io.ErrClosedPipe)
				if a, b := p.Slices(); len(a)+len(b) > 0 {
					t.Errorf("Slices after the end returns %d and %d bytes", len(a), len(b))
				}
				p.Close()
				if err := p.Err(); err != io.ErrClosedPipe {
					t.Errorf("Err after the half's own Close is %v", err)
				}
			}
		}
		for _, m := range consumerCalls {
			p, c := at(t, 4, 3, 0)
			cl.close(p, p.CloseWithError)
			n, err := m.run(c)
			end := or(cl.err, io.EOF)
			if m.name == "WriteTo" && end == io.EOF {
				end = nil
			}
			want(t, "producer's "+cl.name+", then "+m.name, n, err, 0, end)
			c.Close()
			if err := c.Err(); err != io.ErrClosedPipe {
				t.Errorf("Err after the half's own Close is %v", err)
			}
		}
	}
}

// A call with an empty argument never blocks, and fails after a close like any other
// call.
func TestEmptyArguments(t *testing.T) {
	writes := map[string]func(*Producer) (int, error){
		"Write":       func(p *Producer) (int, error) { return p.Write(nil) },
		"WriteString": func(p *Producer) (int, error) { return p.WriteString("") },
		"TryWrite":    func(p *Producer) (int, error) { return p.TryWrite([]byte{}) },
		"Wait":        func(p *Producer) (int, error) { return 0, p.Wait(ended(), 0) },
	}
	reads := map[string]func(*Consumer) (int, error){
		"Read":    func(c *Consumer) (int, error) { return c.Read(nil) },
		"TryRead": func(c *Consumer) (int, error) { return c.TryRead([]byte{}) },
		"Peek":    func(c *Consumer) (int, error) { b, err := c.Peek(0); return len(b), err },
		"Wait":    func(c *Consumer) (int, error) { return 0, c.Wait(ended(), 0) },
	}
	for _, filled := range []int{0, 2, 4} {
		for _, tc := range []struct {
			name       string
			end        func(p *Producer, c *Consumer)
			perr, cerr error
		}{
			{"open", func(*Producer, *Consumer) {}, nil, nil},
			{"producer closed", func(p *Producer, _ *Consumer) { p.CloseWithError(errTest) }, io.ErrClosedPipe, errTest},
			{"consumer closed", func(_ *Producer, c *Consumer) { c.CloseWithError(errTest) }, errTest, io.ErrClosedPipe},
		} {
			cerr := tc.cerr
			if cerr == errTest && filled > 0 {
				cerr = nil
			}
			for name, f := range writes {
				p, c := at(t, 4, 1, filled)
				tc.end(p, c)
				n, err := f(p)
				want(t, tc.name+": empty "+name, n, err, 0, tc.perr)
				state(t, p, c, filled, tc.perr, cerr)
			}
			for name, f := range reads {
				p, c := at(t, 4, 1, filled)
				tc.end(p, c)
				n, err := f(c)
				want(t, tc.name+": empty "+name, n, err, 0, cerr)
				state(t, p, c, filled, tc.perr, cerr)
			}
		}
	}
}

// A call from inside a callback, a reader or a writer overlaps the call that is
// running. It panics, and the half stays usable.
func TestOverlap(t *testing.T) {
	producer := append(producerCalls[:len(producerCalls):len(producerCalls)],
		call[*Producer]{"Slices", false, 0, func(p *Producer) (int, error) { p.Slices(); return 0, nil }},
		call[*Producer]{"Commit", false, 0, func(p *Producer) (int, error) { return 0, p.Commit(0) }})
	for _, m := range producer {
		p, c := at(t, 4, 3, 2)
		overlap := func() {
			panics(t, "overlapping "+m.name, func() { m.run(p) }, "bytering: overlapping calls of a Producer")
		}
		n, err := p.IOSlices(func(_ [][]byte, n int) (int, error) { overlap(); return 0, nil })
		want(t, "IOSlices around "+m.name, n, err, 0, nil)
		_, err = p.ReadFrom(readerFunc(func([]byte) (int, error) { overlap(); return 0, io.EOF }))
		want(t, "ReadFrom around "+m.name, 0, err, 0, nil)
		fill(t, p, 2)
		state(t, p, c, 4, nil, nil)
	}
	consumer := append(consumerCalls[:len(consumerCalls):len(consumerCalls)],
		call[*Consumer]{"Slices", false, 0, func(c *Consumer) (int, error) { c.Slices(); return 0, nil }},
		call[*Consumer]{"Discard", false, 0, func(c *Consumer) (int, error) { return 0, c.Discard(0) }})
	for _, m := range consumer {
		p, c := at(t, 4, 3, 2)
		overlap := func() {
			panics(t, "overlapping "+m.name, func() { m.run(c) }, "bytering: overlapping calls of a Consumer")
		}
		n, err := c.IOSlices(func(_ [][]byte, n int) (int, error) { overlap(); return 0, nil })
		want(t, "IOSlices around "+m.name, n, err, 0, nil)
		_, err = c.WriteTo(writerFunc(func([]byte) (int, error) { overlap(); return 0, errTest }))
		want(t, "WriteTo around "+m.name, 0, err, 0, errTest)
		p.Close()
		drain(t, c, stream(3, 2), io.EOF)
	}
}

// What any goroutine may call at any time may also be called from inside a
// callback. If the callback closes a half, the close takes precedence over its
// count, but not over its error.
func TestLookingOnFromInside(t *testing.T) {
	for _, cbErr := range []error{nil, errLater} {
		p, c := at(t, 4, 3, 2)
		lost := func(half string, n int, err error) {
			t.Helper()
			if n != 0 || !errors.Is(err, io.ErrClosedPipe) || !errors.Is(err, or(cbErr, io.ErrClosedPipe)) {
				t.Errorf("IOSlices that closes the %s = %d, %v; want 0 and every error", half, n, err)
			}
			if cbErr == nil && err != io.ErrClosedPipe {
				t.Errorf("IOSlices that closes the %s wraps io.ErrClosedPipe alone", half)
			}
		}
		n, err := p.IOSlices(func([][]byte, int) (int, error) {
			state(t, p, c, 2, nil, nil)
			p.CloseWithError(errTest)
			return 1, cbErr
		})
		lost("producer", n, err)
		state(t, p, c, 2, io.ErrClosedPipe, nil)
		n, err = c.IOSlices(func([][]byte, int) (int, error) {
			state(t, p, c, 2, io.ErrClosedPipe, nil)
			c.Close()
			return 1, cbErr
		})
		lost("consumer", n, err)
		state(t, p, c, 2, io.ErrClosedPipe, io.ErrClosedPipe)
	}
}

// WaitEnd waits for the end alone: neither space nor data ends the wait, whatever
// the policy and the number of consumers.
func TestWaitEnd(t *testing.T) {
	var cancel context.CancelCauseFunc
	for _, tc := range []struct {
		name string
		end  func(p *Producer, cs []*Consumer)
		want error
	}{
		{"the consumers close", func(_ *Producer, cs []*Consumer) {
			for _, c := range cs {
				c.Close()
			}
		}, io.ErrClosedPipe},
		{"a consumer's error", func(_ *Producer, cs []*Consumer) {
			for _, c := range cs {
				c.CloseWithError(errTest)
			}
		}, errTest},
		{"the producer closes", func(p *Producer, _ []*Consumer) { p.Close() }, io.ErrClosedPipe},
		{"the deadline", func(p *Producer, _ []*Consumer) { p.SetWriteDeadline(time.Now()) }, os.ErrDeadlineExceeded},
		{"the context", func(*Producer, []*Consumer) { cancel(errTest) }, errTest},
	} {
		for _, consumers := range []int{0, 2} {
			for _, opts := range [][]Option{nil, {Spin(time.Microsecond)}} {
				for _, begin := range []uint64{0, 1<<63 - 4, 1<<63 - 1} {
					synctest.Test(t, func(t *testing.T) {
						var ctx context.Context
						ctx, cancel = context.WithCancelCause(t.Context())
						defer cancel(nil)
						p, cs := some(t, 4, consumers, append(opts, startAt(begin))...)
						p.Write([]byte("abc"))
						var got error
						ended := false
						go func() { got = p.WaitEnd(ctx); ended = true }()
						for _, c := range cs {
							synctest.Wait()
							c.Read(make([]byte, 2))
							c.Read(make([]byte, 2))
							go c.Read(make([]byte, 1)) // parks, and would otherwise take the bytes that come
						}
						synctest.Wait()
						if ended {
							t.Fatalf("%s: WaitEnd ended too early with %v", tc.name, got)
						}
						tc.end(p, cs)
						synctest.Wait()
						if !ended || !errors.Is(got, tc.want) {
							t.Errorf("%s: WaitEnd ended: %t, with %v", tc.name, ended, got)
						}
						closeAll(p, cs)
					})
				}
			}
		}
	}
	p, c := pair(t, 4)
	c.Close()
	if err := p.WaitEnd(t.Context()); err != io.ErrClosedPipe {
		t.Errorf("after the end: %v", err)
	}
}

// WaitSoft waits for all that it wants, or until a consumer waits for more than it
// has. When its deadline passes, it takes what is there.
func TestWaitSoft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 8)
		p.Write([]byte("abcdef"))
		var err error
		ended := false
		wait := func() {
			ended = false
			go func() { err = p.WaitSoft(t.Context(), 5); ended = true }()
			synctest.Wait()
		}
		wait()
		c.Read(make([]byte, 2))
		if synctest.Wait(); ended {
			t.Fatalf("with 4 bytes free: %v", err)
		}
		c.Read(make([]byte, 1))
		if synctest.Wait(); !ended || err != nil {
			t.Fatalf("with 5 bytes free: %t, %v", ended, err)
		}
		p.Write([]byte("ghij"))
		wait()
		go c.Peek(8)
		if synctest.Wait(); !ended || err != nil || p.Free() != 1 {
			t.Fatalf("with a byte free that a consumer waits for: %t, %v", ended, err)
		}
		wait() // the consumer is waiting already
		if !ended || err != nil {
			t.Fatalf("with a byte free, the second time: %t, %v", ended, err)
		}
		p.SetWriteDeadline(time.Now())
		if wait(); !ended || err != os.ErrDeadlineExceeded {
			t.Errorf("after the deadline: %t, %v", ended, err)
		}
		p.SetWriteDeadline(time.Time{})
		p.Close()
		if wait(); !ended || err != io.ErrClosedPipe {
			t.Errorf("after Close: %t, %v", ended, err)
		}
	})
	// A token that an earlier wait left behind does not end this one.
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 8)
		p.Write([]byte("abcdefg"))
		seam.Post(p.ring.producer.target.token)
		ended := false
		go func() { p.WaitSoft(t.Context(), 5); ended = true }()
		if synctest.Wait(); ended {
			t.Error("WaitSoft took a token that was left behind")
		}
		c.Close()
	})
	p, _ := pair(t, 8)
	for _, n := range []int{-1, 9} {
		if err := p.WaitSoft(t.Context(), n); !errors.Is(err, ErrRange) {
			t.Errorf("WaitSoft of %d: %v", n, err)
		}
	}
	p.Write(make([]byte, 8))
	if err := p.WaitSoft(t.Context(), 0); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	if err := p.WaitSoft(ctx, 1); err != errTest {
		t.Error(err)
	}
}
