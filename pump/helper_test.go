package pump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/vectored"
)

// errTest and errOther are errors that the library does not know.
var (
	errTest  = errors.New("test error")
	errOther = errors.New("another test error")
)

// stream returns the first n bytes of the stream that the tests move.
func stream(n int) []byte { return pattern.Bytes(0, n) }

// arrived fails the test unless got is the first n bytes of the stream.
func arrived(t testing.TB, got []byte, n int64) {
	t.Helper()
	if int64(len(got)) != n {
		t.Errorf("%d bytes arrived, want %d", len(got), n)
	}
	if !bytes.Equal(got, stream(len(got))) {
		t.Errorf("the %d bytes that arrived differ from those of the stream", len(got))
	}
}

// failed returns the *Error in err and fails the test unless it names the side and
// wraps the cause.
func failed(t testing.TB, err error, side Side, cause error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want an *Error", err, err)
	}
	if e.Side != side || !errors.Is(e, cause) {
		t.Errorf("error of the %v: %v; want the %v: %v", e.Side, e, side, cause)
	}
	return e
}

// safe fails the test unless e reports that exactly n bytes are safe.
func safe(t testing.TB, e *Error, n int64) {
	t.Helper()
	if e.Written != n || e.Pending != 0 {
		t.Errorf("%d bytes are written and %d pending, want %d and 0", e.Written, e.Pending, n)
	}
}

// moved fails the test unless the sides moved source and sink bytes.
func moved(t testing.TB, s Stats, source, sink int64) {
	t.Helper()
	if s.Source.Bytes != source || s.Sink.Bytes != sink {
		t.Errorf("%d bytes read and %d written, want %d and %d", s.Source.Bytes, s.Sink.Bytes, source, sink)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

type readvFunc func([][]byte) (int, error)

func (f readvFunc) Readv(bufs [][]byte) (int, error) { return f(bufs) }
func (f readvFunc) Read(b []byte) (int, error)       { return f([][]byte{b}) }

type writevFunc func([][]byte) (int, error)

func (f writevFunc) Writev(bufs [][]byte) (int, error) { return f(bufs) }
func (f writevFunc) Write(b []byte) (int, error)       { return f([][]byte{b}) }

var (
	_ vectored.Reader = readvFunc(nil)
	_ vectored.Writer = writevFunc(nil)
)

// endless returns a stream without an end.
func endless() io.Reader {
	s, pos := []byte(nil), 0
	return readerFunc(func(b []byte) (int, error) {
		if pos+len(b) > len(s) {
			s = stream(2 * (pos + len(b))) // twice as long, so that it is rarely made anew
		}
		n := copy(b, s[pos:])
		pos += n
		return n, nil
	})
}

// A result is what Copy returned.
type result struct {
	stats Stats
	err   error
}

// start runs Copy on a goroutine of its own.
func start(ctx context.Context, dst io.Writer, src io.Reader, opts ...Option) <-chan result {
	done := make(chan result, 1)
	go func() {
		stats, err := Copy(ctx, dst, src, opts...)
		done <- result{stats, err}
	}()
	return done
}

// cancellable returns a context that cancel ends with errTest.
func cancellable() (ctx context.Context, cancel func()) {
	ctx, c := context.WithCancelCause(context.Background())
	return ctx, func() { c(errTest) }
}

// tcp returns both ends of a connection over loopback.
func tcp(t testing.TB) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x, y := connect(t, l)
	return x.(*net.TCPConn), y.(*net.TCPConn)
}

// connect returns both ends of a connection to l, and closes l.
func connect(t testing.TB, l net.Listener) (a, b net.Conn) {
	t.Helper()
	defer l.Close()
	a, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	b, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return a, b
}

// readAll reads r to its end on a goroutine of its own.
func readAll(r io.Reader) <-chan []byte {
	all := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(r)
		all <- b
	}()
	return all
}
