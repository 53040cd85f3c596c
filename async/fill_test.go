package async_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

// fill runs Fill over a ring and returns what came out of it.
func fill(t *testing.T, capacity int, src io.ReaderAt, opts ...async.Option) ([]byte, async.Stats, error) {
	t.Helper()
	p, c := pair(t, capacity)
	got := collect(c)
	s, err := async.Fill(t.Context(), p, src, opts...)
	p.Close()
	b, e := got()
	if e != nil {
		t.Fatal(e)
	}
	if s.Safe != int64(len(b)) || s.InFlight != 0 {
		t.Errorf("Stats %+v for %d bytes", s, len(b))
	}
	return b, s, err
}

// On rings of every kind all arrives, in order, whatever the sizes are and
// wherever the ring begins.
func TestFillRings(t *testing.T) {
	want := data(20_000)
	for _, tc := range []struct {
		name     string
		capacity int
		begin    int // bytes through the ring before that
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
				p, cs, err := bytering.NewBroadcast(tc.capacity, consumers, tc.opts...)
				if errors.Is(err, errors.ErrUnsupported) {
					continue
				}
				must(err)
				for range tc.begin {
					must(p.WriteByte(0))
					for _, c := range cs {
						c.ReadByte()
					}
				}
				var gots []func() ([]byte, error)
				for _, c := range cs {
					gots = append(gots, collect(c))
				}
				s, err := async.Fill(t.Context(), p, bytes.NewReader(want), async.Depth(depth), async.Block(512), async.Offset(3))
				p.Close()
				for _, got := range gots {
					b, e := got()
					same(t, tc.name, b, want[3:])
					must(e)
				}
				for _, c := range cs {
					c.Close()
				}
				size := min(512, p.Cap())
				if want := min(depth, max(1, p.Cap()/size-1)); err != nil || s.Safe != 20_000-3 || s.Depth != want || s.Head != 20_000 {
					t.Errorf("%s, depth %d: %+v, %v", tc.name, depth, s, err)
				}
			}
		}
	}
}

// Each result of a source, at depths with and without goroutines.
func TestFillResults(t *testing.T) {
	want := data(1000)
	whole := bytes.NewReader(want)
	for _, depth := range []int{1, 4} {
		for _, tc := range []struct {
			name string
			src  readerAt
			opts []async.Option
			n    int // bytes that arrive
			err  error
		}{
			{"all", whole.ReadAt, nil, 1000, nil},
			{"a length", whole.ReadAt, []async.Option{async.Length(333)}, 333, nil},
			{"a length of 0", func([]byte, int64) (int, error) { t.Error("read"); return 0, nil }, []async.Option{async.Length(0)}, 0, nil},
			{"a length that is all", whole.ReadAt, []async.Option{async.Length(1000)}, 1000, nil},
			{"a length that is not there", whole.ReadAt, []async.Option{async.Length(1001)}, 1000, io.ErrUnexpectedEOF},
			{"short reads", func(b []byte, off int64) (int, error) { return whole.ReadAt(b[:min(len(b), 7)], off) }, nil, 1000, nil},
			{"io.EOF with the last bytes", func(b []byte, off int64) (int, error) {
				n, _ := whole.ReadAt(b, off)
				if off+int64(n) == 1000 {
					return n, io.EOF
				}
				return n, nil
			}, nil, 1000, nil},
			{"an error", func(b []byte, off int64) (int, error) {
				n, err := whole.ReadAt(b[:min(int64(len(b)), max(0, 555-off))], off)
				if err == nil && off+int64(len(b)) > 555 {
					err = errTest
				}
				return n, err
			}, nil, 555, errTest},
			{"an error with a whole block", func(b []byte, off int64) (int, error) {
				n, err := whole.ReadAt(b, off)
				if off+int64(n) == 500 {
					err = errTest
				}
				return n, err
			}, nil, 500, errTest},
			{"nothing for ever", func(b []byte, off int64) (int, error) {
				if off >= 200 {
					return 0, nil
				}
				return whole.ReadAt(b[:min(len(b), int(200-off))], off)
			}, nil, 200, io.ErrNoProgress},
			{"too many", func(b []byte, off int64) (int, error) {
				if off >= 200 {
					return len(b) + 1, nil
				}
				return whole.ReadAt(b, off)
			}, nil, 200, bytering.ErrInvalidCount},
			{"fewer than none", func(b []byte, off int64) (int, error) {
				if off >= 200 {
					return -1, errTest
				}
				return whole.ReadAt(b, off)
			}, nil, 200, bytering.ErrInvalidCount},
		} {
			b, _, err := fill(t, 500, tc.src, append(tc.opts, async.Block(100), async.Depth(depth))...)
			same(t, tc.name, b, want[:tc.n])
			var e *async.Error
			if !errors.Is(err, tc.err) || (err != nil) != (tc.err != nil) {
				t.Errorf("%s, depth %d: %v, want %v", tc.name, depth, err, tc.err)
			} else if err != nil && (!errors.As(err, &e) || e.Offset != int64(tc.n) || e.Op != "read" || !strings.HasPrefix(err.Error(), "async: read at byte ")) {
				t.Errorf("%s, depth %d: %v, at byte %d", tc.name, depth, err, tc.n)
			}
		}
	}
}

