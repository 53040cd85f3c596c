package conformance

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/bytering/bytering/pump"
)

// pipes returns both ends of a connection, in memory or over loopback.
func pipes(t *testing.T, l net.Listener) (a, b net.Conn) {
	t.Helper()
	if l == nil {
		return net.Pipe()
	}
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// TestRelaysLeaveNoGoroutine runs thousands of short relays that end in every way.
func TestRelaysLeaveNoGoroutine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	errTest := errors.New("test error")
	for i := range 4000 {
		over := l
		if i%4 != 0 {
			over = nil
		}
		client, a := pipes(t, over)
		b, server := pipes(t, over)
		ctx, cancel := context.WithCancelCause(context.Background())
		done := make(chan error, 1)
		go func() {
			_, _, err := pump.Relay(ctx, a, b, pump.Capacity(1024))
			done <- err
		}()
		go io.WriteString(client, "hello")
		if _, err := io.ReadFull(server, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		var want error
		switch i % 3 {
		case 0: // both streams end
			client.Close()
			server.Close()
		case 1:
			want = errTest
			cancel(errTest)
		case 2:
			want = a.Close() // during the relay
		}
		err := <-done
		if i%3 == 2 && err == nil || i%3 != 2 && !errors.Is(err, want) {
			t.Fatalf("relay %d: error %v", i, err)
		}
		cancel(nil)
		for _, c := range []net.Conn{client, a, b, server} {
			c.Close()
		}
	}
	goleak.VerifyNone(t)
}

// TestCopiesLeaveNoGoroutine runs copies whose ends fail at any byte, or panic.
func TestCopiesLeaveNoGoroutine(t *testing.T) {
	errTest := errors.New("test error")
	for i := range 3000 {
		src := io.LimitReader(endless{}, int64(i))
		var dst io.Writer = io.Discard
		switch i % 4 {
		case 1:
			src = io.MultiReader(src, failing{errTest})
		case 2:
			dst = failing{errTest}
		case 3:
			src = io.MultiReader(src, failing{nil})
		}
		func() {
			defer func() { recover() }()
			if _, err := pump.Copy(context.Background(), dst, src, pump.Capacity(i%100+1)); i%4 == 0 && err != nil {
				t.Fatal(err)
			}
		}()
	}
	goleak.VerifyNone(t)
}

// TestCallLeftBehindEnds checks that the goroutines of a call left behind end when
// the call returns.
func TestCallLeftBehindEnds(t *testing.T) {
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := pump.Copy(ctx, io.Discard, r)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	_, err = pump.Copy(ctx, io.Discard, io.MultiReader(strings.NewReader("x"), call(cancel), r))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.Close()
	goleak.VerifyNone(t)
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// A failing end returns an error, or panics if it has none.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		panic("test panic")
	}
	return 0, f.err
}

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A call is a reader that calls a function and has no bytes.
type call func()

func (f call) Read([]byte) (int, error) { f(); return 0, io.EOF }
