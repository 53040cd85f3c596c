package async_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

// fill runs Fill over a ring and returns what came out of the ring.
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
		t.Errorf("the stats are %+v for %d bytes", s, len(b))
	}
	return b, s, err
}

// On rings of every kind all bytes arrive in order, whatever the sizes are and
// wherever the ring starts.
func TestFillRings(t *testing.T) {
	want := data(20_000)
	rings(t, func(t *testing.T, depth int, p *bytering.Producer, cs []*bytering.Consumer) {
		var gots []func() ([]byte, error)
		for _, c := range cs {
			gots = append(gots, collect(c))
		}
		s, err := async.Fill(t.Context(), p, bytes.NewReader(want), async.Depth(depth), async.Block(512), async.Offset(3))
		p.Close()
		for _, got := range gots {
			b, e := got()
			same(t, "consumed", b, want[3:])
			must(e)
		}
		if err != nil || s.Safe != 20_000-3 || s.Head != 20_000 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestFillResults checks each kind of result of a source, at depths with and
// without goroutines.
func TestFillResults(t *testing.T) {
	want := data(1000)
	whole := bytes.NewReader(want)
	for _, depth := range []int{1, 4} {
		for _, tc := range []struct {
			name string
			src  readerAt
			opts []async.Option
			n    int // number of bytes that arrive
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
				t.Errorf("%s, depth %d: error %v, want %v", tc.name, depth, err, tc.err)
			} else if err != nil && (!errors.As(err, &e) || e.Offset != int64(tc.n) || e.Op != "read" || !strings.HasPrefix(err.Error(), "async: read at byte ")) {
				t.Errorf("%s, depth %d: error %v, want an *Error for byte %d", tc.name, depth, err, tc.n)
			}
		}
	}
}

// The offset of an error counts from the beginning of the source or sink.
func TestErrorOffsets(t *testing.T) {
	src := bytes.NewReader(data(1000))
	_, _, err1 := fill(t, 500, src, async.Block(100), async.Offset(300), async.Length(701))
	_, _, err2 := fill(t, 500, readerAt(func(b []byte, off int64) (int, error) { return 0, errTest }), async.Offset(1000))
	_, err3 := drain(t, 500, data(700), nil, new(file), async.Block(100), async.Offset(300), async.Length(701))
	_, err4 := drain(t, 500, data(700), nil, writerAt(func(b []byte, off int64) (int, error) { return int(1000 - off), errTest }), async.Block(100), async.Offset(999))
	for i, err := range []error{err1, err2, err3, err4} {
		var e *async.Error
		if !errors.As(err, &e) || e.Offset != 1000 {
			t.Errorf("error %d is %v, not at byte 1000", i, err)
		}
	}
}

// A hundred empty reads in a row are no progress; ninety-nine are allowed.
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

// Whatever ends the stream at the lowest offset counts, in whichever order the
// operations end.
func TestFillFirstInOrder(t *testing.T) {
	want := data(500)
	for _, tc := range []struct {
		name       string
		low, after error // the results of blocks 2 and 3
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
					time.Sleep(time.Second) // the others end first
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

// A file that shrinks and grows during Fill ends where the lowest io.EOF was.
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

// While the ring is full, reads go on when a quarter of it is free, after a while with
// less, or when a consumer waits for more than there is. A read in flight does not hold
// the next one back.
func TestFillOfAFullRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 1000)
		var begun atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			async.Fill(ctx, p, readerAt(func(b []byte, off int64) (int, error) {
				begun.Add(1)
				if off == 1200 {
					time.Sleep(time.Hour)
				}
				return len(b), nil
			}), async.Block(100), async.Depth(4))
		}()
		reads := func(when string, want int32) {
			t.Helper()
			synctest.Wait()
			if n := begun.Load(); n != want {
				t.Errorf("%s %d reads have begun, want %d", when, n, want)
			}
		}
		reads("at first", 10)
		must(c.Discard(200))
		reads("with two blocks free", 10)
		must(c.Discard(100))
		reads("with a quarter free", 13)
		must(c.Discard(100))
		reads("while a read is in flight", 14)
		time.Sleep(2 * time.Hour) // also longer than a full ring waits for a quarter
		must(c.Discard(100))
		reads("with one block free, after a while", 15)
		must(c.Discard(100))
		reads("with one block free again", 15)
		go c.Wait(ctx, 1000)
		reads("while a consumer waits", 16)
		cancel()
		<-done
	})
}

// A full ring holds Fill back for a while only, whatever it has left to do.
func TestFillEndsInAFullRing(t *testing.T) {
	for name, c := range map[string]struct {
		size int
		opts []async.Option
		want error
		safe int64
	}{
		"Length":   {2000, []async.Option{async.Length(1100)}, nil, 1100},
		"the end":  {1000, nil, nil, 1000},
		"deadline": {2000, nil, os.ErrDeadlineExceeded, 1100},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, cons := pair(t, 1000)
			src := bytes.NewReader(data(c.size))
			done := make(chan struct{})
			go func() {
				defer close(done)
				time.Sleep(time.Minute)
				cons.Discard(100)
				time.Sleep(500 * time.Microsecond)
				if c.want != nil {
					must(p.SetWriteDeadline(time.Now()))
				}
			}()
			s, err := async.Fill(t.Context(), p, src, append(c.opts, async.Block(100))...)
			if !errors.Is(err, c.want) || s.Safe != c.safe {
				t.Errorf("%s: %d bytes, %v", name, s.Safe, err)
			}
			<-done
		})
	}
}

// Up to Depth reads are in flight, and more start only when the ring has room.
// While the head is slow the others finish, up to what the ring holds.
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
			t.Errorf("%d reads have begun with a ring of 10 blocks", n)
		}
		if s := m.Stats(); s.Safe != 0 || s.InFlight != 1 || s.Head != 0 || s.HeadAge != time.Minute || s.Depth != 4 {
			t.Errorf("while the head is slow the stats are %+v", s)
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
			t.Errorf("%d reads ran at once", n)
		}
	})
}

// A consumer that takes little at a time does not make the reads small. A consumer
// that waits for more than the ring has beside a whole block gets it.
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
				t.Errorf("depth %d: the numbers of reads by size are %v", depth, sizes)
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

// If latency is the only limit, depth n takes an nth of the time.
func TestFillDepth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, depth := range []int{1, 2, 16} {
			began := time.Now()
			b, _, err := fill(t, 17*64, readerAt(func(b []byte, off int64) (int, error) {
				time.Sleep(20 * time.Millisecond)
				return len(b), nil
			}), async.Block(64), async.Depth(depth), async.Length(64*160))
			if d, want := time.Since(began), time.Duration(160/depth)*20*time.Millisecond; d != want || err != nil || len(b) != 64*160 {
				t.Errorf("depth %d: Fill took %v, want %v; got %d bytes, %v", depth, d, want, len(b), err)
			}
		}
	})
}
