//go:build interleave

package bytering

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/bytering/bytering/internal/interleave"
)

// A scenario is a promise with a world that tries to break it.
type scenario struct {
	name  string
	bound int // preemptions; negative for none
	run   func(*interleave.T)
}

var errCustom = errors.New("custom")

// scenarios lists them all. Bounds are chosen so that each takes seconds.
func scenarios() []scenario {
	var all []scenario
	add := func(bound int, run func(*interleave.T), name string, args ...any) {
		all = append(all, scenario{fmt.Sprintf(name, args...), bound, run})
	}
	const all3 = -1
	for capacity := 1; capacity <= 4; capacity++ {
		for _, chunk := range []int{1, 3} {
			add(3, transfer(capacity, 2*capacity+1, chunk, 2, 0), "transfer/capacity=%d/chunk=%d", capacity, chunk)
			add(3, transfer(capacity, 2*capacity+1, chunk, 2, near), "transfer-round/capacity=%d/chunk=%d", capacity, chunk)
		}
		add(3, inPlace(capacity, capacity+2, near), "slices/capacity=%d", capacity)
	}
	add(all3, transfer(1, 1, 1, 1, 0), "close-after-last-byte/unbounded")
	add(4, transfer(1, 2, 1, 1, near), "park-both-sides/capacity=1")
	add(4, transfer(2, 3, 1, 1, near), "park-both-sides/capacity=2")
	for capacity := 1; capacity <= 4; capacity++ {
		for n := 1; n <= capacity; n++ {
			for chunk := 1; chunk <= capacity+1; chunk++ {
				add(2, peeks(capacity, n, chunk, capacity+2), "peek/capacity=%d/n=%d/chunk=%d", capacity, n, chunk)
				add(2, waits(capacity, n, chunk), "wait/capacity=%d/n=%d/chunk=%d", capacity, n, chunk)
			}
		}
	}
	for _, n := range []int{1, 2, 7, 8} {
		for _, chunk := range []int{1, 3, 11} {
			add(2, peeks(8, n, chunk, 11), "quarter/n=%d/chunk=%d", n, chunk)
		}
		add(2, waits(8, n, 10), "quarter-wait/n=%d", n)
	}
	add(all3, closeWithError, "close-with-error/unbounded")
	add(3, consumerCloses, "consumer-closes-under-parked-producer")
	add(all3, producerCloses, "producer-closes-under-parked-consumer/unbounded")
	add(2, thirdClosesProducer(1, 3), "third-closes-producer/capacity=1")
	add(4, thirdClosesProducer(1, 1), "third-closes-producer/one-byte")
	add(3, thirdClosesProducer(2, 3), "third-closes-producer/capacity=2")
	add(3, thirdClosesConsumer, "third-closes-consumer")
	add(3, thirdClosesHalves, "third-closes-both")
	add(3, bothClosers, "two-closers-first-error-wins")
	add(all3, closeParkedSelf, "third-closes-parked-writer/unbounded")
	add(3, cancelConsumer, "cancel-consumer-wait")
	add(3, cancelProducer, "cancel-producer-wait")
	add(3, cancelAfterCommit, "cancel-after-commit")
	add(3, flush, "flush")
	for _, end := range []bool{false, true} {
		add(3, flushThenClose(1, end), "flush-then-close/capacity=1/closed=%t", end)
		add(3, flushThenClose(2, end), "flush-then-close/capacity=2/closed=%t", end)
	}
	add(3, flushAfterClose, "flush-after-close")
	add(3, fillUntilClosed(1), "fill-until-closed/consumers=1")
	add(1, fillUntilClosed(2), "fill-until-closed/consumers=2")
	add(3, takeOneAndLeave, "consumer-takes-one-and-leaves")
	add(4, countsWithErrors, "counts-with-errors")
	add(3, readFromWriteTo(3), "readfrom-writeto/capacity=3")
	add(2, readFromWriteTo(8), "readfrom-writeto/capacity=8")
	add(2, readFromForPeek, "readfrom-for-peek")
	add(2, onlookers, "onlookers")
	add(1, broadcast(1, 2, 2), "broadcast/consumers=2")
	add(1, broadcast(2, 3, 3), "broadcast/consumers=3")
	add(2, closeHolding(holdSlices), "broadcast-closed-holding-slices")
	add(2, closeHolding(holdPeek), "broadcast-closed-holding-peek")
	add(1, closeReading, "broadcast-closed-reading")
	add(2, lastBroadcastCloses, "broadcast-all-close")
	deadlineScenarios(add)
	notifyScenarios(add)
	spinScenarios(add)
	resetScenarios(add)
	memoryScenarios(add)
	spillScenarios(add)
	tableScenarios(add)
	return all
}

