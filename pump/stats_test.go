package pump

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// slowReader returns a reader that takes a second for each read of at most 100
// bytes.
func slowReader(r io.Reader) io.Reader {
	return readerFunc(func(b []byte) (int, error) {
		time.Sleep(time.Second)
		return r.Read(b[:min(len(b), 100)])
	})
}

// slowWriter returns a writer that takes a second for each write.
func slowWriter(w io.Writer) io.Writer {
	return writerFunc(func(b []byte) (int, error) {
		time.Sleep(time.Second)
		return w.Write(b)
	})
}

// TestStats lets time advance only in the slow end, so that the times of both sides
// are known.
func TestStats(t *testing.T) {
	const s = time.Second
	for _, tc := range []struct {
		name     string
		src      func(io.Reader) io.Reader
		dst      func(io.Writer) io.Writer
		capacity int
		want     Stats
	}{
		{"slow source", slowReader, nil, 1000, Stats{
			Source: SideStats{Bytes: 1000, Calls: 11, Busy: 11 * s}, // the last call returns the end
			Sink:   SideStats{Bytes: 1000, Calls: 10, Waited: 10 * s},
		}},
		// Writes of 100 bytes take a second each, and the ring has room for two. The
		// source waits for nine of them before it sees the end.
		{"slow sink", nil, slowWriter, 200, Stats{
			Source: SideStats{Bytes: 1000, Calls: 11, Waited: 8 * s},
			Sink:   SideStats{Bytes: 1000, Calls: 10, Busy: 10 * s},
		}},
		{"both fast", nil, nil, 200, Stats{
			Source: SideStats{Bytes: 1000, Calls: 11},
			Sink:   SideStats{Bytes: 1000, Calls: 10},
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var src io.Reader = bytes.NewReader(stream(1000))
			if tc.src != nil {
				src = tc.src(src)
			}
			var dst io.Writer = io.Discard
			if tc.dst != nil {
				dst = tc.dst(dst)
			}
			var meter Meter
			stats, err := Copy(context.Background(), dst, src, Capacity(tc.capacity), MaxCall(100), WithMeter(&meter))
			if err != nil {
				t.Fatal(err)
			}
			if stats != tc.want {
				t.Errorf("%s: the stats are %+v, want %+v", tc.name, stats, tc.want)
			}
			if got := meter.Stats(); got != stats {
				t.Errorf("%s: the meter has %+v, the stats are %+v", tc.name, got, stats)
			}
		})
	}
}

// TestMeterIsLive checks that a meter counts while the copy runs.
func TestMeterIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var meter Meter
		src, feed := net.Pipe()
		dst, drain := net.Pipe()
		done := start(context.Background(), dst, src, WithMeter(&meter))
		for i := int64(1); i <= 3; i++ {
			feed.Write(stream(10))
			synctest.Wait()
			moved(t, meter.Stats(), 10*i, 10*i-10)
			io.ReadFull(drain, make([]byte, 10))
			synctest.Wait()
			moved(t, meter.Stats(), 10*i, 10*i)
		}
		feed.Close()
		if r := <-done; r.err != nil || r.stats.Sink.Bytes != 30 {
			t.Errorf("%+v", r)
		}
		drain.Close()
	})
}

// TestMeterIsNeverAhead checks that an onlooker never sees more bytes written than
// read.
func TestMeterIsNeverAhead(t *testing.T) {
	var meter Meter
	src := bytes.NewReader(stream(100_000))
	done := start(context.Background(), io.Discard, src, Capacity(2), WithMeter(&meter))
	for {
		if s := meter.Stats(); s.Sink.Bytes > s.Source.Bytes {
			t.Fatalf("%d bytes are written, but only %d were read", s.Sink.Bytes, s.Source.Bytes)
		}
		select {
		case r := <-done:
			if r.err != nil {
				t.Error(r.err)
			}
			return
		default:
		}
	}
}

// TestFailedCallsCount checks that calls that failed are counted, even if their
// byte count was refused.
func TestFailedCallsCount(t *testing.T) {
	for _, n := range []int{0, 2, -1, 1 << 30} {
		stats, err := Copy(context.Background(), writerFunc(func([]byte) (int, error) { return n, errTest }), bytes.NewReader(stream(10)))
		failed(t, err, Sink, errTest)
		if n < 0 || n > 10 {
			n = 0
		}
		if stats.Sink.Calls != 1 || stats.Sink.Bytes != int64(n) {
			t.Errorf("%+v after a call that returned %d", stats.Sink, n)
		}
	}
}

// TestAllocations checks that a copy allocates at its start and not for its bytes.
func TestAllocations(t *testing.T) {
	allocs := func(size int64) float64 {
		return testing.AllocsPerRun(5, func() {
			src := io.LimitReader(readerFunc(func(b []byte) (int, error) { return len(b), nil }), size)
			if stats, err := Copy(context.Background(), io.Discard, src, Capacity(4096)); err != nil || stats.Sink.Bytes != size {
				t.Errorf("%d bytes, %v", stats.Sink.Bytes, err)
			}
		})
	}
	small, large := allocs(1<<12), allocs(1<<25)
	t.Logf("%.0f and %.0f allocations", small, large)
	if large > small+10 {
		t.Errorf("%.0f allocations for 32 MiB, %.0f for 4 KiB", large, small)
	}
}
