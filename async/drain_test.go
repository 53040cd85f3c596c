package async_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

// drain writes b into a ring, closes the producer with end and returns the results
// of Drain.
func drain(t *testing.T, capacity int, b []byte, end error, dst io.WriterAt, opts ...async.Option) (async.Stats, error) {
	t.Helper()
	p, c := pair(t, capacity)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Write(b)
		p.CloseWithError(end)
	}()
	s, err := async.Drain(t.Context(), c, dst, opts...)
	c.Close()
	<-done
	if s.InFlight != 0 || uint64(s.Safe) != c.Position() {
		t.Errorf("the stats are %+v, the position is %d", s, c.Position())
	}
	return s, err
}

// Drain writes everything at its offset, from rings of every kind.
func TestDrainRings(t *testing.T) {
	want := data(20_000)
	rings(t, func(t *testing.T, depth int, p *bytering.Producer, cs []*bytering.Consumer) {
		go func() { p.Write(want); p.Close() }()
		var others []func() ([]byte, error)
		for _, c := range cs[1:] {
			others = append(others, collect(c))
		}
		var f file
		s, err := async.Drain(t.Context(), cs[0], &f, async.Depth(depth), async.Block(512), async.Offset(3))
		if err != nil || s.Safe != 20_000 || s.Head != 20_003 {
			t.Errorf("%+v, %v", s, err)
		}
		same(t, "written", f.b[3:], want)
		for _, other := range others {
			b, err := other()
			must(err)
			same(t, "consumed", b, want)
		}
	})
}

func TestDrainResults(t *testing.T) {
	want := data(1000)
	for _, depth := range []int{1, 4} {
		for _, tc := range []struct {
			name string
			at   int64                    // where dst fails, or -1
			n    func(n int) (int, error) // how dst fails, given the bytes up to at
			end  error
			opts []async.Option
			safe int64
			err  error
		}{
			{"all", -1, nil, nil, nil, 1000, nil},
			{"a length", -1, nil, nil, []async.Option{async.Length(333)}, 333, nil},
			{"a length of 0", 0, func(int) (int, error) { panic("written") }, nil, []async.Option{async.Length(0)}, 0, nil},
			{"a length that is all", -1, nil, nil, []async.Option{async.Length(1000)}, 1000, nil},
			{"a length that is not there", -1, nil, nil, []async.Option{async.Length(1001)}, 1000, io.ErrUnexpectedEOF},
			{"the producer's error", -1, nil, errTest, nil, 1000, errTest},
			{"the producer's io.ErrUnexpectedEOF", -1, nil, io.ErrUnexpectedEOF, nil, 1000, io.ErrUnexpectedEOF},
			{"the producer's os.ErrDeadlineExceeded", -1, nil, os.ErrDeadlineExceeded, nil, 1000, os.ErrDeadlineExceeded},
			{"the producer's error beyond a length", -1, nil, errTest, []async.Option{async.Length(1000)}, 1000, nil},
			{"an error", 555, func(n int) (int, error) { return n, errTest }, nil, nil, 555, errTest},
			{"io.EOF", 555, func(n int) (int, error) { return n, io.EOF }, nil, nil, 555, io.EOF},
			{"less", 555, func(n int) (int, error) { return n, nil }, nil, nil, 555, io.ErrShortWrite},
			{"too much", 500, func(n int) (int, error) { return 101, nil }, nil, nil, 500, bytering.ErrInvalidCount},
			{"less than nothing", 500, func(n int) (int, error) { return -1, errTest }, nil, nil, 500, bytering.ErrInvalidCount},
		} {
			var f file
			s, err := drain(t, 500, want, tc.end, writerAt(func(b []byte, off int64) (int, error) {
				if tc.at >= off && tc.at < off+int64(len(b)) {
					n := int(tc.at - off)
					f.WriteAt(b[:n], off)
					return tc.n(n)
				}
				return f.WriteAt(b, off)
			}), append(tc.opts, async.Block(100), async.Depth(depth))...)
			if s.Safe != tc.safe || !errors.Is(err, tc.err) || (err != nil) != (tc.err != nil) {
				t.Errorf("%s, depth %d: stats %+v, error %v, want %d bytes safe and %v", tc.name, depth, s, err, tc.safe, tc.err)
			}
			var e *async.Error
			if tc.at > 0 && (!errors.As(err, &e) || e.Offset != tc.safe || !strings.HasPrefix(err.Error(), "async: write at byte ")) {
				t.Errorf("%s, depth %d: error %v, want an *Error for byte %d", tc.name, depth, err, tc.safe)
			}
			same(t, tc.name, f.b[:s.Safe], want[:tc.safe])
		}
	}
}

// Drain returns the error at the lowest offset, after everything before it was
// written.
func TestDrainFirstInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f file
		other := errors.New("other")
		s, err := drain(t, 700, data(1000), nil, writerAt(func(b []byte, off int64) (int, error) {
			switch off {
			case 100:
				time.Sleep(2 * time.Second)
			case 200:
				time.Sleep(time.Second)
				return 0, errTest
			case 300:
				return 0, other
			}
			return f.WriteAt(b, off)
		}), async.Block(100))
		if e := (*async.Error)(nil); !errors.As(err, &e) || e.Err != errTest || e.Offset != 200 || s.Safe != 200 {
			t.Errorf("%v, %+v", err, s)
		}
		same(t, "written", f.b[:200], data(1000)[:200])
	})
}

// A slow head holds back the discards while other writes finish, up to the ring's
// size.
func TestDrainBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f file
		var m async.Meter
		var now, most, ended atomic.Int32
		time.AfterFunc(time.Minute, func() {
			if s := m.Stats(); s.Safe != 0 || s.InFlight != 1 || s.Head != 7 || s.HeadAge != time.Minute || ended.Load() != 9 {
				t.Errorf("while the head is slow the stats are %+v, and %d writes have ended", s, ended.Load())
			}
		})
		_, err := drain(t, 1000, data(10_000), nil, writerAt(func(b []byte, off int64) (int, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			if off == 7 {
				time.Sleep(2 * time.Minute)
			}
			defer ended.Add(1)
			return f.WriteAt(b, off)
		}), async.Block(100), async.WithMeter(&m), async.Offset(7))
		if err != nil || most.Load() > 4 {
			t.Errorf("error %v, %d writes at once", err, most.Load())
		}
		same(t, "all", f.b[7:], data(10_000))
	})
}

// A trickle is written in whole blocks, except for its last bytes.
func TestDrainWaitsForBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 1000)
		go func() {
			for range 250 {
				p.WriteByte('x')
				time.Sleep(time.Second)
			}
			p.Close()
		}()
		var sizes []int
		_, err := async.Drain(t.Context(), c, writerAt(func(b []byte, _ int64) (int, error) { sizes = append(sizes, len(b)); return len(b), nil }), async.Block(100))
		if err != nil || len(sizes) != 3 || sizes[0] != 100 || sizes[1] != 100 || sizes[2] != 50 {
			t.Errorf("error %v, writes of %v bytes", err, sizes)
		}
	})
}
