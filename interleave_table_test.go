//go:build interleave

package bytering

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/bytering/bytering/internal/interleave"
)

// The scenarios of this file are made from a table: how a consumer waits for more
// than it has, which call the producer waits in, and what happens meanwhile. Most
// of them come to a standstill, because most consumers stop reading. In a
// standstill no half may wait that could be served.

// A court is a world whose threads record what they wait for.
type court struct {
	*world
	wants []int // bytes that each consumer waits for, 0 if it does not wait
	asks  ask
}

// An ask is what a producer waits for.
type ask struct {
	bytes int    // 0 if it does not wait
	soft  bool   // whether any byte will do
	end   uint64 // for a Write, the write cursor after all is written
}

// judge is the oracle. It looks at the cursors and at what the threads have
// recorded, not at targets and notes.
func (x *court) judge() error {
	r := x.p.ring
	write := r.producer.cursor.Raw() & cursorMask
	free, open, hungry := r.size, false, -1
	for i, rd := range r.consumers {
		has := distance(rd.cursor.Raw()&cursorMask, write)
		over := r.producer.cursor.Raw()&closed != 0 || rd.cursor.Raw()&closed != 0
		switch {
		case x.wants[i] == 0:
		case has >= x.wants[i] || over:
			return fmt.Errorf("consumer %d waits for %d bytes with %d there, closed: %t", i, x.wants[i], has, over)
		default:
			hungry = i
		}
		if rd.hold.Raw() != closing {
			free, open = min(free, r.size-has), true
		}
	}
	asks := x.asks
	if asks.end != 0 {
		asks.bytes = min(distance(write, asks.end), r.quarter())
	}
	switch {
	case asks.bytes == 0:
	case !open:
		return fmt.Errorf("the producer waits with all consumers closed")
	case free >= asks.bytes:
		return fmt.Errorf("the producer waits for %d bytes with %d free", asks.bytes, free)
	case asks.soft && free > 0 && hungry >= 0:
		return fmt.Errorf("the producer waits softly with %d bytes free while consumer %d waits for %d bytes", free, hungry, x.wants[hungry])
	}
	return nil
}

// A way is a way in which consumer i waits for n bytes.
type way struct {
	name string
	wait func(x *court, i, n int)
}

func ways() []way {
	polling := func(look func(c *Consumer)) func(x *court, i, n int) {
		return func(x *court, i, n int) {
			for c := x.cs[i]; c.Len() < n && c.ring.producer.cursor.Load()&closed == 0; interleave.Spin() {
				look(c)
			}
		}
	}
	return []way{
		{"read", func(x *court, i, _ int) { // waits for the next byte
			c := x.cs[i]
			c.Discard(c.Len())
			x.wants[i] = 1
			c.Read(make([]byte, 1))
		}},
		{"peek", func(x *court, i, n int) { x.cs[i].Peek(n) }},
		{"wait", func(x *court, i, n int) { x.cs[i].Wait(context.Background(), n) }},
		{"notify", func(x *court, i, n int) { x.waiter().told(x.cs[i].Notify, n) }},
		{"ready", func(x *court, i, _ int) { // waits for the next byte
			c := x.cs[i]
			c.Discard(c.Len())
			x.wants[i] = 1
			c.armReady()
			c.readiness.token.Take(nil)
		}},
		{"spin", func(x *court, i, n int) {
			for c := x.cs[i]; !c.spin(context.Background(), exactly(n)); interleave.Spin() {
			}
		}},
		{"poll-ioslices", polling(func(c *Consumer) {
			c.IOSlices(func([][]byte, int) (int, error) { return 0, nil })
		})},
		{"poll-slices", polling(func(c *Consumer) { c.Slices() })},
		{"poll-slices-at-least", polling(func(c *Consumer) { c.SlicesAtLeast(c.Cap()) })},
		{"poll-slices-of-nothing", func(x *court, i, _ int) {
			c := x.cs[i]
			c.Discard(c.Len())
			x.wants[i] = 1
			for ; c.ring.producer.cursor.Load()&closed == 0; interleave.Spin() {
				if a, _ := c.Slices(); len(a) > 0 {
					return
				}
			}
		}},
		{"poll-discard", polling(func(c *Consumer) { c.Discard(0) })},
		{"poll-tryread", polling(func(c *Consumer) { c.TryRead(nil) })},
	}
}

