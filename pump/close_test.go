package pump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"

	"github.com/bytering/bytering/internal/seam"
)

// TestProducerClosed closes the producer while the source waits. That is a failure
// of the source, and the bytes in the ring arrive.
func TestProducerClosed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		deaf   bool
		err    error // given to the producer's CloseWithError
		want   error
		cancel time.Duration // time after the close, or 0 for no cancel
		takes  time.Duration
	}{
		{"a connection", false, nil, io.ErrClosedPipe, 0, 0},
		{"a connection, with an error", false, errOther, errOther, 0, 0},
		{"left behind", true, nil, io.ErrClosedPipe, 0, grace},
		{"left behind, then cancelled", true, nil, io.ErrClosedPipe, grace / 2, grace},
		{"left behind, cancelled at once", true, nil, io.ErrClosedPipe, 1, grace},
		{"cancelled after that", true, nil, io.ErrClosedPipe, 2 * grace, grace},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, c, err := bytering.New(100)
			if err != nil {
				t.Fatal(err)
			}
			src, feed := net.Pipe()
			from, block := io.Reader(src), newBlocker()
			if tc.deaf {
				from = io.MultiReader(io.LimitReader(src, 10), block)
			}
			ctx, cancel := cancellable()
			var got bytes.Buffer
			done := start(ctx, &got, from, Ring(p, c))
			feed.Write(stream(10))
			synctest.Wait()
			begin := time.Now()
			p.CloseWithError(tc.err)
			if tc.cancel > 0 {
				time.Sleep(tc.cancel)
				cancel()
			}
			r := <-done
			if d := time.Since(begin); d != max(tc.takes, tc.cancel) {
				t.Errorf("%s: Copy took %v, want %v", tc.name, d, tc.takes)
			}
			if tc.cancel > 0 && tc.cancel < grace {
				safe(t, failed(t, r.err, Neither, errTest), 10)
				if both, ok := r.err.(interface{ Unwrap() []error }); ok {
					r.err = both.Unwrap()[1]
				}
			}
			if e := failed(t, r.err, Source, tc.want); e != r.err || e.Offset != 10 {
				t.Errorf("%s: error %v, want the source's alone, at byte 10", tc.name, r.err)
			}
			arrived(t, got.Bytes(), 10)
			if c.Err() == nil {
				t.Errorf("%s: the consumer is open", tc.name)
			}
			close(block.release)
			feed.Close()
		})
	}
}

// TestConsumerClosed closes the consumer while each side waits in a call or for the
// ring. That is a failure of the sink alone, and a waiting side is interrupted.
func TestConsumerClosed(t *testing.T) {
	for _, tc := range []struct {
		name string
		feed int
		take int
	}{
		{"source silent", 10, 10},
		{"sink silent", 500, 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, c, err := bytering.New(100)
			if err != nil {
				t.Fatal(err)
			}
			src, feed := net.Pipe()
			dst, drain := net.Pipe()
			done := start(context.Background(), dst, src, Ring(p, c))
			go feed.Write(stream(tc.feed))
			io.ReadFull(drain, make([]byte, tc.take))
			synctest.Wait()
			begin := time.Now()
			c.CloseWithError(errOther)
			r := <-done
			if d := time.Since(begin); d != 0 {
				t.Errorf("%s: Copy took %v, want 0", tc.name, d)
			}
			// The consumer's own calls return io.ErrClosedPipe, the producer's return
			// the error.
			e, ok := r.err.(*Error)
			if !ok || e.Side != Sink || e.Err != io.ErrClosedPipe && e.Err != errOther {
				t.Errorf("%s: error %v, want the sink's alone", tc.name, r.err)
			}
			for _, c := range []net.Conn{src, feed, dst, drain} {
				c.Close()
			}
		})
	}
}

// TestBroadcastSinkFails checks that a failing sink ends Copy at once, with both
// halves closed and the sink's error alone, whatever the other consumer does. The
// other consumer does not take the stream for complete.
func TestBroadcastSinkFails(t *testing.T) {
	for _, closed := range []bool{false, true} {
		for range 300 {
			synctest.Test(t, func(t *testing.T) {
				p, cs, err := bytering.NewBroadcast(100, 2)
				if err != nil {
					t.Fatal(err)
				}
				if closed {
					cs[1].Close()
				}
				begin := time.Now()
				_, err = Copy(t.Context(), limited(io.Discard, 0, errTest), endless(), Ring(p, cs[0]))
				if d := time.Since(begin); d != 0 {
					t.Errorf("Copy took %v, want 0", d)
				}
				if e, ok := err.(*Error); !ok || e.Side != Sink || e.Err != errTest {
					t.Errorf("error %v, want the sink's alone", err)
				}
				if p.Err() == nil || cs[0].Err() == nil {
					t.Errorf("Err of the halves is %v and %v", p.Err(), cs[0].Err())
				}
				if closed {
					return
				}
				if _, err := io.Copy(io.Discard, cs[1]); !errors.Is(err, errTest) {
					t.Errorf("the other consumer gets %v", err)
				}
			})
		}
	}
}

