package async_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

// The end of the context, of the consumers or of the producer interrupts a source
// that can be interrupted. The bytes that were complete are committed.
func TestFillStopped(t *testing.T) {
	for _, depth := range []int{1, 4} {
		for _, tc := range []struct {
			name string
			stop func(cancel context.CancelCauseFunc, p *bytering.Producer, c *bytering.Consumer)
			err  error
		}{
			{"ctx", func(cancel context.CancelCauseFunc, _ *bytering.Producer, _ *bytering.Consumer) { cancel(errTest) }, errTest},
			{"consumer", func(_ context.CancelCauseFunc, _ *bytering.Producer, c *bytering.Consumer) { c.CloseWithError(errTest) }, errTest},
			{"producer", func(_ context.CancelCauseFunc, p *bytering.Producer, _ *bytering.Consumer) { p.Close() }, io.ErrClosedPipe},
		} {
			if depth == 1 && tc.name != "ctx" {
				continue // noticed when the call returns
			}
			for _, capacity := range []int{500, 300} { // the blocks in flight fill the ring, or not
				synctest.Test(t, func(t *testing.T) {
					p, c := pair(t, capacity)
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					began := time.Now()
					time.AfterFunc(time.Second, func() { tc.stop(cancel, p, c) })
					s, err := async.Fill(ctx, p, ctxReader(func(ctx context.Context, b []byte, off int64) (int, error) {
						if off < 100 {
							return len(b), nil
						}
						<-ctx.Done()
						return 1, ctx.Err()
					}), async.Block(100), async.Depth(depth))
					if d := time.Since(began); d != time.Second || !errors.Is(err, tc.err) || s.Safe < 100 {
						t.Errorf("%s: after %v: error %v, stats %+v", tc.name, d, err, s)
					}
				})
			}
		}
	}
}

// Fill waits for a source that cannot be interrupted, so that the source does not
// use the ring's memory after Fill has returned.
func TestFillWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 1000)
		began := time.Now()
		time.AfterFunc(time.Second, func() { c.Close() })
		_, err := async.Fill(t.Context(), p, readerAt(func(b []byte, off int64) (int, error) {
			time.Sleep(time.Minute)
			return copy(b, "x"), nil
		}), async.Block(100))
		if d := time.Since(began); d != time.Minute || err != io.ErrClosedPipe {
			t.Errorf("after %v: error %v", d, err)
		}
	})
}

func TestFillDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := pair(t, 300)
		p.SetWriteDeadline(time.Now().Add(time.Millisecond))
		if s, err := async.Fill(t.Context(), p, readerAt(func(b []byte, off int64) (int, error) { return len(b), nil }), async.Block(100)); !errors.Is(err, os.ErrDeadlineExceeded) || s.Safe != 300 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestFillContextEnded(t *testing.T) {
	p, _ := pair(t, 300)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	if s, err := async.Fill(ctx, p, readerAt(func(b []byte, off int64) (int, error) { t.Error("read"); return 0, io.EOF })); err != errTest || s.Safe != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// panicking returns an operation that panics at byte 100. The operations beyond it
// last until they are interrupted.
func panicking(running *atomic.Int32) func(ctx context.Context, b []byte, off int64) (int, error) {
	first := make(chan struct{})
	return func(ctx context.Context, b []byte, off int64) (int, error) {
		running.Add(1)
		defer running.Add(-1)
		switch {
		case off == 0:
			close(first)
		case off == 100:
			<-first // after the panic the first operation might not begin
			panic(errTest)
		case off > 100:
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return len(b), nil
	}
}

// A panic comes out of Fill after the other operations have ended. The ring stays
// usable.
func TestFillPanics(t *testing.T) {
	for _, depth := range []int{1, 4} {
		p, c := pair(t, 500)
		var running atomic.Int32
		v := recovered(func() {
			async.Fill(t.Context(), p, ctxReader(panicking(&running)), async.Block(100), async.Depth(depth))
		})
		if v != errTest || running.Load() != 0 {
			t.Errorf("depth %d: panicked with %v, %d reads are still running", depth, v, running.Load())
		}
		if _, err := p.Write([]byte("more")); err != nil {
			t.Error(err)
		}
		p.Close()
		if b, err := io.ReadAll(c); string(b) != string(make([]byte, 100))+"more" || err != nil {
			t.Errorf("depth %d: %q, %v", depth, b, err)
		}
		exited := make(chan bool)
		p, _ = pair(t, 500)
		go func() {
			defer close(exited)
			async.Fill(t.Context(), p, readerAt(func([]byte, int64) (int, error) { runtime.Goexit(); return 0, nil }), async.Depth(depth))
			t.Error("Fill returned after runtime.Goexit in the source")
		}()
		<-exited
		p.Slices() // the ring is its owner's again
	}
}

func TestDrainStopped(t *testing.T) {
	for _, depth := range []int{1, 4} {
		for _, filled := range []int{100, 900} {
			for _, tc := range []struct {
				name string
				stop func(cancel context.CancelCauseFunc, c *bytering.Consumer)
				err  error
			}{
				{"ctx", func(cancel context.CancelCauseFunc, _ *bytering.Consumer) { cancel(errTest) }, errTest},
				{"consumer", func(_ context.CancelCauseFunc, c *bytering.Consumer) { c.Close() }, io.ErrClosedPipe},
			} {
				if tc.name == "consumer" && filled == 900 {
					continue // noticed when an operation ends
				}
				synctest.Test(t, func(t *testing.T) {
					p, c := pair(t, 1000)
					p.Write(make([]byte, filled))
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					began := time.Now()
					time.AfterFunc(time.Second, func() { tc.stop(cancel, c) })
					s, err := async.Drain(ctx, c, ctxWriter(func(ctx context.Context, b []byte, off int64) (int, error) {
						if off < 100 {
							return len(b), nil
						}
						<-ctx.Done()
						return 1, ctx.Err()
					}), async.Block(100), async.Depth(depth))
					if d := time.Since(began); d != time.Second || !errors.Is(err, tc.err) || s.Safe < 100 {
						t.Errorf("%s, depth %d, %d bytes: after %v: error %v, stats %+v", tc.name, depth, filled, d, err, s)
					}
				})
			}
		}
	}
}

func TestDrainDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 300)
		p.Write(make([]byte, 50))
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if s, err := async.Drain(t.Context(), c, new(file), async.Block(100)); !errors.Is(err, os.ErrDeadlineExceeded) || s.Safe != 0 {
			t.Errorf("%+v, %v", s, err)
		}
		if n, err := c.Read(make([]byte, 100)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(n, err)
		}
		c.SetReadDeadline(time.Time{})
		if n, err := c.Read(make([]byte, 100)); n != 50 || err != nil {
			t.Error("the ring is not usable:", n, err)
		}
	})
}

