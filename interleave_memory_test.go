//go:build interleave

package bytering

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/bytering/bytering/internal/interleave"
)

// A fakeMapping is memory of which every touch after Free is a failure. It keeps
// the memory itself, because the ring has forgotten it by then.
type fakeMapping struct {
	mem   []byte
	freed int
}

func (m *fakeMapping) Free() error {
	m.freed++
	interleave.Free(m.mem)
	return nil
}

func (m *fakeMapping) Huge() (int, bool) { return 0, false }

// mapNext makes the memory of the next rings one that is to be unmapped.
var mapNext bool

// onMapping is a scenario on such a ring.
func onMapping(run func(*interleave.T)) func(*interleave.T) {
	return func(t *interleave.T) {
		mapNext = true
		defer func() { mapNext = false }()
		run(t)
	}
}

// unmapped checks at rest that the memory was freed once if all halves are
// closed and nothing is lent, and else not at all.
func (w *world) unmapped() error {
	if w.mapping == nil {
		return nil
	}
	want := 1
	if !w.p.closed() || w.p.lent > 0 || w.pinned && w.p.held {
		want = 0
	}
	for _, c := range w.cs {
		if !c.closed() || c.lent > 0 || w.pinned && c.held {
			want = 0
		}
	}
	if n := w.mapping.freed; n != want {
		return fmt.Errorf("the memory was unmapped %d times, want %d", n, want)
	}
	return nil
}

// write and read go on until an error comes, which must be that of a Close.
func (w *world) write(chunk int) {
	if n, err := w.writeAll(3, chunk); n < 3 && err != io.ErrClosedPipe {
		w.Fail("wrote %d, %v", n, err)
	}
}

func (w *world) read(c *Consumer) {
	if n, err := w.readAll(c, 2); err != io.ErrClosedPipe && err != io.EOF {
		w.Fail("read %d, %v", n, err)
	}
}

// bothCloseThemselves has each half closed by its owner, at work or after it.
func bothCloseThemselves(capacity int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		w.Go("producer", func() { w.write(3); w.p.Close() })
		w.Go("consumer", func() { w.c.Read(make([]byte, 1)); w.c.Close() })
	}
}

// closedAtWork has each half closed from aside while it works or is parked.
func closedAtWork(capacity int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		w.Go("producer", func() { w.write(2) })
		w.Go("consumer", func() { w.read(w.c) })
		w.Go("closer of p", func() { w.p.Close() })
		w.Go("closer of c", func() { w.c.Close() })
	}
}

// closedParked closes both halves while one, of a ring that is full or empty,
// is parked.
func closedParked(filled int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		w.p.Write(stream(0, filled))
		if filled > 0 {
			w.Go("producer", func() { w.p.Write(stream(1, 2)) })
		} else {
			w.Go("consumer", func() { w.read(w.c) })
		}
		w.Go("third", func() { w.c.Close(); w.p.Close() })
	}
}

// closedTwice closes each half from two sides.
func closedTwice(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("owner of p", func() { w.p.TryWrite(stream(0, 1)); w.p.Close() })
	w.Go("owner of c", func() { w.c.TryRead(make([]byte, 1)); w.c.Close() })
	w.Go("third", func() { w.p.Close(); w.c.Close() })
}

// A lender is a way to have memory of a ring with a byte in it and one free.
type lender struct {
	name string
	take func(w *world) // and use, twice
	back func(w *world) error
}

