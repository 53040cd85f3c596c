package pump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/vectored"
)

// TestRelayNamesTheEnd resets either connection. The error names the direction, the
// end, and the addresses of the connection.
func TestRelayNamesTheEnd(t *testing.T) {
	texts := map[string]bool{}
	for _, name := range []string{"client", "server"} {
		client, a := tcp(t)
		b, server := tcp(t)
		done := startRelay(context.Background(), a, b)
		go client.Write(stream(10))
		io.ReadFull(server, make([]byte, 10))
		cut, end, direction := client, a, ToB
		prefix, written := "pump: a to b: source a", 10
		if name == "server" {
			cut, end, direction = server, b, ToA
			prefix, written = "pump: b to a: source b", 0
		}
		cut.SetLinger(0)
		cut.Close()
		r := <-done
		e, ok := r.err.(*Error)
		if !ok || e.Side != Source || e.Direction != direction || e.Local != end.LocalAddr() || e.Remote != end.RemoteAddr() || e.Written != int64(written) {
			t.Fatalf("reset by the %s: %+v", name, r.err)
		}
		want := fmt.Sprintf("%s (%v->%v) failed at byte %d: ", prefix, end.LocalAddr(), end.RemoteAddr(), written)
		if text := e.Error(); !strings.HasPrefix(text, want) || !strings.HasSuffix(text, fmt.Sprintf("; %d bytes written", written)) {
			t.Errorf("reset by the %s: error %q, want prefix %q", name, text, want)
		}
		texts[e.Error()] = true
	}
	if len(texts) != 2 {
		t.Errorf("the texts are the same: %v", texts)
	}
}

func TestErrorText(t *testing.T) {
	addr := &net.UnixAddr{Name: "/s", Net: "unix"}
	for want, e := range map[string]*Error{
		"pump: sink failed at byte 7: test error; 7 bytes written":                    {Side: Sink, Offset: 7, Written: 7, Err: errTest},
		"pump: stopped: test error; at least 7 bytes written":                         {Side: Neither, Offset: 7, Written: 7, Pending: 1, Err: errTest},
		"pump: b to a: stopped: test error; 0 bytes written":                          {Side: Neither, Direction: ToA, Err: errTest},
		"pump: a to b: source a failed at byte 0: test error; 0 bytes written":        {Side: Source, Direction: ToB, Err: errTest},
		"pump: a to b: sink b (/s) failed at byte 0: test error; 0 bytes written":     {Side: Sink, Direction: ToB, Local: addr, Err: errTest},
		"pump: b to a: source b (/s) failed at byte 0: test error; 0 bytes written":   {Side: Source, Direction: ToA, Remote: addr, Err: errTest},
		"pump: b to a: sink a (/s->/s) failed at byte 0: test error; 0 bytes written": {Side: Sink, Direction: ToA, Local: addr, Remote: addr, Err: errTest},
		"pump: Direction(3): sink a failed at byte 0: test error; 0 bytes written":    {Side: Sink, Direction: 3, Err: errTest},
		"pump: Side(9) failed at byte 0: test error; 0 bytes written":                 {Side: 9, Err: errTest},
	} {
		if e.Error() != want {
			t.Errorf("error %q, want %q", e, want)
		}
	}
}

// A wrapper embeds an interface, so CloseWrite is not among its methods.
type wrapper struct{ net.Conn }

// TestWithoutCloseWrite checks that the caller chooses what happens to an end that
// cannot be half-closed.
func TestWithoutCloseWrite(t *testing.T) {
	for name, tc := range map[string]struct {
		f    func(net.Conn) error
		want error
	}{
		"by hand":  {func(c net.Conn) error { return c.(wrapper).Conn.(*net.TCPConn).CloseWrite() }, nil},
		"an error": {func(c net.Conn) error { return errTest }, errTest},
	} {
		client, x := tcp(t)
		y, server := tcp(t)
		a, b := wrapper{x}, wrapper{y}
		done := startRelay(context.Background(), a, b, HalfClose(func(end io.Writer) error { return tc.f(end.(net.Conn)) }))
		client.Write(stream(10))
		client.CloseWrite()
		if tc.want == nil {
			if got, err := io.ReadAll(server); err != nil || len(got) != 10 {
				t.Fatalf("%s: %d bytes, %v", name, len(got), err)
			}
			server.Write(stream(20))
			server.Close()
			if got, err := io.ReadAll(client); err != nil || len(got) != 20 {
				t.Errorf("%s: the answer has %d bytes, %v", name, len(got), err)
			}
		}
		r := <-done // also if the server never ends
		moved(t, r.toB, 10, 10)
		if tc.want == nil {
			if r.err != nil {
				t.Errorf("%s: error %v", name, r.err)
			}
			continue
		}
		e := failed(t, r.err, Sink, tc.want)
		safe(t, e, 10)
		if e.Direction != ToB || e.Offset != 10 || e.Remote != b.RemoteAddr() {
			t.Errorf("%s: %+v", name, e)
		}
		if want := "half-close: test error; 10 bytes written"; !strings.HasSuffix(e.Error(), want) {
			t.Errorf("%s: error %q, want suffix %q", name, e, want)
		}
	}
}

