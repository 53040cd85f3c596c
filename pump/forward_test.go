package pump

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/vectored"
)

// A trier is a sink that can write without waiting.
type trier struct {
	tryWritev func([][]byte) (int, error)
	writevFunc
}

func (w trier) TryWritev(bufs [][]byte) (int, error) { return w.tryWritev(bufs) }

// ofRelay makes a copy one direction of a Relay.
func ofRelay(c *config) { c.direction = ToB }

// TestLongAndManyMessages checks messages of nearly the smallest ring, of any number if
// the source waits before each.
func TestLongAndManyMessages(t *testing.T) {
	var got bytes.Buffer
	write := func(bufs [][]byte) (int, error) { return got.Write(bytes.Join(bufs, nil)) }
	left := 3 * maxForwards
	over, _, _ := feeding(t, trier{write, write}, &waiter{readvFunc(func(bufs [][]byte) (int, error) {
		if left == 0 {
			return 0, io.EOF
		}
		left--
		n := 0
		for _, b := range bufs {
			n += copy(b, stream(smallestRing - 1)[n:])
		}
		return n, nil
	})})
	<-over
	if !bytes.Equal(got.Bytes(), bytes.Repeat(stream(smallestRing-1), 3*maxForwards)) {
		t.Errorf("%d bytes arrived, or others", got.Len())
	}
}

// A waiter is a source that waits before each read.
type waiter struct{ readvFunc }

func (w *waiter) ReadvFunc(offer func() [][]byte, blocked func()) (int, error) {
	offer()
	blocked()
	return w.Readv(offer())
}

// feeding runs the source of a copy whose sink is to have no goroutine.
func feeding(t *testing.T, dst io.Writer, src io.Reader) (over <-chan bool, f *flow, pool *Pool) {
	pool = new(Pool)
	f = newFlow(dst, src, configure([]Option{WithPool(pool), ofRelay}), seam.NewToken())
	f.startSink = func() {
		t.Error("the sink has a goroutine")
		if c, ok := dst.(io.Closer); ok {
			c.Close()
		}
	}
	done := make(chan bool)
	go func() {
		f.run(&f.in.side, f.feed)
		close(done)
	}()
	return done, f, pool
}

// TestSinkTakesAPart checks that the sink's goroutine goes on where a write without
// waiting has ended.
func TestSinkTakesAPart(t *testing.T) {
	for _, part := range []int{0, 1, 499, 500} {
		var got bytes.Buffer
		tries, writes := 0, 0
		sink := trier{
			func(bufs [][]byte) (int, error) {
				tries++
				b := bytes.Join(bufs, nil)
				n := min(part, len(b))
				got.Write(b[:n])
				return n, nil
			},
			func(bufs [][]byte) (int, error) {
				writes++
				b := bytes.Join(bufs, nil)
				got.Write(b)
				return len(b), nil
			},
		}
		src := bytes.NewReader(stream(500))
		stats, err := Copy(t.Context(), sink, readerFunc(src.Read), WithPool(new(Pool)), ofRelay)
		if err != nil {
			t.Error(err)
		}
		arrived(t, got.Bytes(), 500)
		moved(t, stats, 500, 500)
		if want := min(1, 500-part); tries != 1 || writes != want {
			t.Errorf("after a part of %d: %d tries and %d writes, want 1 and %d", part, tries, writes, want)
		}
	}
}

// TestStreamsDoNotTry checks that both sides work at the same time on a stream that
// fills its reads, on one whose reads need no wait, and on any that is not a Relay's.
func TestStreamsDoNotTry(t *testing.T) {
	for _, tc := range []struct {
		name string
		src  io.Reader
		opt  Option
		want int
	}{
		{"full reads", bytes.NewReader(stream(3 * smallestRing)), ofRelay, 0},
		{"short reads", iotest.OneByteReader(bytes.NewReader(stream(50))), ofRelay, maxForwards},
		{"not in a Relay", bytes.NewReader(stream(50)), func(*config) {}, 0},
	} {
		tries := 0
		write := func(bufs [][]byte) (int, error) { return len(bytes.Join(bufs, nil)), nil }
		sink := trier{func(bufs [][]byte) (int, error) { tries++; return write(bufs) }, write}
		stats, err := Copy(t.Context(), sink, polling(tc.src), WithPool(new(Pool)), tc.opt)
		if err != nil || tries != tc.want || stats.Sink.Bytes < 50 {
			t.Errorf("%s: %d tries, want %d; %+v, %v", tc.name, tries, tc.want, stats.Sink, err)
		}
	}
}

