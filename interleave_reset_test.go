//go:build interleave

package bytering

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering/internal/interleave"
)

// reset resets the ring as soon as it can be, while a Close may be running
// still, and checks that then nothing is left of before.
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
			handOver(0) // the first consumer's are free
			if n, err := w.writeAll(3, 2); n != 3 || err != nil {
				w.Fail("wrote %d, %v in the second life", n, err)
			}
			w.p.CloseWithError(errCustom)
		})
	}
}

// resetAfterEnd has both lives end by themselves, and one byte too few in the
// first for the halves to stand where they began. Tokens are there from timers
// that have gone off.
func resetAfterEnd(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	for _, k := range []*interleave.Token{w.p.ring.producer.target.token, w.c.shared.target.token} {
		k.Timed++
		k.Post()
	}
	var done, again interleave.Token
	w.Go("producer", func() {
		w.p.Write(stream(0, 1))
		w.p.CloseWithError(io.ErrNoProgress)
		w.resetBetween(&done, &again)
		w.p.Write(stream(0, 3))
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

// resetWithNotes has the second life told of what happens in it alone, while
// the closer of the first may still be telling.
func resetWithNotes(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	x, late := w.waiter(), 0
	var again interleave.Token
	old := func() {
		if late++; w.lives > 0 {
			w.Fail("what the first life armed runs in the second")
		}
	}
	w.c.armReady()
	w.p.TryWrite(stream(0, 1))
	w.c.TryRead(make([]byte, 1))
	w.p.TryWrite(stream(1, 2))
	w.c.Notify(2, old)
	w.p.Notify(2, old)
	w.Go("owner", func() {
		for w.p.Err() == nil || !w.c.closed() {
			interleave.Spin()
		}
		w.reset()
		if w.c.readiness.token.Full() || w.c.Disarm() || w.p.Disarm() {
			w.Fail("something is armed after Reset, or Ready's value is there")
		}
		again.Post()
		x.told(w.c.Notify, 1)
		if n := w.c.Len(); n != 1 {
			w.Fail("told with %d bytes there", n)
		}
		w.c.Discard(1)
		w.c.Close()
	})
	w.Go("closer of p", func() { w.p.Close() })
	w.Go("closer of c", func() { w.c.Close() })
	w.Go("writer", func() {
		again.Take(nil)
		if n, err := w.p.TryWrite(stream(0, 1)); n != 1 || err != nil {
			w.Fail("TryWrite: %d, %v", n, err)
		}
	})
	w.Final(func() error {
		if late > 2 {
			return fmt.Errorf("what the first life armed ran %d times", late)
		}
		return nil
	})
}

// resetWhileNotifying comes between two closes and what they notify of.
func resetWhileNotifying(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.p.TryWrite(stream(0, 1))
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
		done.Take(nil)
		w.reset()
		again.Post()
		n, err := w.readAll(w.c, 1)
		w.wantAll(2, n, err)
	})
	w.Go("producer", func() {
		w.p.Write(stream(0, 2))
		w.p.Close()
		done.Post()
		again.Take(nil)
		if n, err := w.p.Write(stream(0, 2)); n != 2 || err != nil {
			w.Fail("Write: %d, %v in the second life", n, err)
		}
		w.p.Close()
	})
	w.Go("clock", func() { w.Advance(10) })
}

// resetAndLateClose has a Close that was for the first life come at any time:
// it may end the second, and nothing worse.
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
			if n, err := w.p.Write(stream(0, 2)); n < 2 && err == nil {
				w.Fail("wrote %d", n)
			}
			w.p.Close()
		})
		w.Go("reader", func() {
			again.Take(nil)
			for _, c := range w.cs[1:] {
				c.Close() // unless it is
			}
			if n, err := w.readAll(w.c, 1); n > 2 || err == nil {
				w.Fail("read %d, %v", n, err)
			}
			w.c.Close()
		})
		w.Go("third", func() { late(w) })
	}
}

// resetAndLateStop has a half that a third goroutine closes wait under a deadline
// in the second life, which what is left of that Close must not take away.
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

// closedOnce has a third goroutine close a half, once, and Reset come as soon
// as that is seen: what it has left to do reaches into the second life.
func closedOnce(producer bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		var done, again interleave.Token
		w.Go("consumer", func() {
			w.readAll(w.c, 1)
			if producer {
				w.c.Close()
			}
			done.Take(nil)
			w.reset()
			again.Post()
			n, err := w.readAll(w.c, 1)
			w.wantAll(3, n, err)
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