// TestOtherConsumers checks that another consumer gets io.EOF only if the stream
// was complete.
func TestOtherConsumers(t *testing.T) {
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	for name, tc := range map[string]struct {
		ctx  context.Context
		src  io.Reader
		want error
		text string
	}{
		"whole":         {t.Context(), bytes.NewReader(stream(50)), nil, ""},
		"source failed": {t.Context(), io.MultiReader(bytes.NewReader(stream(50)), iotest.ErrReader(errTest)), errTest, "pump: source failed: test error"},
		"context ended": {ended, bytes.NewReader(nil), errTest, "pump: stopped: test error"},
	} {
		p, cs, err := bytering.NewBroadcast(100, 2)
		if err != nil {
			t.Fatal(err)
		}
		Copy(tc.ctx, io.Discard, tc.src, Ring(p, cs[0]))
		if _, err := io.Copy(io.Discard, cs[1]); !errors.Is(err, tc.want) || err != nil && err.Error() != tc.text {
			t.Errorf("%s: the other consumer gets %v, want %v", name, err, tc.want)
		}
	}
}

// A jumpy end panics or exits its goroutine when a deadline is set on it.
type jumpy struct {
	net.Conn
	jump func()
}

func (j jumpy) SetReadDeadline(time.Time) error  { j.jump(); return nil }
func (j jumpy) SetWriteDeadline(time.Time) error { j.jump(); return nil }

// TestSetterPanics checks that a panic of a deadline setter comes out of Copy and
// of Relay, and that the other side is stopped as in any other failure.
func TestSetterPanics(t *testing.T) {
	for name, relay := range map[string]bool{"Copy": false, "Relay": true} {
		for _, side := range []Side{Source, Sink} {
			synctest.Test(t, func(t *testing.T) {
				a, feed := net.Pipe()
				b, drain := net.Pipe()
				bad, good := jumpy{a, func() { panic(errTest) }}, &deadlined{Conn: b}
				src, dst := net.Conn(bad), net.Conn(good)
				if side == Sink {
					src, dst, feed, drain = good, bad, drain, feed
				}
				ctx, cancel := cancellable()
				p, c, err := bytering.New(100)
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					feed.Write(stream(10)) // the source then waits, and so does the sink
					synctest.Wait()
					cancel()
				}()
				defer func() {
					for _, c := range []net.Conn{a, feed, b, drain} {
						c.Close() // ends the call of the side whose setter panicked
					}
				}()
				v := panicked(func() {
					if relay {
						Relay(ctx, src, dst)
					} else {
						Copy(ctx, dst, src, Ring(p, c))
					}
				})
				if v != errTest {
					t.Errorf("%s, %v: recovered %v", name, side, v)
				}
				if n := len(good.set); n%2 != 0 || n == 0 {
					t.Errorf("%s, %v: the other side gets the deadlines %q", name, side, good.set)
				}
				if !relay && (p.Err() == nil || c.Err() == nil) {
					t.Errorf("%s, %v: Err of the halves is %v and %v", name, side, p.Err(), c.Err())
				}
			})
		}
	}
}

// A setter runs when a deadline for writes is set.
type setter func()

func (s setter) SetWriteDeadline(time.Time) error { s(); return nil }

// TestPanicGetsNoDeadline checks that a side whose call panicked is not
// interrupted.
func TestPanicGetsNoDeadline(t *testing.T) {
	jumps := 0
	dst := struct {
		io.Writer
		setter
	}{writerFunc(func([]byte) (int, error) { panic(errTest) }), func() { jumps++ }}
	if v := panicked(func() { Copy(t.Context(), dst, endless()) }); v != errTest {
		t.Errorf("recovered %v", v)
	}
	if jumps > 0 {
		t.Errorf("%d deadlines were set, want none", jumps)
	}
}

// TestContextEndsAfterTheSink checks that a context that ends after the last write
// does not make the copy fail.
func TestContextEndsAfterTheSink(t *testing.T) {
	ctx, cancel := cancellable()
	cfg := configure(nil)
	if err := cfg.check(nil, nil); err != nil {
		t.Fatal(err)
	}
	f := newFlow(io.Discard, bytes.NewReader(stream(10)), cfg, seam.NewToken())
	f.startSink = func() {}
	f.in.run(f.feed)
	f.end(nil)
	f.out.run(f.drain)
	cancel()
	f.watch(ctx)
	if stats, err := f.finish(ctx); err != nil || stats.Sink.Bytes != 10 {
		t.Errorf("%d bytes, %v", stats.Sink.Bytes, err)
	}
}
