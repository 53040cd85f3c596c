package pump

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// TestContextEnds cancels copies over net.Pipe, where a write is exact and both
// ends can be interrupted. Copy must return at once.
func TestContextEnds(t *testing.T) {
	for _, tc := range []struct {
		name string
		feed int // bytes that the source has
		take int // bytes that the peer of the sink takes
	}{
		{"at the beginning", 0, 0},
		{"source blocked", 300, 300},
		{"sink blocked, ring empty", 100, 10},
		{"sink blocked, ring full", 5000, 0},
		{"sink blocked in the middle of a write", 5000, 1234},
	} {
		synctest.Test(t, func(t *testing.T) {
			src, feeder := net.Pipe()
			dst, taker := net.Pipe()
			ctx, cancel := cancellable()
			var meter Meter
			done := start(ctx, dst, src, Capacity(1000), WithMeter(&meter))
			go feeder.Write(stream(tc.feed))
			got := make([]byte, tc.take)
			io.ReadFull(taker, got)
			synctest.Wait()
			begin := time.Now()
			cancel()
			r := <-done
			if d := time.Since(begin); d != 0 {
				t.Errorf("%s: Copy took %v, want 0", tc.name, d)
			}
			safe(t, failed(t, r.err, Neither, errTest), int64(tc.take))
			arrived(t, got, int64(tc.take))
			moved(t, r.stats, r.stats.Source.Bytes, int64(tc.take))
			if meter.Stats() != r.stats {
				t.Errorf("%s: the meter has %+v, the stats are %+v", tc.name, meter.Stats(), r.stats)
			}

			// Both ends go on from where they stand.
			all := stream(tc.feed)
			if rest := all[r.stats.Source.Bytes:]; len(rest) > 0 {
				more := make([]byte, len(rest))
				if _, err := io.ReadFull(src, more); err != nil || !bytes.Equal(more, rest) {
					t.Errorf("%s: the source does not go on at %d: %v", tc.name, r.stats.Source.Bytes, err)
				}
			}
			go func() { dst.Write(all[tc.take:]); dst.Close() }()
			more, err := io.ReadAll(taker)
			if err != nil || !bytes.Equal(more, all[tc.take:]) {
				t.Errorf("%s: the sink does not go on at %d: %v", tc.name, tc.take, err)
			}
			feeder.Close()
		})
	}
}

// TestEndsAreUsableAfterCancel checks that the deadlines are cleared.
func TestEndsAreUsableAfterCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, feeder := net.Pipe()
		dst, taker := net.Pipe()
		for range 3 {
			ctx, cancel := cancellable()
			done := start(ctx, dst, src)
			go feeder.Write([]byte("abc"))
			got := make([]byte, 3)
			io.ReadFull(taker, got)
			synctest.Wait()
			cancel()
			r := <-done
			safe(t, failed(t, r.err, Neither, errTest), 3)
			if string(got) != "abc" {
				t.Errorf("got %q", got)
			}
		}
		done := start(context.Background(), dst, src)
		time.Sleep(time.Hour) // no timer may be left
		feeder.Close()
		if r := <-done; r.err != nil {
			t.Errorf("the next copy: %v", r.err)
		}
		taker.Close()
	})
}

// A blocker blocks in a call until it is released, whatever else is done to it.
type blocker struct{ release chan struct{} }

func newBlocker() blocker { return blocker{make(chan struct{})} }

func (b blocker) Read(buf []byte) (int, error)  { <-b.release; return len(buf), nil }
func (b blocker) Write(buf []byte) (int, error) { <-b.release; return len(buf), nil }

// TestSourceLeftBehind checks that Copy returns after the grace and that the bytes
// of a later read are not counted anywhere.
func TestSourceLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, sinkFails := range []bool{false, true} {
			ctx, cancel := cancellable()
			src := newBlocker()
			var meter Meter
			var got bytes.Buffer
			dst := io.Writer(&got)
			if sinkFails {
				sink := limited(&got, 10, errTest)
				dst = writerFunc(func(b []byte) (int, error) {
					synctest.Wait() // until the source is in the read that blocks
					return sink.Write(b)
				})
			}
			calls := 0
			done := start(ctx, dst, io.MultiReader(bytes.NewReader(stream(10)), readerFunc(func(b []byte) (int, error) {
				if calls++; calls == 1 && sinkFails {
					return 1, nil
				}
				return src.Read(b)
			})), WithMeter(&meter))
			begin, side := time.Now(), Sink
			if !sinkFails {
				side = Neither
				synctest.Wait()
				cancel()
			}
			r := <-done
			if d := time.Since(begin); d != grace {
				t.Errorf("Copy took %v, want %v", d, grace)
			}
			safe(t, failed(t, r.err, side, errTest), 10)
			before := meter.Stats()
			close(src.release)
			synctest.Wait()
			arrived(t, got.Bytes(), 10)
			if after := meter.Stats(); after != before || after != r.stats {
				t.Errorf("the meter changed from %+v to %+v; the stats are %+v", before, after, r.stats)
			}
		}
	})
}