// A hundred empty reads, no fewer, are no progress.
func TestFillEmptyReads(t *testing.T) {
	want := data(300)
	var empty atomic.Int32
	b, _, err := fill(t, 100, readerAt(func(b []byte, off int64) (int, error) {
		if empty.Add(1)%100 != 0 {
			return 0, nil
		}
		return bytes.NewReader(want).ReadAt(b, off)
	}), async.Depth(1), async.Block(50))
	if err != nil {
		t.Error(err)
	}
	same(t, "99 empty reads between", b, want)
}

// What ends the stream is at the lowest offset, whichever operation ends first.
func TestFillFirstInOrder(t *testing.T) {
	want := data(500)
	for _, tc := range []struct {
		name       string
		low, after error // of blocks 2 and 3
		n          int
		err        error
	}{
		{"an io.EOF below an error", io.EOF, errTest, 250, nil},
		{"an error below an io.EOF", errTest, io.EOF, 250, errTest},
		{"an io.EOF below bytes", io.EOF, nil, 250, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, _, err := fill(t, 700, readerAt(func(b []byte, off int64) (int, error) {
				switch block := off / 100; block {
				case 2:
					time.Sleep(time.Second) // the others are first
					return copy(b, want[200:250]), tc.low
				case 3:
					if tc.after != nil {
						return 10, tc.after
					}
				}
				return copy(b, want[min(int(off), 500):]), nil
			}), async.Block(100))
			if !errors.Is(err, tc.err) || (err != nil) != (tc.err != nil) {
				t.Errorf("%s: %v", tc.name, err)
			}
			same(t, tc.name, b, want[:tc.n])
		})
	}
}

// A file that shrinks and grows meanwhile ends where the lowest io.EOF was.
func TestFillFileChanges(t *testing.T) {
	want := data(800)
	f, err := os.CreateTemp(t.TempDir(), "")
	must(err)
	defer f.Close()
	_, err = f.Write(want)
	must(err)
	var calls atomic.Int32
	b, _, err := fill(t, 500, readerAt(func(b []byte, off int64) (int, error) {
		switch calls.Add(1) {
		case 2:
			must(f.Truncate(150))
			defer func() { _, err := f.WriteAt(want, 0); must(err) }()
		}
		return f.ReadAt(b, off)
	}), async.Block(100), async.Depth(1))
	if err != nil {
		t.Error(err)
	}
	same(t, "shrunk", b, want[:150])
}

// Up to Depth reads are in flight, and more only as the ring has room: a slow
// head lets others finish, and no more than the ring holds.
func TestFillBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := data(10_000)
		p, c := pair(t, 1000)
		got := collect(c)
		head := make(chan struct{})
		var now, most, begun atomic.Int32
		var m async.Meter
		var s async.Stats
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			s, err = async.Fill(t.Context(), p, readerAt(func(b []byte, off int64) (int, error) {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				begun.Add(1)
				if off == 0 {
					<-head
				}
				return bytes.NewReader(want).ReadAt(b, off)
			}), async.Block(100), async.Depth(4), async.WithMeter(&m))
		}()
		time.Sleep(time.Minute)
		if n := begun.Load(); n != 10 {
			t.Errorf("%d reads begun with a ring of 10 blocks", n)
		}
		if s := m.Stats(); s.Safe != 0 || s.InFlight != 1 || s.Head != 0 || s.HeadAge != time.Minute || s.Depth != 4 {
			t.Errorf("Stats while the head is slow: %+v", s)
		}
		close(head)
		<-done
		p.Close()
		b, _ := got()
		same(t, "all", b, want)
		if err != nil || m.Stats() != s || s.Safe != 10_000 || s.HeadAge != 0 {
			t.Errorf("%v, %+v, %+v", err, s, m.Stats())
		}
		if n := most.Load(); n > 4 {
			t.Errorf("%d reads at once", n)
		}
	})
}

