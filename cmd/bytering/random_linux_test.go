package main

import (
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestSignalAnytime: whatever it does when a signal comes, it ends soon, and
// what arrived is what it says, to the byte and in order.
func TestSignalAnytime(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	for i := range 30 {
		sig := ends[i/3%len(ends)]
		delay := time.Duration(chance.Int64N(int64(40 * time.Millisecond)))
		pace := someTimes(chance.Uint64())
		p := prepare(t, []string{"-m1M", "-s4K", "-m100K", "-q"}[chance.IntN(4)])
		var w *way
		switch i % 3 {
		case 0:
			w = pipeToPipe(t, p, pace)
		case 1:
			w = fifoToFIFO(t, p, pace)
		case 2:
			w = fileToFile(t, p, 48<<20)
		}
		p.startDefault(sig)
		stop, fed := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(fed)
			if w.feed == nil {
				return
			}
			slow := someTimes(seed + uint64(i))
			w.feed(func() bool {
				slow()
				return isClosed(stop)
			})
		}()
		eventually(t, "something moved", w.moving)
		time.Sleep(delay)
		begin := time.Now()
		p.Process.Signal(sig)
		code, said := p.over()
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("%s: %v took effect after %v", w.name, sig, d)
		}
		close(stop)
		<-fed
		// A file may have been copied before.
		if code == exitDone && w.feed == nil && said == "" {
			continue
		}
		if code != 128+int(sig) && (code != exitDone || w.feed != nil) {
			t.Errorf("%s: exit code %d after %v; %q", w.name, code, sig, said)
		}
		if !w.check(t, said) {
			t.Errorf("%s: %q is not exact", w.name, said)
		}
		t.Logf("%s, %v after %v: %s", w.name, sig, delay, said)
		if w.feed == nil {
			os.Remove(w.to)
			os.Remove(w.from)
		}
	}
}

// someTimes returns a function that now and then waits a little.
func someTimes(seed uint64) func() {
	chance := rand.New(rand.NewPCG(seed, 1))
	often := 1 + chance.IntN(200)
	return func() {
		if chance.IntN(often) == 0 {
			time.Sleep(time.Duration(chance.IntN(3000)) * time.Microsecond)
		}
	}
}

// TestSignalTwice: what sends one signal to the process and its group, such as
// timeout, sends two, and gets its answer.
func TestSignalTwice(t *testing.T) {
	p := prepare(t)
	w := pipeToPipe(t, p, func() {})
	p.startDefault(syscall.SIGTERM)
	stop := make(chan struct{})
	go w.feed(func() bool { return isClosed(stop) })
	eventually(t, "something moved", w.moving)
	for range 5 {
		p.Process.Signal(syscall.SIGTERM)
	}
	said := p.end(128+int(syscall.SIGTERM), 1)
	close(stop)
	if !w.check(t, said) {
		t.Errorf("%q is not exact", said)
	}
}

// isClosed tells whether c is.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