// TestSinkLeftBehind checks that Pending is the number of bytes that the write may
// still deliver.
func TestSinkLeftBehind(t *testing.T) {
	for _, tc := range []struct {
		name     string
		vectored bool
		before   int // bytes written before the write that blocks
		maxCall  int
		pending  int64
	}{
		{"before the wrap", false, 0, 100, 5},
		{"largest call", false, 0, 3, 3},
		{"plain at the wrap", false, 9, 100, 1},
		{"vectored at the wrap", true, 9, 100, 5},
		{"vectored at the wrap, largest call", true, 9, 3, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := cancellable()
			block, blocked := newBlocker(), make(chan struct{})
			var got bytes.Buffer
			write := func(bufs [][]byte) (int, error) {
				synctest.Wait() // until the ring is full
				if got.Len() == tc.before {
					close(blocked)
					<-block.release
				}
				return got.Write(bytes.Join(bufs, nil)[:min(3, len(bufs[0]))])
			}
			dst := io.Writer(writevFunc(write))
			maxCall := tc.maxCall
			if !tc.vectored {
				dst = writerFunc(func(b []byte) (int, error) { return write([][]byte{b}) })
				if tc.before > 0 {
					maxCall = 3 // with a larger call the short write would be an error
				}
			}
			done := start(ctx, dst, endless(), Capacity(10), MaxCall(maxCall))
			<-blocked
			begin := time.Now()
			cancel()
			r := <-done
			if d := time.Since(begin); d != grace {
				t.Errorf("%s: Copy took %v, want %v", tc.name, d, grace)
			}
			e := failed(t, r.err, Neither, errTest)
			if e.Written != int64(tc.before) || e.Pending != tc.pending {
				t.Errorf("%s: %d written and %d pending, want %d and %d", tc.name, e.Written, e.Pending, tc.before, tc.pending)
			}
			close(block.release)
			synctest.Wait()
			if late := int64(got.Len()) - e.Written; late < 0 || late > e.Pending {
				t.Errorf("%s: %d bytes came late, but %d were pending", tc.name, late, e.Pending)
			}
			arrived(t, got.Bytes(), int64(got.Len()))
		})
	}
}

// TestBothLeftBehind checks that both sides share one grace.
func TestBothLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := cancellable()
		src, dst := newBlocker(), newBlocker()
		done := start(ctx, dst, io.MultiReader(bytes.NewReader(stream(10)), src))
		synctest.Wait()
		begin := time.Now()
		cancel()
		r := <-done
		if d := time.Since(begin); d != grace {
			t.Errorf("Copy took %v, want %v", d, grace)
		}
		e := failed(t, r.err, Neither, errTest)
		if e.Written != 0 || e.Pending != 10 {
			t.Errorf("%d written and %d pending, want 0 and 10", e.Written, e.Pending)
		}
		if want := "pump: stopped: test error; at least 0 bytes written"; e.Error() != want {
			t.Errorf("error %q, want %q", e, want)
		}
		close(src.release)
		close(dst.release)
	})
}

// TestParkedSideEnds checks that a side that waits for the ring is not left behind
// together with the other side. Its end is free at once.
func TestParkedSideEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := newBlocker()
		for _, left := range []Side{Source, Sink} {
			conn, peer := net.Pipe()
			parked := &deadlined{Conn: conn}
			src, dst := io.Reader(parked), io.Writer(parked)
			if left == Source {
				src = io.MultiReader(bytes.NewReader(stream(10)), block)
				go io.ReadFull(peer, make([]byte, 10))
			} else {
				dst = block
				go peer.Write(stream(10 + 512)) // ReadFrom takes these into the ring and the spill
			}
			ctx, cancel := cancellable()
			done := start(ctx, dst, src, Capacity(10))
			synctest.Wait()
			cancel()
			failed(t, (<-done).err, Neither, errTest)
			if len(parked.set) > 0 {
				t.Errorf("the %v is left behind, and the other side, which is not in a call, gets the deadlines %q", left, parked.set)
			}
			conn.Close()
		}
		close(block.release)
	})
}

// TestNoCallAfterStop checks that no call is made after a stop, even by a goroutine
// that was about to make one.
func TestNoCallAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlow(writerFunc(func([]byte) (int, error) { t.Error("written"); return 0, nil }),
			readerFunc(func([]byte) (int, error) { t.Error("read"); return 0, nil }), configure(nil), seam.NewToken())
		f.in.stop()
		f.out.stop()
		if n, err := f.in.Read(make([]byte, 10)); n != 0 || err != errStopped {
			t.Errorf("Read = %d, %v", n, err)
		}
		if n, err := f.out.Writev([][]byte{make([]byte, 10)}); n != 0 || err != errStopped {
			t.Errorf("Write = %d, %v", n, err)
		}
		if err := f.out.beginSplice(10); err != errStopped {
			t.Errorf("beginSplice = %v", err)
		}
	})
}

