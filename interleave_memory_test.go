//go:build interleave

package bytering

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering/internal/interleave"
)

// A fakeMapping is memory that fails the schedule if it is touched after Free. It
// keeps the slice itself, because the ring has forgotten it by then.
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

// mapNext gives the next rings memory that must be unmapped.
var mapNext bool

// onMapping returns the scenario run on such a ring.
func onMapping(run func(*interleave.T)) func(*interleave.T) {
	return func(t *interleave.T) {
		mapNext = true
		defer func() { mapNext = false }()
		run(t)
	}
}

// unmapped checks at rest that the memory was freed exactly once if all halves are
// closed and nothing is lent, and not at all otherwise.
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

// write and read go on until they get an error, which must be that of a Close.
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

// bothCloseThemselves has each half closed by its owner, during its work or after
// it.
func bothCloseThemselves(capacity int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		w.Go("producer", func() { w.write(3); w.p.Close() })
		w.Go("consumer", func() { w.c.Read(make([]byte, 1)); w.c.Close() })
	}
}

// closedAtWork closes each half from another thread while it works or is parked.
func closedAtWork(capacity int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		w.Go("producer", func() { w.write(2) })
		w.Go("consumer", func() { w.read(w.c) })
		w.Go("closer of p", func() { w.p.Close() })
		w.Go("closer of c", func() { w.c.Close() })
	}
}

// closedOnShortPath closes both halves while they move bytes that they have seen.
func closedOnShortPath(t *interleave.T) {
	w := ringOf(t, 4, 1, near)
	w.p.Write(numbers(0, 2))
	w.c.Read(make([]byte, 1))
	w.Go("producer", func() { w.p.TryWrite(numbers(2, 3)) })
	w.Go("consumer", func() { w.c.TryRead(make([]byte, 1)) })
	w.Go("third", func() { w.p.Close(); w.c.Close() })
}

// closedParked closes both halves while one of them is parked: the producer of a
// full ring, or the consumer of an empty one.
func closedParked(filled int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		w.p.Write(numbers(0, filled))
		if filled > 0 {
			w.Go("producer", func() { w.p.Write(numbers(1, 2)) })
		} else {
			w.Go("consumer", func() { w.read(w.c) })
		}
		w.Go("third", func() { w.c.Close(); w.p.Close() })
	}
}

// closedTwice closes each half from two threads.
func closedTwice(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("owner of p", func() { w.p.TryWrite(numbers(0, 1)); w.p.Close() })
	w.Go("owner of c", func() { w.c.TryRead(make([]byte, 1)); w.c.Close() })
	w.Go("third", func() { w.p.Close(); w.c.Close() })
}