// A use is a call in which the producer waits, with more to write than fits.
type use struct {
	name string
	call func(x *court, from, n int)
}

func uses() []use {
	return []use{
		{"write", func(x *court, from, n int) {
			x.asks = ask{soft: true, end: (near + uint64(from+n)) & cursorMask}
			x.p.Write(numbers(from, from+n))
			x.asks = ask{}
		}},
		{"readfrom", func(x *court, from, n int) {
			x.asks = ask{bytes: x.p.ring.quarter(), soft: true}
			at, end := from, from+n
			x.p.ReadFrom(readerFunc(func(b []byte) (int, error) {
				m := min(len(b), end-at)
				x.fill(at, m, b)
				if at += m; at == end {
					x.asks = ask{}
					return m, io.EOF
				}
				return m, nil
			}))
		}},
		{"wait", func(x *court, from, n int) {
			x.asks = ask{bytes: n}
			x.p.Wait(context.Background(), n)
			x.asks = ask{}
		}},
		{"notify", func(x *court, from, n int) {
			x.asks = ask{bytes: n}
			x.waiter().told(x.p.Notify, n)
			x.asks = ask{}
		}},
	}
}

// A move is what happens while the producer and consumer 0 wait.
type move struct {
	name   string
	before int // bytes that consumer 0 gives back before it waits
	after  func(x *court, c *Consumer)
}

func moves() []move {
	return []move{
		{"nobody", 0, nil},
		{"itself", 1, nil},
		{"another", 1, func(x *court, c *Consumer) { c.Discard(1) }},
		{"another-after-a-spurious-token", 1, func(x *court, c *Consumer) {
			x.c.setDeadline(0)
			c.Discard(1)
		}},
		{"another-by-slices", 1, func(x *court, c *Consumer) { c.Slices(); c.Discard(1) }},
		{"another-closes", 1, func(x *court, c *Consumer) { c.Close() }},
		{"another-is-released", 1, func(x *court, c *Consumer) { c.Slices(); c.Close(); c.Discard(0) }},
	}
}

// table returns the scenario of one way, use and move on a full ring. If there are
// several consumers, the second is the one that moves, and the third has taken all.
func table(capacity, consumers int, wy way, us use, mv move) func(*interleave.T) {
	before := mv.before
	if capacity == 3 {
		before *= 2
	}
	return func(t *interleave.T) {
		x := &court{world: ringOf(t, capacity, consumers, near), wants: make([]int, consumers)}
		leastWant = 2
		x.Standstill(x.judge)
		x.p.Write(numbers(0, capacity))
		if consumers == 3 {
			x.cs[2].Discard(capacity)
		}
		x.Go("producer", func() { us.call(x, capacity, 2) })
		x.Go("waiting", func() {
			x.c.Discard(before)
			x.wants[0] = capacity
			wy.wait(x, 0, capacity)
			x.wants[0] = 0
		})
		switch {
		case consumers == 1:
		case mv.after == nil:
			x.cs[1].Discard(1)
		default:
			x.Go("another", func() { mv.after(x, x.cs[1]) })
		}
	}
}

// tableBound keeps the whole table within minutes. One consumer on a small ring is
// explored without a bound, except when it polls, because polls go round in
// circles.
func tableBound(consumers, capacity int, wy way) int {
	switch {
	case consumers == 1 && capacity < 8 && !strings.HasPrefix(wy.name, "poll"):
		return -1
	case capacity < 8:
		return 4 - consumers
	}
	return max(1, 3-consumers)
}

func tableScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	for consumers := 1; consumers <= 3; consumers++ {
		for _, capacity := range []int{2, 3, 8} {
			for _, wy := range ways() {
				for _, us := range uses() {
					for _, mv := range moves() {
						if consumers == 1 && mv.after != nil {
							continue
						}
						add(tableBound(consumers, capacity, wy), table(capacity, consumers, wy, us, mv),
							"table/consumers=%d/capacity=%d/%s/%s/%s", consumers, capacity, wy.name, us.name, mv.name)
					}
				}
			}
		}
	}
}