// TestReturnsWithinTheGrace checks that a call that cannot be interrupted, but
// returns in time, counts, and that no further call is made.
func TestReturnsWithinTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := cancellable()
		var got bytes.Buffer
		done := start(ctx, writerFunc(func(b []byte) (int, error) {
			time.Sleep(grace / 2)
			return got.Write(b)
		}), endless(), Capacity(10))
		synctest.Wait()
		cancel()
		r := <-done
		safe(t, failed(t, r.err, Neither, errTest), int64(got.Len()))
		if got.Len() == 0 {
			t.Error("the write is not counted")
		}
		arrived(t, got.Bytes(), int64(got.Len()))
	})
}

// A deadlined end records the deadlines that are set on it.
type deadlined struct {
	net.Conn
	mu  sync.Mutex
	set []string
	err error
}

func (d *deadlined) note(what string, at time.Time) error {
	if at.IsZero() {
		what += " none"
	} else if at.Before(time.Now()) {
		what += " past"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set = append(d.set, what)
	return d.err
}

func (d *deadlined) SetReadDeadline(at time.Time) error {
	if err := d.note("read", at); err != nil {
		return err
	}
	return d.Conn.SetReadDeadline(at)
}

func (d *deadlined) SetWriteDeadline(at time.Time) error {
	if err := d.note("write", at); err != nil {
		return err
	}
	return d.Conn.SetWriteDeadline(at)
}

// TestDeadlines checks that only an end that must be interrupted gets a deadline,
// and that each deadline is cleared.
func TestDeadlines(t *testing.T) {
	type test struct {
		name     string
		run      func(ctx context.Context, cancel func(), src, dst *deadlined, feeder, taker net.Conn)
		src, dst []string
	}
	for _, tc := range []test{
		{"success", func(ctx context.Context, _ func(), src, dst *deadlined, feeder, taker net.Conn) {
			go func() { feeder.Write(stream(10)); feeder.Close() }()
			go io.Copy(io.Discard, taker)
			Copy(ctx, dst, src)
		}, nil, nil},
		{"source fails", func(ctx context.Context, _ func(), src, dst *deadlined, feeder, taker net.Conn) {
			src.Close()
			Copy(ctx, dst, src)
		}, nil, nil},
		{"sink fails after the source", func(ctx context.Context, _ func(), src, dst *deadlined, feeder, taker net.Conn) {
			go func() { feeder.Write(stream(10)); feeder.Close(); synctest.Wait(); taker.Close() }()
			Copy(ctx, dst, src)
		}, nil, nil},
		{"sink fails", func(ctx context.Context, _ func(), src, dst *deadlined, feeder, taker net.Conn) {
			go func() { feeder.Write(stream(10)); synctest.Wait(); taker.Close() }()
			Copy(ctx, dst, src)
		}, []string{"read past", "read none"}, nil},
		{"context ends", func(ctx context.Context, cancel func(), src, dst *deadlined, feeder, taker net.Conn) {
			go func() { feeder.Write(stream(10)); synctest.Wait(); cancel() }()
			Copy(ctx, dst, src)
		}, []string{"read past", "read none"}, []string{"write past", "write none"}},
		{"context ends after the source", func(ctx context.Context, cancel func(), src, dst *deadlined, feeder, taker net.Conn) {
			go func() { feeder.Write(stream(10)); feeder.Close(); synctest.Wait(); cancel() }()
			Copy(ctx, dst, src)
		}, nil, []string{"write past", "write none"}},
		{"none to be had", func(ctx context.Context, cancel func(), src, dst *deadlined, feeder, taker net.Conn) {
			src.err, dst.err = errTest, errTest
			go func() { feeder.Write(stream(10)); synctest.Wait(); cancel() }()
			Copy(ctx, dst, src)
		}, []string{"read past"}, []string{"write past"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, feeder := net.Pipe()
			b, taker := net.Pipe()
			src, dst := &deadlined{Conn: a}, &deadlined{Conn: b}
			ctx, cancel := cancellable()
			tc.run(ctx, cancel, src, dst, feeder, taker)
			if !slices.Equal(src.set, tc.src) || !slices.Equal(dst.set, tc.dst) {
				t.Errorf("%s: the source gets %q and the sink %q, want %q and %q", tc.name, src.set, dst.set, tc.src, tc.dst)
			}
			for _, c := range []net.Conn{a, b, feeder, taker} {
				c.Close()
			}
		})
	}
}

// TestDeadlineOfACallLeftBehind checks that the deadline stays set until the call
// returns. Without it the call would wait on.
func TestDeadlineOfACallLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := cancellable()
		src := &deaf{blocker: newBlocker()}
		done := start(ctx, io.Discard, src)
		synctest.Wait()
		cancel()
		failed(t, (<-done).err, Neither, errTest)
		synctest.Wait()
		if src.deadline.IsZero() {
			t.Error("the deadline is cleared while the call is under way")
		}
		close(src.release)
		synctest.Wait()
		if !src.deadline.IsZero() {
			t.Error("the deadline is not cleared after the call")
		}
	})
}

// A deaf end takes a deadline and does not obey it.
type deaf struct {
	blocker
	deadline time.Time
}

func (d *deaf) SetReadDeadline(at time.Time) error { d.deadline = at; return nil }