func TestDrainPanics(t *testing.T) {
	for _, depth := range []int{1, 4} {
		p, c := pair(t, 500)
		p.Write(make([]byte, 500))
		var running atomic.Int32
		v := recovered(func() {
			async.Drain(t.Context(), c, ctxWriter(panicking(&running)), async.Block(100), async.Depth(depth))
		})
		if v != errTest || running.Load() != 0 || c.Position() != 100 {
			t.Errorf("depth %d: panicked with %v, %d writes are still running, %d bytes are safe", depth, v, running.Load(), c.Position())
		}
	}
}

// The memory of a mapped ring stays mapped while an operation that cannot be
// interrupted uses it, even if both halves are closed. Otherwise the operation
// would fault.
func TestMappedMemoryStays(t *testing.T) {
	for _, fills := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p, c, err := bytering.New(1<<16, bytering.Prefault())
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skip(err)
			}
			must(err)
			time.AfterFunc(time.Second, func() { p.Close(); c.Close() })
			move := func(b []byte, off int64) (int, error) {
				time.Sleep(time.Duration(off>>13) * time.Minute) // one operation ends after the other
				for i := range b {
					b[i]++
				}
				return len(b), nil
			}
			opts := []async.Option{async.Block(1 << 13), async.Depth(3)}
			var s async.Stats
			if fills {
				s, err = async.Fill(t.Context(), p, readerAt(move), opts...)
			} else {
				p.Write(make([]byte, 1<<16))
				s, err = async.Drain(t.Context(), c, writerAt(move), opts...)
			}
			if err != io.ErrClosedPipe || s.Safe != 1<<13 || c.Limits() {
				t.Errorf("fills: %t; error %v, stats %+v, limits: %t", fills, err, s, c.Limits())
			}
		})
	}
}

// A closed consumer, one of several, limits the producer until no operation uses
// its bytes any longer, so the bytes are not overwritten.
func TestBroadcastMemoryStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, cs, err := bytering.NewBroadcast(1000, 2)
		must(err)
		want := data(3000)
		go func() { p.Write(want); p.Close() }()
		other := collect(cs[1])
		time.AfterFunc(time.Second, func() { cs[0].Close() })
		s, err := async.Drain(t.Context(), cs[0], writerAt(func(b []byte, off int64) (int, error) {
			time.Sleep(time.Duration(off/200) * time.Minute) // one operation ends after the other
			same(t, "after the close", b, want[off:off+int64(len(b))])
			return len(b), nil
		}), async.Block(100), async.Depth(4))
		if err != io.ErrClosedPipe || s.Safe != 200 {
			t.Errorf("%+v, %v", s, err)
		}
		b, err := other()
		must(err)
		same(t, "the other consumer", b, want)
	})
}