// transfer passes n bytes and the end through a ring.
func transfer(capacity, n, chunk, buffer int, start uint64) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, start)
		w.Go("producer", func() {
			if m, err := w.writeAll(n, chunk); m != n || err != nil {
				w.Fail("wrote %d, %v", m, err)
			}
			w.p.Close()
		})
		w.Go("consumer", func() {
			m, err := w.readAll(w.c, buffer)
			w.wantAll(n, m, err)
		})
	}
}

// inPlace passes bytes with Slices, Commit and Discard, one or two at a time,
// and watches whose the memory is.
func inPlace(capacity, n int, start uint64) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, start)
		ctx := context.Background()
		w.Go("producer", func() {
			for at := 0; at < n; {
				if err := w.p.Wait(ctx, 1); err != nil {
					w.Fail("Wait: %v", err)
				}
				a, b := w.p.Slices()
				w.Hold(a, true)
				w.Hold(b, true)
				m := min(2, len(a)+len(b), n-at)
				w.fill(at, m, a, b)
				w.Unhold()
				if err := w.p.Commit(m); err != nil {
					w.Fail("Commit: %v", err)
				}
				at += m
			}
			w.p.Close()
		})
		w.Go("consumer", func() {
			at := 0
			for {
				err := w.c.Wait(ctx, 1)
				if err == io.EOF {
					break
				}
				a, b := w.c.Slices()
				w.Hold(a, false)
				w.Hold(b, false)
				m := min(2, len(a)+len(b))
				w.use(at, m, a, b)
				w.Unhold()
				if err := w.c.Discard(m); err != nil {
					w.Fail("Discard: %v", err)
				}
				at += m
			}
			w.wantAll(n, at, io.EOF)
		})
	}
}

// peeks lets the consumer ask for n bytes at once, whatever the writer writes.
func peeks(capacity, n, chunk, total int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		w.Go("producer", func() { w.writeAll(total, chunk); w.p.Close() })
		w.Go("consumer", func() {
			for at := 0; ; {
				b, err := w.c.Peek(n)
				w.use(at, len(b), b)
				if at += len(b); err == io.EOF && at == total {
					w.c.Discard(len(b))
					return
				} else if err != nil {
					w.Fail("Peek: %d bytes, %v after %d", len(b), err, at)
				}
				w.c.Discard(len(b))
			}
		})
	}
}

// waits lets the consumer wait for n bytes and take one, whatever the writer
// writes, and the producer never close.
func waits(capacity, n, chunk int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		total := capacity + 2
		w.Go("producer", func() { w.writeAll(total, chunk) })
		w.Go("consumer", func() {
			for at := range total - n + 1 {
				if err := w.c.Wait(context.Background(), n); err != nil {
					w.Fail("Wait: %v", err)
				}
				var b [1]byte
				w.c.TryRead(b[:])
				w.expect(at, b[:])
			}
		})
	}
}

// flush waits until everything was taken.
func flush(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.Go("producer", func() {
		w.writeAll(3, 3)
		if err := w.p.WaitEmpty(context.Background()); err != nil || w.c.Position() != w.p.Position() {
			w.Fail("flush: %v, %d of %d", err, w.c.Position(), w.p.Position())
		}
		w.p.Close()
	})
	w.Go("consumer", func() {
		n, err := w.readAll(w.c, 1)
		w.wantAll(3, n, err)
	})
}

// flushThenClose waits until everything was taken by a consumer that then
// closes: that it does so changes nothing.
func flushThenClose(capacity int, end bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		w.Go("producer", func() {
			w.p.Write(stream(0, capacity))
			if end {
				w.p.Close()
			}
			if err := w.p.WaitEmpty(context.Background()); err != nil || w.c.Position() != w.p.Position() {
				w.Fail("flush: %v, %d of %d", err, w.c.Position(), w.p.Position())
			}
		})
		w.Go("consumer", func() {
			for at := range capacity {
				var b [1]byte
				w.c.Read(b[:])
				w.expect(at, b[:])
			}
			w.c.CloseWithError(errCustom)
		})
	}
}

// flushAfterClose waits for a consumer that closes with a byte left.
func flushAfterClose(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.Go("producer", func() {
		w.p.Write(stream(0, 2))
		w.p.Close()
		if err := w.p.WaitEmpty(context.Background()); err != errCustom {
			w.Fail("WaitEmpty: %v", err)
		}
	})
	w.Go("consumer", func() { w.c.Read(make([]byte, 1)); w.c.CloseWithError(errCustom) })
}

