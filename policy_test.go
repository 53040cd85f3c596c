//go:build !interleave

package bytering

import (
	"context"
	"io"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// long is a budget that no test outlives: whatever ends before it ended the
// spin and not the park that follows.
const long = time.Hour

// spins runs f on a goroutine and do after it has begun to spin, and returns
// what f did.
func spins(t *testing.T, f func() (int, error), do func()) result {
	t.Helper()
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("with one processor nothing spins")
	}
	done := make(chan result, 1)
	go func() { n, err := f(); done <- result{n, err} }()
	time.Sleep(time.Millisecond) // it passes without, too
	do()
	select {
	case r := <-done:
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("it spins on")
		panic("unreachable")
	}
}

// TestSpinEnds: whatever ends a parked call also ends one that spins.
func TestSpinEnds(t *testing.T) {
	opt := Spin(long)
	full := func() (*Producer, *Consumer) {
		p, c := pair(t, 8, opt)
		fill(t, p, 8)
		return p, c
	}
	for _, e := range enders {
		p, c := full()
		got := spins(t, func() (int, error) { return p.Write([]byte("x")) }, func() {
			closeHalf(p, c, e.other, e.err)
		})
		if got.err == nil {
			t.Errorf("Write ends with nil after %s", e.name)
		}
		p, c = pair(t, 8, opt)
		got = spins(t, func() (int, error) { return c.Read(make([]byte, 1)) }, func() {
			closeHalf(p, c, !e.other, e.err)
		})
		if got.err == nil {
			t.Errorf("Read ends with nil after %s", e.name)
		}
	}

	p, c := full()
	got := spins(t, func() (int, error) { return p.Write(make([]byte, 2)) }, func() { c.Discard(8) })
	want(t, "Write", got.n, got.err, 2, nil)
	p, c = pair(t, 8, opt)
	got = spins(t, func() (int, error) { return c.Read(make([]byte, 2)) }, func() { fill(t, p, 2) })
	want(t, "Read", got.n, got.err, 2, nil)

	p, _ = full()
	got = spins(t, func() (int, error) { return p.Write(make([]byte, 2)) }, func() { p.SetWriteDeadline(time.Now()) })
	want(t, "Write", got.n, got.err, 0, os.ErrDeadlineExceeded)
	_, c = pair(t, 8, opt)
	got = spins(t, func() (int, error) { return c.Read(make([]byte, 2)) }, func() { c.SetReadDeadline(time.Now()) })
	want(t, "Read", got.n, got.err, 0, os.ErrDeadlineExceeded)

	ctx, cancel := context.WithCancelCause(forever)
	p, c = full()
	got = spins(t, func() (int, error) { return 0, p.Wait(ctx, 1) }, func() { cancel(errTest) })
	want(t, "Wait", got.n, got.err, 0, errTest)
	c.Discard(8)
	got = spins(t, func() (int, error) { return 0, c.Wait(ctx, 1) }, func() {})
	want(t, "Wait", got.n, got.err, 0, errTest)
}

// closeHalf closes one of the halves, with an error if there is one.
func closeHalf(p *Producer, c *Consumer, consumer bool, err error) {
	if consumer {
		c.CloseWithError(err)
	} else {
		p.CloseWithError(err)
	}
}

// TestSpinStarving: a writer that spins for a quarter takes less when the
// consumer has parked for more than there is.
func TestSpinStarving(t *testing.T) {
	p, c := pair(t, 100, Spin(long))
	unstuck(t, p)
	c.spinner = spinner{} // it parks at once
	fill(t, p, 100)
	got := spins(t, func() (int, error) { return p.Write(stream(100, 40)) }, func() {
		c.Discard(10)
		if b, err := c.Peek(95); len(b) != 95 || err != nil {
			t.Errorf("Peek = %d bytes, %v", len(b), err)
		}
		c.Discard(c.Len())
	})
	want(t, "Write", got.n, got.err, 40, nil)
}

// TestSpinInBubble: the clock of a bubble stands still while a goroutine runs,
// and a spin ends nevertheless.
func TestSpinInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := pair(t, 8, Spin(time.Millisecond))
		r := start(func() (int, error) { return c.Read(make([]byte, 1)) })
		r.stays(t, "Read")
		c.Close()
		r.ends(t, "Read", 0, io.ErrClosedPipe)
	})
}

func TestNoSpin(t *testing.T) {
	if s := (spinner{}); s.wanted() {
		t.Error("Park spins")
	}
	for _, budget := range []time.Duration{0, -1} {
		cfg := config{spin: 1}
		Spin(budget)(&cfg)
		if s := (spinner{budget: cfg.spin}); s.wanted() {
			t.Errorf("Spin(%v) spins", budget)
		}
	}
	s := spinner{budget: long}
	if yes := runtime.GOMAXPROCS(0) > 1; s.wanted() != yes {
		t.Errorf("Spin spins: %v", !yes)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s = spinner{budget: long}
	if s.wanted() {
		t.Error("Spin spins with one processor")
	}
	for range 2 * procsEvery {
		if s.wanted() {
			t.Fatal("it begins to spin with one processor")
		}
	}
}

// TestPoliciesMove passes a stream by each policy, checked, in a ring so small
// that both halves wait all the time.
func TestPoliciesMove(t *testing.T) {
	for name, opt := range map[string]Option{
		"Park": Park(), "Spin": Spin(10 * time.Microsecond),
	} {
		p, c := pair(t, 100, opt)
		const total = 300_000
		go func() {
			for pos := 0; pos < total; pos += 30 {
				p.Write(stream(uint64(pos), 30))
			}
			p.Close()
		}()
		b, pos := make([]byte, 64), 0
		for {
			n, err := c.Read(b)
			if err := checkStream(b[:n], uint64(pos)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if pos += n; err != nil {
				if pos != total || err != io.EOF {
					t.Errorf("%s: %d bytes, %v", name, pos, err)
				}
				break
			}
		}
	}
}
