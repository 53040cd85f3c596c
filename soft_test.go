//go:build !interleave

package bytering

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// The bytes that a consumer which waits for more than it has gets are those
// that a Write could not put into a full ring before.
var waitsForMore = map[string]func(c *Consumer, n int) (done func() bool){
	"Read": func(c *Consumer, n int) func() bool {
		return inBackground(func() { c.Discard(c.Len()); c.Read(make([]byte, 1)) })
	},
	"Peek": func(c *Consumer, n int) func() bool { return inBackground(func() { c.Peek(n) }) },
	"Wait": func(c *Consumer, n int) func() bool { return inBackground(func() { c.Wait(context.Background(), n) }) },
	"Notify": func(c *Consumer, n int) func() bool {
		told := false
		c.Notify(n, func() { told = true })
		return isTrue(&told)
	},
	"Ready": func(c *Consumer, n int) func() bool {
		c.Discard(c.Len())
		ready := c.Ready()
		return inBackground(func() { <-ready })
	},
	"IOSlices of nothing": polls(func(c *Consumer) {
		c.IOSlices(func([][]byte, int) (int, error) { return 0, nil })
	}),
	"Slices":             polls(func(c *Consumer) { c.Slices(); c.Slices() }),
	"SlicesAtLeast":      polls(func(c *Consumer) { c.SlicesAtLeast(8) }),
	"Discard of nothing": polls(func(c *Consumer) { c.Discard(0) }),
	"TryRead of nothing": polls(func(c *Consumer) { c.TryRead(nil) }),
	"TryRead of an empty ring": func(c *Consumer, n int) func() bool {
		c.Discard(c.Len())
		b := make([]byte, 1)
		return func() bool { m, _ := c.TryRead(b); synctest.Wait(); k, _ := c.TryRead(b); return m+k > 0 }
	},
}

func inBackground(f func()) func() bool {
	done := false
	go func() { f(); done = true }()
	return isTrue(&done)
}

func isTrue(b *bool) func() bool { return func() bool { synctest.Wait(); return *b } }

// polls looks once and then whether the bytes have come.
func polls(look func(c *Consumer)) func(*Consumer, int) func() bool {
	return func(c *Consumer, n int) func() bool {
		return func() bool { look(c); synctest.Wait(); return c.Len() >= n }
	}
}

// A Write or ReadFrom that waits for a quarter of the ring takes one free byte
// for a consumer that waits for more than it has, whichever came first.
func TestOneFreeByteServesWhoWaits(t *testing.T) {
	writes := map[string]func(p *Producer){
		"Write":    func(p *Producer) { p.Write(stream(p.Position(), 12)) },
		"ReadFrom": func(p *Producer) { p.ReadFrom(&source{p.Position(), 12}) },
	}
	for write, run := range writes {
		for wait, begin := range waitsForMore {
			for _, order := range []string{"the space", "the wait"} {
				name := write + ", " + wait + ", first " + order
				synctest.Test(t, func(t *testing.T) {
					p, cs := cast(t, 8, 2)
					a, b := cs[0], cs[1]
					go run(p)
					synctest.Wait()
					// One of two consumers has 8 bytes and gives back what it takes
					// to need one more; the other gives back one.
					var done func() bool
					if order == "the wait" {
						a.Discard(1)
						done = begin(a, 8)
						synctest.Wait()
						b.Discard(1)
					} else {
						a.Discard(1)
						b.Discard(1)
						done = begin(a, 8)
					}
					if !done() {
						t.Errorf("%s: no byte comes, with %d free", name, p.Free())
					}
					p.Close()
					a.Close()
					b.Close()
				})
			}
		}
	}
}

// The same with one consumer, which gives back a byte before it waits.
func TestOneFreeByteServesTheConsumer(t *testing.T) {
	for wait, begin := range waitsForMore {
		synctest.Test(t, func(t *testing.T) {
			p, c := pair(t, 8)
			go p.Write(stream(0, 12))
			synctest.Wait()
			c.Discard(1)
			if done := begin(c, 8); !done() {
				t.Errorf("%s: no byte comes, with %d free", wait, p.Free())
			}
			p.Close()
			c.Close()
		})
	}
}

// While no consumer waits, a Write waits for a quarter of the ring, and a Wait or
// a Notify for what it says in any case.
func TestOneFreeByteIsNotEnoughOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, cs := cast(t, 8, 2)
		fill(t, p, 8)
		done := inBackground(func() { p.Write(stream(8, 8)) })
		for i, c := range cs {
			c.Discard(1)
			if synctest.Wait(); p.Position() != 8 {
				t.Errorf("Write went on after %d of 2 consumers had given back a byte", i+1)
			}
		}
		cs[0].Discard(1)
		cs[1].Discard(1)
		if synctest.Wait(); p.Position() != 10 || done() {
			t.Errorf("Write is at %d, not at 10", p.Position())
		}
		p.Close()
	})
	for _, wait := range []string{"Wait", "Notify"} {
		synctest.Test(t, func(t *testing.T) {
			p, c := pair(t, 8)
			fill(t, p, 8)
			var told func() bool
			if wait == "Notify" {
				f := false
				p.Notify(2, func() { f = true })
				told = isTrue(&f)
			} else {
				told = inBackground(func() { p.Wait(context.Background(), 2) })
			}
			synctest.Wait()
			c.Discard(1)
			go c.Peek(8)
			if told() {
				t.Errorf("%s of 2 has come true with %d free", wait, p.Free())
			}
			p.Close()
		})
	}
}

func spinsOrSkip(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("nothing spins on one processor")
	}
}

// unstuck ends the ring of p with an error if the test comes to a standstill, so
// that it fails soon and does not hang.
func unstuck(t *testing.T, p *Producer) {
	timer := time.AfterFunc(30*time.Second, func() { p.CloseWithError(errors.New("a standstill")) })
	t.Cleanup(func() { timer.Stop() })
}

// Halves that spin don't spin at each other: with a budget of an hour they would
// come to a standstill.
func TestSpinningHalvesServeEachOther(t *testing.T) {
	spinsOrSkip(t)
	p, c := pair(t, 8, Spin(time.Hour))
	unstuck(t, p)
	go func() { p.Write(stream(0, 107)); p.Close() }()
	for at := range uint64(100) {
		b, err := c.Peek(8)
		if bad := checkStream(b, at); bad != nil || err != nil {
			t.Fatalf("Peek: %v, %v", err, bad)
		}
		c.Discard(1)
	}
}

func TestSpinningConsumerIsServed(t *testing.T) {
	spinsOrSkip(t)
	p, cs := cast(t, 8, 2, Spin(time.Hour))
	unstuck(t, p)
	wrote := make(chan error)
	go func() { _, err := p.Write(stream(0, 12)); wrote <- err }()
	read := make(chan error)
	go func() { _, err := io.ReadFull(cs[0], make([]byte, 9)); read <- err }()
	for cs[0].Len() > 0 || p.Position() < 8 { // until the first consumer wants the ninth
		time.Sleep(time.Millisecond)
	}
	cs[1].Discard(1)
	if err := <-read; err != nil {
		t.Error(err)
	}
	cs[1].Discard(cs[1].Len())
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}