func lenders() []lender {
	fill := func(w *world, bufs ...[]byte) { w.fill(1, 1, bufs...); w.fill(1, 1, bufs...) }
	use := func(w *world, bufs ...[]byte) { w.use(0, 1, bufs...); w.use(0, 1, bufs...) }
	commit := func(w *world) error { return w.p.Commit(0) }
	discard := func(w *world) error { return w.c.Discard(0) }
	nothing := func(w *world) error { return nil }
	panicking := func(f func()) {
		defer func() {
			if v := recover(); v != nil && v != errCustom {
				panic(v)
			}
		}()
		f()
	}
	return []lender{
		{"producer's-slices", func(w *world) { a, b := w.p.Slices(); fill(w, a, b) }, commit},
		{"consumer's-slices", func(w *world) { a, b := w.c.Slices(); use(w, a, b) }, discard},
		{"peek", func(w *world) { a, _ := w.c.Peek(1); use(w, a) }, discard},
		{"producer's-callback", func(w *world) {
			w.p.IOSlices(func(bufs [][]byte, n int) (int, error) { fill(w, bufs...); return n, nil })
		}, nothing},
		{"consumer's-callback", func(w *world) {
			w.c.IOSlices(func(bufs [][]byte, n int) (int, error) { use(w, bufs...); return n, nil })
		}, nothing},
		{"producer's-panic", func(w *world) {
			panicking(func() {
				w.p.IOSlices(func(bufs [][]byte, n int) (int, error) { fill(w, bufs...); panic(errCustom) })
			})
		}, nothing},
		{"consumer's-panic", func(w *world) {
			panicking(func() {
				w.c.IOSlices(func(bufs [][]byte, n int) (int, error) { use(w, bufs...); panic(errCustom) })
			})
		}, nothing},
		{"readfrom", func(w *world) {
			w.p.ReadFrom(readerFunc(func(b []byte) (int, error) { fill(w, b); return 1, io.EOF }))
		}, nothing},
		{"writeto", func(w *world) {
			w.c.WriteTo(writerFunc(func(b []byte) (int, error) { use(w, b); return len(b), errCustom }))
		}, nothing},
	}
}

// closedLending closes both halves while one has memory, which it gives back
// at last, or never.
func closedLending(l lender, givesBack bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		w.p.Write(stream(0, 1))
		w.Go("owner", func() {
			l.take(w)
			if !givesBack {
				return
			}
			if err := l.back(w); err != nil && err != io.ErrClosedPipe {
				w.Fail("%v", err)
			}
		})
		w.Go("closer of p", func() { w.p.Close() })
		w.Go("closer of c", func() { w.c.Close() })
	}
}

// everyCall does whatever touches memory, on halves that are closed already or
// are being closed, after their own Close.
func everyCall(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.p.Write(stream(0, 1))
	w.Go("producer", func() {
		w.p.Close()
		a, b := w.p.Slices()
		w.fill(1, 1, a, b)
		w.p.TryWrite(stream(1, 2))
		w.p.Commit(0)
		w.p.Write(stream(1, 2))
		for _, l := range lenders() {
			if l.name == "producer's-callback" || l.name == "readfrom" {
				l.take(w)
			}
		}
	})
	w.Go("consumer", func() {
		w.c.Close()
		a, b := w.c.Slices()
		w.use(0, 1, a, b)
		w.c.TryRead(make([]byte, 1))
		w.c.Discard(0)
		w.c.Read(make([]byte, 1))
		for _, l := range lenders() {
			if l.name == "peek" || l.name == "consumer's-callback" || l.name == "writeto" {
				l.take(w)
			}
		}
	})
}

// broadcastLending closes one consumer of two while it has slices, and the
// other halves at any time.
func broadcastLending(t *interleave.T) {
	w := ringOf(t, 2, 2, near)
	w.p.Write(stream(0, 2))
	w.Go("producer", func() { w.p.Write(stream(2, 3)); w.p.Close() })
	w.Go("holder", func() {
		a, b := w.cs[0].Slices()
		w.use(0, len(a)+len(b), a, b)
		w.use(0, len(a)+len(b), a, b)
		w.cs[0].Discard(0)
	})
	w.Go("closer", func() { w.cs[0].Close() })
	w.Go("last", func() { w.cs[1].Read(make([]byte, 1)); w.cs[1].Close() })
}

// toldOnMapping tells both halves of the end, which a third makes while they
// look at each other's bytes.
func toldOnMapping(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	ran := 0
	f := func() { ran++ }
	w.Go("producer", func() {
		for range 2 {
			w.p.Notify(1, f)
			w.p.TryWrite(stream(0, 1))
			w.p.armReady()
		}
		w.p.Disarm()
	})
	w.Go("consumer", func() {
		w.c.Notify(1, f)
		w.c.TryRead(make([]byte, 1))
		w.c.armReady()
	})
	w.Go("third", func() { w.c.Close(); w.p.Close() })
}