// A consumer that takes little at a time does not make the reads small, and one
// that waits for more than is left beside a block gets it.
func TestFillBlocks(t *testing.T) {
	want := data(1003)
	for _, depth := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			p, c := pair(t, 500)
			var mu sync.Mutex
			sizes := map[int]int{}
			src := readerAt(func(b []byte, off int64) (int, error) {
				mu.Lock()
				sizes[len(b)]++
				mu.Unlock()
				return bytes.NewReader(want).ReadAt(b, off)
			})
			go func() {
				async.Fill(t.Context(), p, src, async.Block(100), async.Depth(depth), async.Length(1003))
				p.Close()
			}()
			var got []byte
			for b := make([]byte, 7); ; {
				time.Sleep(time.Millisecond)
				n, err := c.Read(b)
				if got = append(got, b[:n]...); err != nil {
					break
				}
			}
			if same(t, "slowly", got, want); len(sizes) != 2 || sizes[100] != 10 || sizes[3] != 1 {
				t.Errorf("depth %d: reads by size %v", depth, sizes)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			p, c := pair(t, 500)
			go func() {
				async.Fill(t.Context(), p, bytes.NewReader(want), async.Block(300), async.Depth(depth))
				p.Close()
			}()
			var got []byte
			for {
				b, err := c.Peek(500)
				n := min(len(b), 50)
				got = append(got, b[:n]...)
				if c.Discard(n); err != nil && n == len(b) {
					break
				}
			}
			same(t, "by Peek", got, want)
		})
	}
}

// With a latency and no other limit depth n takes an nth of the time.
func TestFillDepth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, depth := range []int{1, 2, 16} {
			began := time.Now()
			b, _, err := fill(t, 17*64, readerAt(func(b []byte, off int64) (int, error) {
				time.Sleep(20 * time.Millisecond)
				return len(b), nil
			}), async.Block(64), async.Depth(depth), async.Length(64*160))
			if d, want := time.Since(began), time.Duration(160/depth)*20*time.Millisecond; d != want || err != nil || len(b) != 64*160 {
				t.Errorf("depth %d: %v, want %v; %d bytes, %v", depth, d, want, len(b), err)
			}
		}
	})
}

// The end of the context, of the consumers, or of the producer interrupts a
// source that can be, and what was complete is committed.
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
				continue // noticed when the call is back
			}
			for _, capacity := range []int{500, 300} { // what is in flight fills the ring, or not
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
						t.Errorf("%s: after %v, %v, %+v", tc.name, d, err, s)
					}
				})
			}
		}
	}
}

// Another source is waited for, so that it uses no memory of the ring when Fill
// has returned.
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
			t.Errorf("after %v, %v", d, err)
		}
	})
}

func TestFillDeadline(t *testing.T) {
	p, _ := pair(t, 300)
	p.SetWriteDeadline(time.Now().Add(time.Millisecond))
	if s, err := async.Fill(t.Context(), p, readerAt(func(b []byte, off int64) (int, error) { return len(b), nil }), async.Block(100)); !errors.Is(err, os.ErrDeadlineExceeded) || s.Safe != 300 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestFillContextEnded(t *testing.T) {
	p, _ := pair(t, 300)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	if s, err := async.Fill(ctx, p, readerAt(func(b []byte, off int64) (int, error) { t.Error("read"); return 0, io.EOF })); err != errTest || s.Safe != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// A panic comes out of Fill when the others have ended, and the ring is usable.
func TestFillPanics(t *testing.T) {
	for _, depth := range []int{1, 4} {
		p, c := pair(t, 500)
		var running atomic.Int32
		src := ctxReader(func(ctx context.Context, b []byte, off int64) (int, error) {
			running.Add(1)
			defer running.Add(-1)
			switch {
			case off == 100:
				panic(errTest)
			case off > 100:
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return len(b), nil
		})
		v := recovered(func() { async.Fill(t.Context(), p, src, async.Block(100), async.Depth(depth)) })
		if v != errTest || running.Load() != 0 {
			t.Errorf("depth %d: panicked with %v, %d reads run", depth, v, running.Load())
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
		p.Slices() // its owner's again
	}
}

func TestFillRetry(t *testing.T) {
	want := data(1000)
	for _, depth := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			var attempts [20]int // of one goroutine at a time
			began := time.Now()
			b, s, err := fill(t, 1000, readerAt(func(b []byte, off int64) (int, error) {
				if attempts[off/50]++; attempts[off/50] < 3 {
					return 0, errTest
				}
				n, err := bytes.NewReader(want).ReadAt(b[:min(50, len(b))], off)
				return n, err
			}), async.Block(100), async.Depth(depth), async.Length(1000), async.Retry(func(err error, attempt int) (time.Duration, bool) {
				return time.Duration(attempt) * time.Second, err == errTest && attempt < 3
			}))
			if d, most := time.Since(began), 3*20*time.Second; err != nil || s.Retries != 40 || depth == 1 && d != most || d > most {
				t.Errorf("%v, %d retries in %v", err, s.Retries, d)
			}
			same(t, "retried", b, want)
		})
	}
	_, s, err := fill(t, 1000, readerAt(func([]byte, int64) (int, error) { return 0, errTest }), async.Retry(func(_ error, n int) (time.Duration, bool) { return 0, n < 4 }), async.Depth(1))
	if !errors.Is(err, errTest) || s.Retries != 3 {
		t.Errorf("%v after %d retries", err, s.Retries)
	}
}

// The wait before another attempt ends with the context.
func TestFillRetryStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		p, _ := pair(t, 100)
		began := time.Now()
		_, err := async.Fill(ctx, p, readerAt(func([]byte, int64) (int, error) { return 0, io.ErrUnexpectedEOF }), async.Retry(func(error, int) (time.Duration, bool) { return time.Hour, true }))
		if d := time.Since(began); d != time.Second || err != errTest {
			t.Errorf("%v after %v", err, d)
		}
	})
}