// A lender is a way to be handed memory of a ring that has one byte filled and one
// free.
type lender struct {
	name string
	take func(w *world) // also uses the memory, twice
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

// closedLending closes both halves while one of them has been handed memory, which
// it gives back in the end, or never.
func closedLending(l lender, givesBack bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		w.p.Write(numbers(0, 1))
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

// everyCall makes every call that touches memory, on halves after their own Close,
// while the other half is being closed.
func everyCall(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.p.Write(numbers(0, 1))
	w.Go("producer", func() {
		w.p.Close()
		a, b := w.p.Slices()
		w.fill(1, 1, a, b)
		w.p.TryWrite(numbers(1, 2))
		w.p.Commit(0)
		w.p.Write(numbers(1, 2))
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

// broadcastLending closes one of two consumers while it has slices, and the other
// halves at any time.
func broadcastLending(t *interleave.T) {
	w := ringOf(t, 2, 2, near)
	w.p.Write(numbers(0, 2))
	w.Go("producer", func() { w.p.Write(numbers(2, 3)); w.p.Close() })
	w.Go("holder", func() {
		a, b := w.cs[0].Slices()
		w.use(0, len(a)+len(b), a, b)
		w.use(0, len(a)+len(b), a, b)
		w.cs[0].Discard(0)
	})
	w.Go("closer", func() { w.cs[0].Close() })
	w.Go("last", func() { w.cs[1].Read(make([]byte, 1)); w.cs[1].Close() })
}

// toldOnMapping notifies both halves of the end, which a third thread brings about
// while they look at each other's bytes.
func toldOnMapping(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	ran := 0
	f := func() { ran++ }
	w.Go("producer", func() {
		for range 2 {
			w.p.Notify(1, f)
			w.p.TryWrite(numbers(0, 1))
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

// deadlineOnMapping lets deadlines pass while both halves are being closed.
func deadlineOnMapping(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.setDeadline(5)
	w.c.setDeadline(5)
	w.Go("producer", func() { w.p.Write(numbers(0, 2)); w.p.Close() })
	w.Go("consumer", func() { w.c.Read(make([]byte, 1)); w.c.Read(make([]byte, 1)); w.c.Close() })
	w.Go("clock", func() { w.Advance(10) })
}

// resetRefused tries to reset a ring whose memory is unmapped, or about to be.
func resetRefused(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.Close()
	w.Go("owner", func() {
		if err := Reset(w.p, w.c); !errors.Is(err, ErrInvalidReset) {
			w.Fail("Reset: %v", err)
		}
		w.p.Write(numbers(0, 1))
		w.c.TryRead(make([]byte, 1))
	})
	w.Go("closer", func() { w.c.Close() })
}

// mirrored passes the whole capacity from offset 1 again and again. The two copies
// of the mirrored memory then need not have the same contents for the bytes to
// arrive.
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
				w.Fail("no space after %d bytes", at)
			}
			a, b := w.p.Slices()
			if len(a) != 2 || len(b) > 0 {
				w.Fail("Slices: %d and %d bytes", len(a), len(b))
			}
			w.fill(at, 2, a)
			w.p.Commit(2)
		}
		w.p.Wait(context.Background(), 2)
		w.p.TryWrite(numbers(4, 6))
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
	add(3, onMapping(closedOnShortPath), "mapped/short-path")
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

// A pinner is a half with two bytes in use by operations. It commits or discards
// the first while the second is still in use.
type pinner struct {
	name string
	pin  func(w *world)
	work func(w *world) // if Slices returns nothing, the half was closed before
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
				if w.p.Err() == nil { // otherwise Slices returned nothing
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

// closedPinned closes both halves while one of them has pins, of which it then
// takes back as many as unpins says.
func closedPinned(x pinner, pins, unpins int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 4, 1, near)
		w.pinned = pins > unpins
		w.p.Write(numbers(0, 2))
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

// unpinnedLending takes a pin back while slices are lent: the slices stay valid.
func unpinnedLending(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.p.Write(numbers(0, 2))
	w.Go("owner", func() {
		w.c.Pin()
		a, b := w.c.Slices()
		w.c.Unpin()
		w.use(0, len(a)+len(b), a, b)
		w.c.Discard(0)
	})
	w.Go("third", func() { w.p.Close(); w.c.Close() })
}

// broadcastPinned closes a pinned consumer, one of two, that has discarded the
// first of its bytes. The producer must not overwrite the second before the pin is
// taken back.
func broadcastPinned(t *interleave.T) {
	w := ringOf(t, 2, 2, near)
	w.p.Write(numbers(0, 2))
	w.cs[1].Read(make([]byte, 2))
	w.Go("producer", func() { w.p.Write(numbers(2, 4)); w.p.Close() })
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

// waitEnd waits for the end while the consumer moves. Then the consumer closes, or
// a third thread closes the producer.
func waitEnd(third bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		w.p.Write(numbers(0, 1))
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

// A hunger is a way in which the consumer waits for all that a ring of 3 bytes
// holds.
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
		{"discard", func(w *world) { // this discard frees the last byte
			w.c.Read(make([]byte, 1))
			w.c.Wait(context.Background(), 2)
		}},
	}
}

// waitSoft waits softly for a whole ring of 3 bytes, of which free are free at
// first, and writes a byte each time, while the consumer needs them.
func waitSoft(free int, wait func(w *world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 3, 1, near)
		w.p.Write(numbers(0, 3-free))
		w.Go("producer", func() {
			for at := 3 - free; at < 3; {
				if err := w.p.WaitSoft(context.Background(), 3); err != nil {
					w.Fail("WaitSoft: %v", err)
				}
				n, _ := w.p.TryWrite(numbers(at, at+1))
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

// reset resets the ring as soon as possible, perhaps while a Close is still
// running. The step checks then see whether anything of the earlier life is left.
func (w *world) reset() {
	w.resetting = true
	for {
		err := Reset(w.p, w.cs...)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrInvalidReset) {
			w.Fail("Reset: %v", err)
		}
		interleave.Spin()
	}
	w.resetting = false
	w.lives++
}

// twoLives transfers all bytes to several consumers, twice. The first of them
// collects the halves, resets the ring and hands them out again.
func twoLives(consumers int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, consumers, near)
		back, out := make([]interleave.Token, consumers), make([]interleave.Token, consumers)
		handOver := func(i int) {
			back[i].Post()
			out[i].Take(nil)
		}
		for i, c := range w.cs {
			w.Go(fmt.Sprint("consumer", i), func() {
				n, err := w.readAll(c, 1)
				w.wantAll(3, n, err)
				if c.Close(); i > 0 {
					handOver(i)
				} else {
					for j := range back {
						back[j].Take(nil)
					}
					w.reset()
					for j := range out {
						out[j].Post()
					}
				}
				if n, err := w.readAll(c, 2); n != 3 || err != errCustom {
					w.Fail("read %d, %v in the second life", n, err)
				}
			})
		}
		w.Go("producer", func() {
			w.writeAll(3, 1)
			w.p.Close()
			handOver(0) // the first consumer leaves its tokens to the producer
			if n, err := w.writeAll(3, 2); n != 3 || err != nil {
				w.Fail("wrote %d, %v in the second life", n, err)
			}
			w.p.CloseWithError(errCustom)
		})
	}
}

// resetAfterEnd has both lives end by themselves. The first life moves a byte less
// than it would take for the halves to stand where they began. Timers that went off
// have left tokens.
func resetAfterEnd(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	for _, k := range []*interleave.Token{w.p.ring.producer.target.token, w.c.shared.target.token} {
		k.Timed++
		k.Post()
	}
	var done, again interleave.Token
	w.Go("producer", func() {
		w.p.Write(numbers(0, 1))
		w.p.CloseWithError(io.ErrNoProgress)
		w.resetBetween(&done, &again)
		w.p.Write(numbers(0, 3))
		w.p.Close()
	})
	w.Go("consumer", func() {
		w.readAll(w.c, 1)
		w.c.CloseWithError(io.ErrNoProgress)
		done.Post()
		again.Take(nil)
		n, err := w.readAll(w.c, 2)
		w.wantAll(3, n, err)
		w.c.Close()
		if err := w.p.peersErr(); err != io.ErrClosedPipe {
			w.Fail("the consumer's error is %v", err)
		}
	})
}

func (w *world) resetBetween(done, again *interleave.Token) {
	done.Take(nil)
	w.reset()
	for _, rd := range w.p.ring.consumers {
		if rd.target.token.Full() || w.p.ring.producer.target.token.Full() {
			w.Fail("a token is there after Reset")
		}
	}
	again.Post()
}

// resetWithNotes has the second life notified only of what happens in it, while a
// closer of the first may still be running functions of Notify.
func resetWithNotes(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	x, late := w.waiter(), 0
	var again interleave.Token
	old := func() {
		if late++; w.lives > 0 {
			w.Fail("a function that the first life armed runs in the second")
		}
	}
	w.c.armReady()
	w.p.TryWrite(numbers(0, 1))
	w.c.TryRead(make([]byte, 1))
	w.p.TryWrite(numbers(1, 2))
	w.c.Notify(2, old)
	w.p.Notify(2, old)
	w.Go("owner", func() {
		for w.p.Err() == nil || !w.c.closed() {
			interleave.Spin()
		}
		w.reset()
		if w.c.readiness.token.Full() || w.c.Disarm() || w.p.Disarm() {
			w.Fail("something is armed after Reset, or Ready's channel has a value")
		}
		again.Post()
		x.told(w.c.Notify, 1)
		if n := w.c.Len(); n != 1 {
			w.Fail("notified with %d bytes there", n)
		}
		w.c.Discard(1)
		w.c.Close()
	})
	w.Go("closer of p", func() { w.p.Close() })
	w.Go("closer of c", func() { w.c.Close() })
	w.Go("writer", func() {
		again.Take(nil)
		if n, err := w.p.TryWrite(numbers(0, 1)); n != 1 || err != nil {
			w.Fail("TryWrite: %d, %v", n, err)
		}
	})
	w.Final(func() error {
		if late > 2 {
			return fmt.Errorf("the function that the first life armed ran %d times", late)
		}
		return nil
	})
}

// resetWhileNotifying resets the ring between two closes and the functions of
// Notify that they run.
func resetWhileNotifying(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.p.TryWrite(numbers(0, 1))
	w.c.Notify(2, func() {})
	w.p.Notify(2, func() {})
	w.Go("closer of p", func() { w.p.Close() })
	w.Go("closer of c", func() { w.c.Close() })
	w.Go("owner", func() {
		w.reset()
		if w.c.Disarm() || w.p.Disarm() {
			w.Fail("something is armed after Reset")
		}
	})
}

// secondLife resets the ring once the producer is done with the first life, lets it
// go on, and reads the n bytes of the second.
func (w *world) secondLife(done, again *interleave.Token, n int) {
	done.Take(nil)
	w.reset()
	again.Post()
	got, err := w.readAll(w.c, 1)
	w.wantAll(n, got, err)
}

// resetUnderDeadline has the first life's timer go off in the second.
func resetUnderDeadline(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	var done, again interleave.Token
	w.c.setDeadline(5)
	w.p.setDeadline(5)
	w.Go("consumer", func() {
		if _, err := w.readAll(w.c, 1); err != io.EOF && err != os.ErrDeadlineExceeded {
			w.Fail("Read: %v", err)
		}
		w.c.Close()
		w.secondLife(&done, &again, 2)
	})
	w.Go("producer", func() {
		w.p.Write(numbers(0, 2))
		w.p.Close()
		done.Post()
		again.Take(nil)
		if n, err := w.p.Write(numbers(0, 2)); n != 2 || err != nil {
			w.Fail("Write: %d, %v in the second life", n, err)
		}
		w.p.Close()
	})
	w.Go("clock", func() { w.Advance(10) })
}

// resetAndLateClose has a Close that was meant for the first life come at any time.
// It may end the second life, and do no other harm.
func resetAndLateClose(consumers int, late func(w *world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, consumers, near)
		var again interleave.Token
		w.p.Close()
		for _, c := range w.cs {
			c.Close()
		}
		w.Go("owner", func() {
			w.reset()
			again.Post()
			if n, err := w.p.Write(numbers(0, 2)); n < 2 && err == nil {
				w.Fail("wrote %d", n)
			}
			w.p.Close()
		})
		w.Go("reader", func() {
			again.Take(nil)
			for _, c := range w.cs[1:] {
				c.Close() // unless it is closed already
			}
			if n, err := w.readAll(w.c, 1); n > 2 || err == nil {
				w.Fail("read %d, %v", n, err)
			}
			w.c.Close()
		})
		w.Go("third", func() { late(w) })
	}
}

// resetAndLateStop has a half wait under a deadline in the second life. A third
// thread closed the half in the first life, and the rest of that Close must not
// take the deadline away.
func resetAndLateStop(reader bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		closes := []func() error{w.p.Close, w.c.Close}
		if reader {
			closes[0], closes[1] = closes[1], closes[0]
		}
		w.Go("owner", func() {
			closes[1]()
			w.reset()
			call, set := parks(w, reader)
			set(5)
			n, err := call()
			w.wantLate(n, err, 5)
		})
		w.Go("third", func() { closes[0]() })
		w.Go("clock", func() { w.Advance(10) })
	}
}

func resetScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	closesProducer := func(w *world) { w.p.CloseWithError(errCustom) }
	closesConsumer := func(w *world) { w.cs[len(w.cs)-1].CloseWithError(errCustom) }
	add(3, resetAfterEnd, "reset-after-end")
	add(2, twoLives(1), "reset-two-lives")
	add(2, closedOnce(true), "reset-after-third-closes/producer")
	add(2, closedOnce(false), "reset-after-third-closes/consumer")
	add(1, twoLives(2), "reset-broadcast")
	add(3, resetWhileNotifying, "reset-while-notifying")
	add(2, resetWithNotes, "reset-with-notes")
	add(1, resetUnderDeadline, "reset-under-deadline")
	add(2, resetAndLateStop(false), "reset-and-late-stop/producer")
	add(2, resetAndLateStop(true), "reset-and-late-stop/consumer")
	for consumers := 1; consumers <= 2; consumers++ {
		add(2, resetAndLateClose(consumers, closesProducer), "reset-and-late-close/producer/consumers=%d", consumers)
		add(2, resetAndLateClose(consumers, closesConsumer), "reset-and-late-close/consumer/consumers=%d", consumers)
	}
}

// closedOnce has a third thread close a half once. Reset comes as soon as the close
// is seen, so the rest of that Close reaches into the second life.
func closedOnce(producer bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		var done, again interleave.Token
		w.Go("consumer", func() {
			w.readAll(w.c, 1)
			if producer {
				w.c.Close()
			}
			w.secondLife(&done, &again, 3)
		})
		w.Go("producer", func() {
			w.writeAll(3, 3)
			for producer && !w.p.closed() {
				interleave.Spin()
			}
			if !producer {
				w.p.Close()
			}
			done.Post()
			again.Take(nil)
			if n, err := w.writeAll(3, 3); n != 3 || err != nil {
				w.Fail("wrote %d, %v in the second life", n, err)
			}
			w.p.Close()
		})
		w.Go("third", func() {
			if producer {
				w.p.CloseWithError(errCustom)
			} else {
				w.c.CloseWithError(errCustom)
			}
		})
	}
}