// fillUntilClosed fills the ring in place for as long as Wait says that there
// is space. Once all consumers are closed that is the end: no slices, and no
// space either.
func fillUntilClosed(consumers int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, consumers, near)
		w.Go("producer", func() {
			for at := 0; ; at++ {
				if err := w.p.Wait(context.Background(), 1); err != nil {
					if !errors.Is(err, errCustom) || w.p.Err() == nil {
						w.Fail("Wait: %v, Err: %v", err, w.p.Err())
					}
					return
				}
				a, b := w.p.Slices()
				n := min(1, len(a))
				w.fill(at, n, a, b)
				if err := w.p.Commit(n); err != nil || n == 0 && w.p.Err() == nil {
					w.Fail("Commit of %d: %v", n, err)
				}
			}
		})
		for i, c := range w.cs {
			w.Go(fmt.Sprint("consumer", i), func() {
				b := make([]byte, 1)
				c.Read(b)
				w.expect(0, b)
				c.CloseWithError(errCustom)
			})
		}
	}
}

// countsWithErrors moves bytes by callbacks that also fail or lie.
func countsWithErrors(t *interleave.T) {
	w := ringOf(t, 3, 1, near)
	w.Go("producer", func() {
		w.p.IOSlices(func(bufs [][]byte, n int) (int, error) { return n + 1, nil })
		n, err := w.p.IOSlices(func(bufs [][]byte, n int) (int, error) {
			w.fill(0, 2, bufs...)
			return 2, errCustom
		})
		if n != 2 || err != errCustom {
			w.Fail("IOSlices: %d, %v", n, err)
		}
		w.p.Close()
	})
	w.Go("consumer", func() {
		for at := 0; at < 2; {
			w.c.Wait(context.Background(), 1)
			if n, err := w.c.IOSlices(func([][]byte, int) (int, error) { return -1, nil }); n != 0 || !errors.Is(err, ErrInvalidCount) {
				w.Fail("IOSlices: %d, %v", n, err)
			}
			n, err := w.c.IOSlices(func(bufs [][]byte, n int) (int, error) {
				w.use(at, 1, bufs...)
				return 1, errCustom
			})
			if n != 1 || err != errCustom {
				w.Fail("IOSlices: %d, %v", n, err)
			}
			at += n
		}
		_, err := w.c.Read(make([]byte, 1))
		w.wantAll(0, 0, err)
	})
}

// readFromWriteTo parks inside the two that move whole streams.
func readFromWriteTo(capacity int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		total := capacity + 2
		w.Go("producer", func() {
			at := 0
			n, err := w.p.ReadFrom(readerFunc(func(b []byte) (int, error) {
				if at == total {
					return 0, io.EOF
				}
				m := min(3, len(b), total-at)
				w.fill(at, m, b)
				at += m
				return m, nil
			}))
			if n != int64(total) || err != nil {
				w.Fail("ReadFrom: %d, %v", n, err)
			}
			w.p.Close()
		})
		w.Go("consumer", func() {
			at := 0
			n, err := w.c.WriteTo(writerFunc(func(b []byte) (int, error) {
				w.use(at, len(b), b)
				at += len(b)
				return len(b), nil
			}))
			if n != int64(total) || err != nil {
				w.Fail("WriteTo: %d, %v", n, err)
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// readFromForPeek reads for a consumer that wants the whole ring and gives back
// a byte at a time: less than the quarter that the producer would sleep for.
func readFromForPeek(t *interleave.T) {
	w := ringOf(t, 8, 1, near)
	const total = 10
	w.Go("producer", func() {
		at := 0
		w.p.ReadFrom(readerFunc(func(b []byte) (int, error) {
			m := min(len(b), total-at)
			w.fill(at, m, b)
			if at += m; at == total {
				return m, io.EOF
			}
			return m, nil
		}))
	})
	w.Go("consumer", func() {
		for at := range total - 8 + 1 {
			b, err := w.c.Peek(8)
			if err != nil {
				w.Fail("Peek: %v", err)
			}
			w.expect(at, b)
			w.c.Discard(1)
		}
	})
}

// onlookers ask about both halves while these work.
func onlookers(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.Go("producer", func() { w.writeAll(3, 2); w.p.Close() })
	w.Go("consumer", func() { n, err := w.readAll(w.c, 2); w.wantAll(3, n, err) })
	w.Go("third", func() {
		if n := w.c.Len(); n < 0 || n > 2 {
			w.Fail("Len is %d", n)
		}
		if n := w.p.Free(); n < 0 || n > 2 {
			w.Fail("Free is %d", n)
		}
		if w.c.Err() == io.EOF && w.c.Len() != 0 {
			w.Fail("EOF with %d there", w.c.Len())
		}
	})
}
