//go:build unix && !race

package pump

import (
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"
)

// Limits for an idle relay.
const (
	idleGoroutines = 3
	idleMemory     = 24 << 10
)

// TestIdleRelays counts the goroutines, and the bytes of heap and stack, that idle
// relays take: first after five bytes, and then after megabytes have flowed each
// way and the garbage collector has run twice.
func TestIdleRelays(t *testing.T) {
	relays := 1000
	if testing.Short() {
		relays = 100
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pair := func() (a, b *net.TCPConn) {
		x, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Skip(err) // too few descriptors
		}
		y, err := l.Accept()
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { x.Close(); y.Close() })
		return x.(*net.TCPConn), y.(*net.TCPConn)
	}
	type line struct{ client, a, b, server *net.TCPConn }
	lines := make([]line, relays)
	for i := range lines {
		lines[i].client, lines[i].a = pair()
		lines[i].b, lines[i].server = pair()
	}

	before := memory()
	goroutines := runtime.NumGoroutine()
	var done []<-chan relayed
	for _, x := range lines {
		done = append(done, startRelay(t.Context(), x.a, x.b))
	}
	idle := func(what string) {
		t.Helper()
		// The relays come to rest at some point. Each relay has one more goroutine,
		// that of startRelay, which calls Relay.
		for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			n, took := runtime.NumGoroutine()-goroutines, (memory()-before)/int64(relays)
			if n <= relays*idleGoroutines && took <= idleMemory {
				t.Logf("%s: %d bytes for each relay, and %d goroutines for %d", what, took, n, relays)
				return
			}
			if time.Since(begin) > prompt {
				t.Fatalf("%s: %d bytes of heap and stack for each relay, want at most %d; %d goroutines for %d, want at most %d for each",
					what, took, idleMemory, n, relays, idleGoroutines)
			}
		}
	}
	flow := func(from, to *net.TCPConn, n int) {
		go from.Write(make([]byte, n))
		if _, err := io.CopyN(io.Discard, to, int64(n)); err != nil {
			t.Error(err)
		}
	}
	for _, x := range lines {
		flow(x.client, x.server, 5)
		flow(x.server, x.client, 5)
	}
	idle("after five bytes each way")

	var wg sync.WaitGroup
	for _, x := range lines[:relays/10] {
		wg.Go(func() { flow(x.client, x.server, 2<<20) })
		wg.Go(func() { flow(x.server, x.client, 2<<20) })
	}
	wg.Wait()
	idle("after megabytes")

	for _, x := range lines {
		x.client.CloseWrite()
		x.server.CloseWrite()
	}
	for _, d := range done {
		if r := <-d; r.err != nil {
			t.Fatal(r.err)
		}
	}
}

// TestShortRelays checks that relays one after the other use the same rings, and so
// allocate less than a ring each.
func TestShortRelays(t *testing.T) {
	const relays, most = 100, 16 << 10
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would take the free rings
	pool := new(Pool)
	one := func() {
		client, a := tcp(t)
		b, server := tcp(t)
		done := startRelay(t.Context(), a, b, WithPool(pool))
		client.Write(stream(1000))
		client.CloseWrite()
		io.ReadAll(server)
		server.Close()
		if r := <-done; r.err != nil {
			t.Fatal(r.err)
		}
	}
	one()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range relays {
		one()
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) / relays; took > most {
		t.Errorf("each relay allocates %d bytes, want at most %d", took, most)
	} else {
		t.Logf("each relay allocates %d bytes, including its connections", took)
	}
}

// memory returns the bytes of heap and stack in use, after two collections.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