// An operation that moves nothing for long fails, and can be tried again; a slow
// one does not.
func TestFillStall(t *testing.T) {
	for _, depth := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			var hung atomic.Int32
			src := ctxReader(func(ctx context.Context, b []byte, off int64) (int, error) {
				for i := range b {
					if off == 200 && i == 50 && hung.Add(1) < 3 {
						<-ctx.Done()
						return i, context.Cause(ctx)
					}
					time.Sleep(time.Second)
					async.Progress(ctx)
				}
				return len(b), nil
			})
			var errs []error
			b, s, err := fill(t, 500, src, async.Block(100), async.Depth(depth), async.Length(400), async.Stall(10*time.Second),
				async.Retry(func(err error, attempt int) (time.Duration, bool) {
					errs = append(errs, err)
					return time.Minute, true
				}))
			if err != nil || len(b) != 400 || s.Retries != 1 || len(errs) != 1 || !errors.Is(errs[0], async.ErrStalled) {
				t.Errorf("%d bytes, %v, %+v, %v", len(b), err, s, errs)
			}
			hung.Store(0)
			_, s, err = fill(t, 500, src, async.Block(100), async.Depth(depth), async.Stall(10*time.Second))
			var e *async.Error
			if !errors.As(err, &e) || !errors.Is(err, async.ErrStalled) || e.Offset != 250 {
				t.Errorf("without Retry: %v, %+v", err, s)
			}
		})
	}
}

func TestInvalidOptions(t *testing.T) {
	p, c := pair(t, 100)
	for _, o := range []async.Option{async.Depth(0), async.Block(0), async.Offset(-1), async.Length(-1), async.Stall(-1)} {
		_, err1 := async.Fill(t.Context(), p, bytes.NewReader(nil), o)
		_, err2 := async.Drain(t.Context(), c, new(file), o)
		_, err3 := async.DrainParts(t.Context(), c, nil, o)
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, async.ErrInvalidOption) || !strings.HasPrefix(err.Error(), "async: ") {
				t.Errorf("%v", err)
			}
		}
	}
	if _, err := async.DrainParts(t.Context(), c, nil, async.Block(100)); !errors.Is(err, async.ErrInvalidOption) {
		t.Errorf("a part as large as the ring: %v", err)
	}
}

// In the long run nothing is allocated for a block.
func TestAllocs(t *testing.T) {
	const block = 64
	for _, depth := range []int{1, 4} {
		run := func(blocks int64) func() {
			return func() {
				p, c, _ := bytering.New(8 * block)
				go func() {
					async.Fill(context.Background(), p, readerAt(func(b []byte, off int64) (int, error) { return len(b), nil }),
						async.Block(block), async.Depth(depth), async.Length(blocks*block), async.Stall(time.Hour))
					p.Close()
				}()
				s, err := async.Drain(context.Background(), c, writerAt(func(b []byte, off int64) (int, error) { return len(b), nil }),
					async.Block(block), async.Depth(depth), async.Stall(time.Hour))
				if err != nil || s.Safe != blocks*block {
					t.Errorf("%v, %+v", err, s)
				}
			}
		}
		few, many := testing.AllocsPerRun(5, run(500)), testing.AllocsPerRun(5, run(2500))
		if many > few+50 { // the runtime has some of its own for goroutines that park
			t.Errorf("depth %d: %v allocations for 500 blocks, %v for 2500", depth, few, many)
		}
	}
}
