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

// A relayed is what Relay returned.
type relayed struct {
	toB, toA Stats
	err      error
}

func startRelay(ctx context.Context, a, b io.ReadWriter, opts ...Option) <-chan relayed {
	done := make(chan relayed, 1)
	go func() {
		toB, toA, err := Relay(ctx, a, b, opts...)
		done <- relayed{toB, toA, err}
	}()
	return done
}

type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// question plays a client that ends its request and then reads the response, and a
// server that responds once the request has ended.
func question(t *testing.T, client, a, b, server halfCloser) {
	t.Helper()
	const request, response = 100_001, 300_001
	var meter Meter
	done := startRelay(context.Background(), a, b, Capacity(10_000), WithMeter(&meter))
	go func() {
		client.Write(stream(request))
		client.CloseWrite()
	}()
	got, err := io.ReadAll(server)
	if err != nil {
		t.Fatal(err)
	}
	arrived(t, got, request)
	all := readAll(client)
	server.Write(stream(response))
	server.Close()
	arrived(t, <-all, response)
	r := <-done
	if r.err != nil {
		t.Error(r.err)
	}
	moved(t, r.toB, request, request)
	moved(t, r.toA, response, response)
	moved(t, meter.Stats(), request+response, request+response)
	if m, n := meter.Stats().Sink.Calls, r.toB.Sink.Calls+r.toA.Sink.Calls; m != n {
		t.Errorf("the meter has %d writes, both directions have %d", m, n)
	}
}

func TestRelayTCP(t *testing.T) {
	client, a := tcp(t)
	b, server := tcp(t)
	question(t, client, a, b, server)
}

// TestRelayBothWays has the streams cross. Each is longer than all buffers between.
func TestRelayBothWays(t *testing.T) {
	const size = 3_000_001
	client, a := tcp(t)
	b, server := tcp(t)
	done := startRelay(context.Background(), a, b)
	var all []<-chan []byte
	for _, c := range []halfCloser{client, server} {
		all = append(all, readAll(c))
		go func() { c.Write(stream(size)); c.CloseWrite() }()
	}
	for _, got := range all {
		arrived(t, <-got, size)
	}
	r := <-done
	if r.err != nil {
		t.Error(r.err)
	}
	moved(t, r.toB, size, size)
	moved(t, r.toA, size, size)
}

// TestRelayWithoutHalfClose checks that each stream ends by itself.
func TestRelayWithoutHalfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, a := net.Pipe()
		b, server := net.Pipe()
		done := startRelay(context.Background(), a, b)
		go client.Write(stream(1000))
		got := make([]byte, 1000)
		io.ReadFull(server, got)
		arrived(t, got, 1000)
		go server.Write(stream(500))
		got = got[:500]
		io.ReadFull(client, got)
		arrived(t, got, 500)
		client.Close()
		synctest.Wait()
		select {
		case r := <-done:
			t.Errorf("Relay returned after the end of one stream: %+v", r)
		default:
		}
		server.Close()
		r := <-done
		if r.err != nil {
			t.Error(r.err)
		}
		moved(t, r.toB, 1000, 1000)
		moved(t, r.toA, 500, 500)
	})
}

func TestRelayContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, a := net.Pipe()
		b, server := net.Pipe()
		ctx, cancel := cancellable()
		done := startRelay(ctx, a, b)
		go client.Write(stream(1000))
		io.ReadFull(server, make([]byte, 700))
		go server.Write(stream(500))
		io.ReadFull(client, make([]byte, 200))
		synctest.Wait()
		begin := time.Now()
		cancel()
		r := <-done
		failed(t, r.err, Neither, errTest)
		moved(t, r.toB, 1000, 700)
		moved(t, r.toA, 500, 200)
		if d := time.Since(begin); d != 0 {
			t.Errorf("Relay took %v", d)
		}
		// The ends go on.
		go b.Write([]byte("x"))
		if n, err := server.Read(make([]byte, 2)); n != 1 || err != nil {
			t.Errorf("Read = %d, %v", n, err)
		}
	})
	ctx, cancel := cancellable()
	cancel()
	_, _, err := Relay(ctx, nil, nil)
	safe(t, failed(t, err, Neither, errTest), 0)
}

// A broken end fails in each call for which it has an error.
type broken struct {
	net.Conn
	read, write, closeWrite error
}

func (b *broken) Read(buf []byte) (int, error) {
	if b.read != nil {
		return 0, b.read
	}
	return b.Conn.Read(buf)
}

func (b *broken) Write(buf []byte) (int, error) {
	if b.write != nil {
		return 0, b.write
	}
	return b.Conn.Write(buf)
}

func (b *broken) CloseWrite() error { return b.closeWrite }

// TestRelayFails checks that Relay returns the first error, and that the other
// direction, which waits, is stopped at once.
func TestRelayFails(t *testing.T) {
	for _, tc := range []struct {
		name string
		a, b broken
		side Side
	}{
		{"read of a", broken{read: errTest}, broken{}, Source},
		{"read of b", broken{}, broken{read: errTest}, Source},
		{"write to a", broken{write: errTest}, broken{}, Sink},
		{"write to b", broken{}, broken{write: errTest}, Sink},
		{"CloseWrite of a", broken{closeWrite: errTest}, broken{read: io.EOF}, Sink},
		{"CloseWrite of b", broken{read: io.EOF}, broken{closeWrite: errTest}, Sink},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, a := net.Pipe()
			b, server := net.Pipe()
			tc.a.Conn, tc.b.Conn = a, b
			if tc.a.write != nil {
				go server.Write(stream(10))
			} else {
				go client.Write(stream(10))
				if tc.b.write == nil && tc.a.read == nil {
					go io.ReadFull(server, make([]byte, 10))
				}
			}
			begin := time.Now()
			toB, toA, err := Relay(context.Background(), &tc.a, &tc.b)
			if d := time.Since(begin); d != 0 {
				t.Errorf("%s: Relay took %v, want 0", tc.name, d)
			}
			e := failed(t, err, tc.side, errTest)
			if e.Written > toB.Sink.Bytes+toA.Sink.Bytes {
				t.Errorf("%s: %d bytes are written, the stats are %+v and %+v", tc.name, e.Written, toB, toA)
			}
			for _, c := range []net.Conn{client, a, b, server} {
				c.Close()
			}
		})
	}
}

// TestRelayReset resets the client's connection while the server sends nothing.
func TestRelayReset(t *testing.T) {
	client, a := tcp(t)
	b, server := tcp(t)
	done := startRelay(context.Background(), a, b)
	client.Write(stream(1000))
	io.ReadFull(server, make([]byte, 1000))
	client.SetLinger(0)
	client.Close()
	r := <-done
	e, ok := r.err.(*Error)
	if !ok || e.Side != Source || e.Written != 1000 {
		t.Errorf("error %v, want the source's with 1000 bytes written", r.err)
	}
	// b is not closed and can still be used.
	if n, err := b.Write(stream(10)); n != 10 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
}

func TestRelayOptions(t *testing.T) {
	var b bytes.Buffer
	if _, _, err := Relay(context.Background(), &b, &b, MaxCall(0)); err == nil || err.Error() != "pump: invalid largest call: 0 bytes" {
		t.Errorf("error %v", err)
	}
}