// TestHalfCloseIsForOthers checks that HalfClose is not called for an end with a
// CloseWrite.
func TestHalfCloseIsForOthers(t *testing.T) {
	client, a := tcp(t)
	b, server := tcp(t)
	done := startRelay(context.Background(), a, b, HalfClose(func(end io.Writer) error {
		t.Error("HalfClose was called for an end with CloseWrite")
		return end.(*net.TCPConn).CloseWrite()
	}))
	client.CloseWrite()
	io.ReadAll(server)
	server.Close()
	if r := <-done; r.err != nil {
		t.Error(r.err)
	}
}

// TestWithMeters checks that each direction has a meter. Copy uses the first.
func TestWithMeters(t *testing.T) {
	client, a := tcp(t)
	b, server := tcp(t)
	var toB, toA Meter
	done := startRelay(context.Background(), a, b, WithMeters(&toB, &toA))
	go func() { client.Write(stream(100)); client.CloseWrite() }()
	io.ReadAll(server)
	server.Write(stream(7))
	server.Close()
	io.ReadAll(client)
	r := <-done
	if r.err != nil || toB.Stats() != r.toB || toA.Stats() != r.toA {
		t.Errorf("error %v; the meters have %+v and %+v, the stats are %+v and %+v", r.err, toB.Stats(), toA.Stats(), r.toB, r.toA)
	}
	moved(t, toB.Stats(), 100, 100)
	moved(t, toA.Stats(), 7, 7)

	var one, other Meter
	Copy(t.Context(), io.Discard, strings.NewReader("abc"), WithMeters(&one, &other))
	moved(t, one.Stats(), 3, 3)
	moved(t, other.Stats(), 0, 0)
	Copy(t.Context(), io.Discard, strings.NewReader("abc"), WithMeters(nil, &other))
	moved(t, other.Stats(), 0, 0)
}

// TestRelayReturnsTheFirstError checks that Relay returns the first error, not that
// of the direction that it stops.
func TestRelayReturnsTheFirstError(t *testing.T) {
	for _, first := range []Direction{ToB, ToA} {
		for range 300 {
			synctest.Test(t, func(t *testing.T) {
				client, a := net.Pipe()
				b, server := net.Pipe()
				x, y := &broken{Conn: a}, &broken{Conn: b}
				if first == ToB {
					x.read = errTest
				} else {
					y.read = errTest
				}
				_, _, err := Relay(t.Context(), x, y)
				if e := failed(t, err, Source, errTest); e != err || e.Direction != first {
					t.Errorf("error %v, want that of %v", err, first)
				}
				for _, c := range []net.Conn{client, a, b, server} {
					c.Close()
				}
			})
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errOther)
	_, _, err := Relay(ctx, nil, nil)
	if e := failed(t, err, Neither, errOther); e.Direction == 0 || errors.Is(err, errTest) {
		t.Errorf("error %v", err)
	}
}

// TestHalfCloseIsWaitedFor checks that Relay returns after the last half-close,
// with its error.
func TestHalfCloseIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, a := net.Pipe()
		b, server := net.Pipe()
		client.Close()
		server.Close()
		begin := time.Now()
		_, _, err := Relay(t.Context(), a, b, HalfClose(func(io.Writer) error {
			time.Sleep(time.Second)
			return errTest
		}))
		failed(t, err, Sink, errTest)
		if d := time.Since(begin); d != time.Second {
			t.Errorf("Relay took %v", d)
		}
	})
}

// TestRelaySetterPanics checks that the panic comes out of Relay. The other
// direction must be stopped: the bubble fails the test if its goroutine is left.
func TestRelaySetterPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, x := net.Pipe()
		b, _ := net.Pipe()
		a := &panicky{x}
		ctx, cancel := cancellable()
		time.AfterFunc(time.Second, cancel)
		if v := panicked(func() { Relay(ctx, a, b) }); v != errTest {
			t.Errorf("recovered %v", v)
		}
		client.Close() // ends the read of a
	})
}

// A panicky end panics in its deadline setter.
type panicky struct{ net.Conn }

func (p *panicky) SetReadDeadline(time.Time) error { panic(errTest) }

// TestLocateAfterPanic checks that an end that has panicked is not asked for its
// addresses.
func TestLocateAfterPanic(t *testing.T) {
	f := newFlow(io.Discard, hopeless{}, configure(nil).towards(ToB), seam.NewToken())
	e := &Error{Side: Source, Err: errExited}
	if f.locate(e, Stats{}); e.Direction != ToB || e.Local != nil {
		t.Errorf("%+v", e)
	}
}

// A hopeless end panics whatever it is asked.
type hopeless struct{ io.Reader }

func (hopeless) LocalAddr() net.Addr         { panic(errTest) }
func (hopeless) Boundary() vectored.Boundary { return vectored.Stream }
