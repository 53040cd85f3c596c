//go:build interleave

package bytering

import (
	"context"
	"io"

	"github.com/bytering/bytering/internal/interleave"
)

// A pinner is a half with two bytes in the hands of operations. It commits or
// discards the first while the second is still in use.
type pinner struct {
	name string
	pin  func(w *world)
	work func(w *world) // false from Slices means that the half was closed before
	back func(w *world)
}

func pinners() []pinner {
	mayBeClosed := func(w *world, err error) {
		if err != nil && err != io.ErrClosedPipe {
			w.Fail("%v", err)
		}
	}
	return []pinner{
		{"producer", func(w *world) { w.p.Pin() }, func(w *world) {
			if a, b := w.p.Slices(); len(a)+len(b) == 2 {
				first, second := cut(a, b)
				w.fill(2, 1, first)
				mayBeClosed(w, w.p.Commit(1))
				w.fill(3, 1, second)
				w.p.Slices()
				if w.p.Err() == nil { // otherwise Slices had none
					mayBeClosed(w, w.p.Commit(0))
				}
				w.fill(3, 1, second)
			}
		}, func(w *world) { w.p.Unpin() }},
		{"consumer", func(w *world) { w.c.Pin() }, func(w *world) {
			if a, b := w.c.Slices(); len(a)+len(b) == 2 {
				first, second := cut(a, b)
				w.use(0, 1, first)
				mayBeClosed(w, w.c.Discard(1))
				w.use(1, 1, second)
				w.c.Slices()
				mayBeClosed(w, w.c.Discard(0))
				w.use(1, 1, second)
			}
		}, func(w *world) { w.c.Unpin() }},
	}
}

// cut returns the two bytes of a and b, each in a slice of its own.
func cut(a, b []byte) (first, second []byte) {
	if len(b) > 0 {
		return a, b
	}
	return a[:1], a[1:]
}

// closedPinned closes both halves while one is pinned, once or twice, and takes
// so many pins back.
func closedPinned(x pinner, pins, unpins int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 4, 1, near)
		w.pinned = pins > unpins
		w.p.Write(stream(0, 2))
		w.Go("owner", func() {
			for range pins {
				x.pin(w)
			}
			x.work(w)
			for range unpins {
				x.back(w)
			}
		})
		w.Go("third", func() { w.p.Close(); w.c.Close() })
	}
}

// unpinnedLending takes a pin back while slices are lent: they stay.
func unpinnedLending(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.p.Write(stream(0, 2))
	w.Go("owner", func() {
		w.c.Pin()
		a, b := w.c.Slices()
		w.c.Unpin()
		w.use(0, len(a)+len(b), a, b)
		w.c.Discard(0)
	})
	w.Go("third", func() { w.p.Close(); w.c.Close() })
}

// broadcastPinned closes a pinned consumer of two that has discarded the first of
// its bytes: the producer must not overwrite the second before the pin is back.
func broadcastPinned(t *interleave.T) {
	w := ringOf(t, 2, 2, near)
	w.p.Write(stream(0, 2))
	w.cs[1].Read(make([]byte, 2))
	w.Go("producer", func() { w.p.Write(stream(2, 4)); w.p.Close() })
	w.Go("holder", func() {
		w.c.Pin()
		pinners()[1].work(w)
		w.c.Unpin()
	})
	w.Go("closer", func() { w.c.Close() })
	w.Go("last", func() {
		if n, err := w.cs[1].Read(make([]byte, 1)); n != 1 {
			w.Fail("the other consumer read %d, %v", n, err)
		}
		w.cs[1].Close()
	})
}

// waitEnd waits for the end while the consumer moves, and is then closed.
func waitEnd(third bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		w.p.Write(stream(0, 1))
		w.Go("producer", func() {
			if err := w.p.WaitEnd(context.Background()); err != io.ErrClosedPipe {
				w.Fail("WaitEnd: %v", err)
			}
		})
		w.Go("consumer", func() {
			w.c.TryRead(make([]byte, 1))
			if !third {
				w.c.Close()
			}
		})
		if third {
			w.Go("third", func() { w.p.Close() })
		}
	}
}

// A hunger is a way in which the consumer waits for all that a ring of 3 holds.
type hunger struct {
	name string
	wait func(w *world)
}

func hungry() []hunger {
	return []hunger{
		{"peek", func(w *world) {
			if b, err := w.c.Peek(3); len(b) != 3 || err != nil {
				w.Fail("Peek: %d bytes, %v", len(b), err)
			}
		}},
		{"wait", func(w *world) { w.c.Wait(context.Background(), 3) }},
		{"notify", func(w *world) {
			var ran interleave.Uint32
			for w.c.Notify(3, func() { ran.Store(1) }) && ran.Load() == 0 {
				interleave.Spin()
			}
		}},
		{"slices", func(w *world) {
			for w.c.Len() < 3 {
				w.c.Slices()
				interleave.Spin()
			}
		}},
		{"discard", func(w *world) { // the last byte that is free comes from it
			w.c.Read(make([]byte, 1))
			w.c.Wait(context.Background(), 2)
		}},
	}
}

// waitSoft waits softly for all of a ring of 3, with so much of it free, and puts
// a byte in each time, while the consumer needs them.
func waitSoft(free int, wait func(w *world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 3, 1, near)
		w.p.Write(stream(0, 3-free))
		w.Go("producer", func() {
			for at := 3 - free; at < 3; {
				if err := w.p.WaitSoft(context.Background(), 3); err != nil {
					w.Fail("WaitSoft: %v", err)
				}
				n, _ := w.p.TryWrite(stream(at, at+1))
				at += n
			}
		})
		w.Go("consumer", func() { wait(w) })
	}
}

func pinScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	for _, x := range pinners() {
		add(3, onMapping(closedPinned(x, 1, 1)), "mapped/pinned/%s", x.name)
		add(2, onMapping(closedPinned(x, 2, 2)), "mapped/pinned-twice/%s", x.name)
		add(2, onMapping(closedPinned(x, 2, 1)), "mapped/never-unpinned/%s", x.name)
	}
	for _, x := range hungry() {
		for free := 1; free <= 2; free++ {
			add(3, waitSoft(free, x.wait), "wait-soft/%s/free=%d", x.name, free)
		}
	}
	add(-1, waitEnd(false), "wait-end/consumer-closes/unbounded")
	add(-1, waitEnd(true), "wait-end/third-closes/unbounded")
	add(3, onMapping(unpinnedLending), "mapped/unpinned-lending")
	add(1, broadcastPinned, "broadcast/pinned")
	add(1, onMapping(broadcastPinned), "mapped/broadcast-pinned")
}