// deadlineOnMapping has deadlines pass while both halves are being closed.
func deadlineOnMapping(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.setDeadline(5)
	w.c.setDeadline(5)
	w.Go("producer", func() { w.p.Write(stream(0, 2)); w.p.Close() })
	w.Go("consumer", func() { w.c.Read(make([]byte, 1)); w.c.Read(make([]byte, 1)); w.c.Close() })
	w.Go("clock", func() { w.Advance(10) })
}

// resetRefused tries to use a ring again whose memory is gone, or about to be.
func resetRefused(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.Close()
	w.Go("owner", func() {
		if err := Reset(w.p, w.c); !errors.Is(err, ErrInvalidReset) {
			w.Fail("Reset: %v", err)
		}
		w.p.Write(stream(0, 1))
		w.c.TryRead(make([]byte, 1))
	})
	w.Go("closer", func() { w.c.Close() })
}

// mirrored passes the whole capacity again and again, from off 1 on: so the
// copies of mirrored memory need not be the same for the bytes to arrive.
func mirrored(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	r := w.p.ring
	r.view = make([]byte, 4)
	r.mem = r.view[:2:2]
	w.mapping.mem = r.view
	w.p.Slices()
	w.p.Commit(1)
	w.c.Discard(1)
	one := func(what string, b, rest []byte) {
		if len(rest) > 0 || len(b) > 0 && &b[0] != &r.view[w.c.off] {
			w.Fail("%s: %d bytes and %d more", what, len(b), len(rest))
		}
	}
	w.Go("producer", func() {
		for at := 0; at < 4; at += 2 {
			if w.p.Wait(context.Background(), 2) != nil {
				w.Fail("no space after %d", at)
			}
			a, b := w.p.Slices()
			if len(a) != 2 || len(b) > 0 {
				w.Fail("Slices: %d and %d bytes", len(a), len(b))
			}
			w.fill(at, 2, a)
			w.p.Commit(2)
		}
		w.p.Wait(context.Background(), 2)
		w.p.TryWrite(stream(4, 6))
		w.p.Close()
	})
	w.Go("consumer", func() {
		b, _ := w.c.Peek(2)
		one("Peek", b, nil)
		w.use(0, 2, b)
		w.c.Discard(2)
		w.c.Wait(context.Background(), 2)
		a, b := w.c.Slices()
		one("Slices", a, b)
		w.use(2, 2, a)
		w.c.Discard(2)
		w.c.Wait(context.Background(), 2)
		two := make([]byte, 2)
		w.c.Read(two)
		w.expect(4, two)
		w.c.Close()
	})
}

func memoryScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	for capacity := 1; capacity <= 2; capacity++ {
		add(3, onMapping(bothCloseThemselves(capacity)), "mapped/both-close/capacity=%d", capacity)
		add(2, onMapping(closedAtWork(capacity)), "mapped/closed-at-work/capacity=%d", capacity)
	}
	add(4, onMapping(closedParked(0)), "mapped/closed-parked/consumer")
	add(4, onMapping(closedParked(1)), "mapped/closed-parked/producer")
	add(2, onMapping(thirdClosesHalves), "mapped/third-closes-both")
	add(3, onMapping(closedTwice), "mapped/closed-twice")
	for _, l := range lenders() {
		add(3, onMapping(closedLending(l, true)), "mapped/closed-lending/%s", l.name)
	}
	for _, l := range lenders()[:3] {
		add(3, onMapping(closedLending(l, false)), "mapped/never-given-back/%s", l.name)
	}
	pinScenarios(add)
	add(2, onMapping(everyCall), "mapped/every-call-after-close")
	add(2, onMapping(broadcastLending), "mapped/broadcast")
	add(1, onMapping(closeReading), "mapped/broadcast-closed-reading")
	add(2, onMapping(toldOnMapping), "mapped/notify")
	add(2, onMapping(closeFromNote), "mapped/close-from-note")
	add(2, onMapping(deadlineOnMapping), "mapped/deadline")
	add(2, onMapping(readFromWriteTo(3)), "mapped/readfrom-writeto")
	add(2, onMapping(inPlace(2, 4, near)), "mapped/slices")
	add(3, onMapping(resetRefused), "mapped/reset")
	add(3, onMapping(mirrored), "mirrored")
}