// polling makes r a source that never waits, and says so.
func polling(r io.Reader) io.Reader {
	return poller{readvFunc(func(bufs [][]byte) (int, error) { return r.Read(bufs[0]) })}
}

type poller struct{ readvFunc }

func (p poller) ReadvFunc(offer func() [][]byte, _ func()) (int, error) { return p.Readv(offer()) }

// TestTryFails checks that an error is the sink's, and that the bytes with it count.
func TestTryFails(t *testing.T) {
	for _, n := range []int{0, 3, 500, 501, -1} {
		sink := trier{
			func([][]byte) (int, error) { return n, errTest },
			func([][]byte) (int, error) { t.Error("a write after an error"); return 0, nil },
		}
		src := bytes.NewReader(stream(500))
		_, err := Copy(t.Context(), sink, readerFunc(src.Read), WithPool(new(Pool)), ofRelay)
		e := failed(t, err, Sink, errTest)
		if n < 0 || n > 500 {
			safe(t, e, 0)
			if !errors.Is(err, bytering.ErrInvalidCount) {
				t.Errorf("a count of %d: %v", n, err)
			}
		} else {
			safe(t, e, int64(n))
		}
	}
}

// TestTryLeftBehind checks that the deadline of a write that was left behind stays until
// the write is over, and that its ring is not used again.
func TestTryLeftBehind(t *testing.T) {
	ctx, cancel := cancellable()
	pool := new(Pool)
	release, cleared := make(chan bool), make(chan bool)
	sink := &lateSink{trier: trier{func([][]byte) (int, error) {
		cancel()
		<-release
		return 0, nil
	}, nil}, cleared: cleared}
	src := bytes.NewReader(stream(5))
	_, err := Copy(ctx, sink, readerFunc(src.Read), WithPool(pool), ofRelay)
	if e := failed(t, err, Neither, errTest); e.Written != 0 || e.Pending != 5 {
		t.Errorf("%d bytes are written, %d pending", e.Written, e.Pending)
	}
	select {
	case <-cleared:
		t.Error("the deadline of a running call is cleared")
	default:
	}
	close(release)
	<-cleared
	for lent := int64(1); lent > 0; runtime.Gosched() {
		pool.mu.Lock()
		if lent = pool.lent; pool.kept != 0 {
			t.Fatal("the ring of the call is used again")
		}
		pool.mu.Unlock()
	}
}

// A lateSink has deadlines and does not look at them.
type lateSink struct {
	trier
	cleared chan bool
}

func (s *lateSink) SetWriteDeadline(at time.Time) error {
	if at.IsZero() {
		close(s.cleared)
	}
	return nil
}

// TestTryPanics checks that a panic comes out of Copy and that nothing is left.
func TestTryPanics(t *testing.T) {
	before := runtime.NumGoroutine()
	pool := new(Pool)
	for _, exit := range []bool{false, true} {
		sink := deadlines{trier{
			func([][]byte) (int, error) {
				if exit {
					runtime.Goexit()
				}
				panic(errTest)
			},
			func([][]byte) (int, error) { return 0, io.ErrClosedPipe },
		}, t}
		done := make(chan any, 1)
		go func() {
			defer func() { done <- recover() }()
			src := bytes.NewReader(stream(5))
			Copy(t.Context(), sink, readerFunc(src.Read), WithPool(pool), ofRelay)
		}()
		if v := <-done; !exit && v != errTest || exit && v != nil {
			t.Errorf("exit %v: recovered %v", exit, v)
		}
	}
	if pool.lent != 0 || pool.kept != 0 {
		t.Errorf("%d bytes are lent, %d kept", pool.lent, pool.kept)
	}
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
}

// deadlines is a sink whose deadline is its user's.
type deadlines struct {
	trier
	t *testing.T
}

func (d deadlines) SetWriteDeadline(time.Time) error {
	d.t.Error("a deadline is set")
	return nil
}

var _ vectored.PollWriter = trier{}
