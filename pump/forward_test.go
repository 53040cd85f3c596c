package pump

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"

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

// TestMessagesNeedNoOtherGoroutine checks that the source's goroutine writes what the
// sink takes at once, whether the source polls or not.
func TestMessagesNeedNoOtherGoroutine(t *testing.T) {
	for _, name := range []string{"a connection", "a plain reader"} {
		client, end := tcp(t)
		dst, server := tcp(t)
		var src io.Reader = end
		if name == "a plain reader" {
			src = readerFunc(end.Read)
		}
		pool := new(Pool)
		f := newFlow(dst, src, configure([]Option{WithPool(pool)}), seam.NewToken())
		f.startSink = func() {
			t.Errorf("%s: the sink has a goroutine", name)
			dst.Close()
		}
		over := make(chan bool)
		go func() {
			f.run(&f.in.side, f.feed)
			close(over)
		}()
		sizes := []int{1, 20, 511, 77}
		if f.in.poll != nil { // another reader has room for 511
			sizes = append(sizes, 5000, smallestRing-1000)
		}
		for i, size := range sizes {
			message := stream(size)
			client.Write(message)
			got := make([]byte, len(message))
			if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, message) {
				t.Fatalf("%s: message %d: other bytes, error %v", name, i, err)
			}
		}
		client.Close()
		<-over
		if in, out := f.in.stats(), f.out.stats(); out.Bytes != in.Bytes || out.Calls < int64(len(sizes)) {
			t.Errorf("%s: the sink has %+v of %d bytes", name, out, in.Bytes)
		}
		if pool.lent != 0 || pool.kept != smallestRing {
			t.Errorf("%s: %d bytes of rings are lent, %d kept", name, pool.lent, pool.kept)
		}
	}
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
		stats, err := Copy(t.Context(), sink, readerFunc(src.Read), WithPool(new(Pool)))
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

// TestTriesObeyMaxCall checks that what is more than one call may be offered is left to
// the sink's goroutine. A read of a pipe is offered more than that.
func TestTriesObeyMaxCall(t *testing.T) {
	var got bytes.Buffer
	write := func(bufs [][]byte) (int, error) {
		b := bytes.Join(bufs, nil)
		if len(b) > 7 {
			t.Errorf("a call is offered %d bytes", len(b))
		}
		return got.Write(b)
	}
	src, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	pw.Write(stream(500))
	pw.Close()
	if _, err := Copy(t.Context(), trier{write, write}, src, MaxCall(7), WithPool(new(Pool))); err != nil {
		t.Error(err)
	}
	arrived(t, got.Bytes(), 500)
}

// TestStreamsDoNotTry checks that both sides work at the same time on a stream that
// fills its reads.
func TestStreamsDoNotTry(t *testing.T) {
	sink := trier{
		func(bufs [][]byte) (int, error) { t.Error("a try"); return 0, nil },
		func(bufs [][]byte) (int, error) { return len(bytes.Join(bufs, nil)), nil },
	}
	src := bytes.NewReader(stream(8 * smallBuffer))
	if _, err := Copy(t.Context(), sink, readerFunc(src.Read), WithPool(new(Pool))); err != nil {
		t.Error(err)
	}
}

// TestTryFails checks that an error is the sink's, and that the bytes with it count.
func TestTryFails(t *testing.T) {
	for _, n := range []int{0, 3, 500, 501, -1} {
		sink := trier{
			func([][]byte) (int, error) { return n, errTest },
			func([][]byte) (int, error) { t.Error("a write after an error"); return 0, nil },
		}
		src := bytes.NewReader(stream(500))
		_, err := Copy(t.Context(), sink, readerFunc(src.Read), WithPool(new(Pool)))
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

// TestTryFindsABrokenConnection checks that the error of a connection, which the system
// reports once, is not lost.
func TestTryFindsABrokenConnection(t *testing.T) {
	client, src := tcp(t)
	dst, server := tcp(t)
	server.SetLinger(0)
	server.Close() // resets the connection
	client.Write(stream(10))
	_, err := Copy(t.Context(), dst, src, WithPool(new(Pool)))
	failed(t, err, Sink, syscall.ECONNRESET)
}

// TestTryPanics checks that a panic comes out of Copy and that nothing is left.
func TestTryPanics(t *testing.T) {
	before := runtime.NumGoroutine()
	pool := new(Pool)
	for _, exit := range []bool{false, true} {
		sink := trier{
			func([][]byte) (int, error) {
				if exit {
					runtime.Goexit()
				}
				panic(errTest)
			},
			func([][]byte) (int, error) { return 0, io.ErrClosedPipe },
		}
		done := make(chan any, 1)
		go func() {
			defer func() { done <- recover() }()
			src := bytes.NewReader(stream(5))
			Copy(t.Context(), sink, readerFunc(src.Read), WithPool(pool))
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

var _ vectored.PollWriter = trier{}
