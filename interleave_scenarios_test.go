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

// A scenario is a promise, with a world that tries to break it.
type scenario struct {
	name  string
	bound int // the most preemptions; negative for no bound
	run   func(*interleave.T)
}

var errCustom = errors.New("custom")

// scenarios lists all scenarios. The bounds are chosen so that each takes seconds.
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
	for _, call := range shortCalls() {
		add(3, call.ends, "short-path/%s-closed", call.name)
		add(3, call.wakes(false), "short-path/%s-wakes", call.name)
		add(3, call.wakes(true), "short-path/%s-notifies", call.name)
	}
	add(2, shortPathPoll, "short-path/poll")
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

// transfer passes n bytes and then the end of the stream through a ring.
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

// inPlace passes bytes with Slices, Commit and Discard, one or two at a time, and
// checks which half the memory belongs to.
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

// waits lets the consumer wait for n bytes and take one, again and again, while the
// producer writes in chunks and never closes.
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

// flushThenClose waits until everything was taken by a consumer that then closes.
// The close does not change the result.
func flushThenClose(capacity int, end bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		w.Go("producer", func() {
			w.p.Write(numbers(0, capacity))
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
		w.p.Write(numbers(0, 2))
		w.p.Close()
		if err := w.p.WaitEmpty(context.Background()); err != errCustom {
			w.Fail("WaitEmpty: %v", err)
		}
	})
	w.Go("consumer", func() { w.c.Read(make([]byte, 1)); w.c.CloseWithError(errCustom) })
}

// fillUntilClosed fills the ring in place for as long as Wait reports space. Once
// all consumers are closed, Wait returns their error, and there are neither slices
// nor space.
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

// countsWithErrors moves bytes with callbacks that also return errors or invalid
// counts.
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

// readFromWriteTo parks inside ReadFrom and WriteTo.
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

// readFromForPeek reads for a consumer that asks for the whole ring and gives back
// one byte at a time, less than the quarter that the producer would sleep for.
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

// onlookers look at both halves while these work.
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
			w.Fail("EOF with %d bytes there", w.c.Len())
		}
	})
}

func closeWithError(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() { w.p.CloseWithError(errCustom) })
	w.Go("consumer", func() {
		if n, err := w.readAll(w.c, 1); n != 0 || err != errCustom {
			w.Fail("read %d, %v", n, err)
		}
	})
}

func consumerCloses(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		n, err := w.writeAll(3, 3)
		if n > 2 || err != errCustom || w.p.Err() != errCustom {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("consumer", func() {
		var b [1]byte
		w.c.Read(b[:])
		w.expect(0, b[:])
		w.c.CloseWithError(errCustom)
	})
}

func producerCloses(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() { w.p.Close() })
	w.Go("consumer", func() {
		n, err := w.readAll(w.c, 1)
		w.wantAll(0, n, err)
	})
}

// thirdClosesProducer closes the producer at every point. The bytes that Write
// counted arrive.
func thirdClosesProducer(capacity, total int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		wrote, read := 0, 0
		w.Go("producer", func() {
			var err error
			wrote, err = w.writeAll(total, 2)
			if wrote < total && err != io.ErrClosedPipe {
				w.Fail("wrote %d, %v", wrote, err)
			}
		})
		w.Go("consumer", func() {
			var err error
			if read, err = w.readAll(w.c, 2); err != io.EOF {
				w.Fail("read %d, %v", read, err)
			}
		})
		w.Go("third", func() { w.p.Close() })
		w.Final(func() error {
			if wrote != read {
				return fmt.Errorf("%d bytes were counted, %d were delivered", wrote, read)
			}
			return nil
		})
	}
}

func thirdClosesConsumer(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(2, 2); err != errCustom && n < 2 {
			w.Fail("wrote %d, %v", n, err)
		}
		if err := w.p.Wait(context.Background(), 1); err != errCustom && err != nil {
			w.Fail("Wait: %v", err)
		}
	})
	w.Go("consumer", func() {
		if _, err := w.readAll(w.c, 1); err != io.ErrClosedPipe {
			w.Fail("Read: %v", err)
		}
	})
	w.Go("third", func() { w.c.CloseWithError(errCustom) })
}

// A shortCall moves one byte. In its scenarios two bytes can go on the short path.
type shortCall struct {
	name     string
	consumes bool
	move     func(w *world, b []byte) (int, error)
}

func shortCalls() []shortCall {
	return []shortCall{
		{"write", false, func(w *world, b []byte) (int, error) { return w.p.Write(b) }},
		{"trywrite", false, func(w *world, b []byte) (int, error) { return w.p.TryWrite(b) }},
		{"commit", false, func(w *world, b []byte) (int, error) {
			a, _, _ := w.p.SlicesAtLeast(1)
			return counted(min(1, len(a)), w.p.Commit)
		}},
		{"read", true, func(w *world, b []byte) (int, error) { return w.c.Read(b) }},
		{"tryread", true, func(w *world, b []byte) (int, error) { return w.c.TryRead(b) }},
		{"discard", true, func(w *world, b []byte) (int, error) { return counted(min(1, w.c.Len()), w.c.Discard) }},
	}
}

func counted(n int, move func(int) error) (int, error) {
	if err := move(n); err != nil {
		return 0, err
	}
	return n, nil
}

// ends has one goroutine call until the half is closed, and another one close it.
func (s shortCall) ends(t *interleave.T) {
	w := ringOf(t, 4, 1, near)
	b := make([]byte, 1)
	w.p.Write(numbers(0, 1))
	position, end := w.p.Position, w.p.Close
	if s.consumes {
		w.p.Write(numbers(1, 4))
		w.c.Read(b)
		position, end = w.c.Position, w.c.Close
	}
	w.Go("owner", func() {
		for {
			from := position()
			n, err := s.move(w, b)
			if got := distance(from, position()); got != n {
				w.Fail("moved %d bytes, and the cursor %d", n, got)
			}
			if err == io.ErrClosedPipe && n == 0 {
				return
			}
			if err != nil {
				w.Fail("%d, %v", n, err)
			}
			if n == 0 {
				interleave.Spin()
			}
		}
	})
	w.Go("third", func() { end() })
}

// wakes calls once while the other half begins to wait for that byte, parked or with a
// note.
func (s shortCall) wakes(note bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 4, 1, near)
		b := make([]byte, 1)
		w.p.Write(numbers(0, 1))
		wait, notify, needed := w.c.Wait, w.c.Notify, 1
		if s.consumes {
			w.p.Write(numbers(1, 4))
			wait, notify, needed = w.p.Wait, w.p.Notify, 2
		}
		w.c.Read(b)
		w.Go("owner", func() {
			if n, err := s.move(w, b); n != 1 || err != nil {
				w.Fail("%d, %v", n, err)
			}
		})
		w.Go("other", func() {
			if note {
				w.waiter().told(notify, needed)
				return
			}
			if err := wait(context.Background(), needed); err != nil {
				w.Fail("Wait: %v", err)
			}
		})
	}
}

// shortPathPoll has a consumer look again and again at what it has already seen,
// until the producer, which waits softly, has written its bytes.
func shortPathPoll(t *interleave.T) {
	table(8, 1, way{"", func(x *court, i, _ int) {
		for c := x.cs[i]; c.Len() < 8; interleave.Spin() {
			c.SlicesAtLeast(1)
		}
	}}, uses()[0], moves()[1])(t)
}

func thirdClosesHalves(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(2, 2); n < 2 && err == nil {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("consumer", func() { w.readAll(w.c, 1) })
	w.Go("third", func() { w.p.Close(); w.c.Close() })
}

func bothClosers(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	other := errors.New("other")
	w.Go("first", func() { w.p.CloseWithError(errCustom) })
	w.Go("second", func() { w.p.CloseWithError(other) })
	w.Go("consumer", func() {
		_, err := w.readAll(w.c, 1)
		if err != errCustom && err != other || err != w.c.Err() {
			w.Fail("Read: %v, Err: %v", err, w.c.Err())
		}
	})
}

func closeParkedSelf(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.Write(numbers(0, 1))
	w.Go("producer", func() {
		if n, err := w.p.Write(numbers(1, 2)); n != 0 || err != io.ErrClosedPipe {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("third", func() { w.p.Close() })
}

func cancelConsumer(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	ctx, cancel := context.WithCancelCause(context.Background())
	w.Go("producer", func() { w.writeAll(2, 1) })
	w.Go("consumer", func() {
		switch err := w.c.Wait(ctx, 2); {
		case err == nil && w.c.Len() < 2:
			w.Fail("Wait returned with %d bytes there", w.c.Len())
		case err != nil && err != errCustom:
			w.Fail("Wait: %v", err)
		}
		for at := range 2 {
			var b [1]byte
			w.c.Read(b[:])
			w.expect(at, b[:])
		}
	})
	w.Go("canceller", func() { w.Step("cancel", func() { cancel(errCustom) }) })
}

func cancelProducer(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	ctx, cancel := context.WithCancelCause(context.Background())
	w.p.Write(numbers(0, 2))
	w.Go("producer", func() {
		switch err := w.p.Wait(ctx, 2); {
		case err == nil && w.p.Free() < 2:
			w.Fail("Wait returned with %d bytes free", w.p.Free())
		case err != nil && err != errCustom:
			w.Fail("Wait: %v", err)
		}
		w.p.Write(numbers(2, 3))
		w.p.Close()
	})
	w.Go("consumer", func() {
		n, err := w.readAll(w.c, 1)
		w.wantAll(3, n, err)
	})
	w.Go("canceller", func() { w.Step("cancel", func() { cancel(errCustom) }) })
}

// cancelAfterCommit cancels the context when the bytes are there already. A wait
// that has what it wants does not fail.
func cancelAfterCommit(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	ctx, cancel := context.WithCancel(context.Background())
	w.Go("producer", func() { w.writeAll(2, 1); w.Step("cancel", cancel) })
	w.Go("consumer", func() {
		if err := w.c.Wait(ctx, 2); err != nil {
			w.Fail("Wait: %v", err)
		}
	})
}

// takeOneAndLeave frees a byte and does nothing else: the discard alone must wake
// the producer.
func takeOneAndLeave(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		if n, err := w.p.Write(numbers(0, 2)); n != 2 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("consumer", func() { w.c.Read(make([]byte, 1)) })
}

// broadcast gives every byte to every consumer.
func broadcast(capacity, consumers, total int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, consumers, near)
		w.Go("producer", func() { w.writeAll(total, total); w.p.Close() })
		for i, c := range w.cs {
			w.Go(fmt.Sprint("consumer", i), func() {
				n, err := w.readAll(c, 2)
				w.wantAll(total, n, err)
			})
		}
	}
}

// closeHolding closes a consumer from another thread while it uses its slices. The
// producer does not touch them, and goes on after they are given back.
func closeHolding(take func(w *world) (a, b []byte)) func(*interleave.T) {
	return func(t *interleave.T) { closeWhileHolding(t, take) }
}

func holdSlices(w *world) (a, b []byte) { return w.c.Slices() }

func holdPeek(w *world) (a, b []byte) {
	a, err := w.c.Peek(1)
	if err != nil && err != io.ErrClosedPipe {
		w.Fail("Peek: %v", err)
	}
	return a, nil
}

func closeWhileHolding(t *interleave.T, take func(w *world) (a, b []byte)) {
	w := ringOf(t, 2, 2, near)
	w.p.Write(numbers(0, 2))
	w.cs[1].Read(make([]byte, 2))
	w.Go("producer", func() {
		n, err := w.p.Write(numbers(2, 4))
		if n != 2 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("holder", func() {
		a, b := take(w)
		w.use(0, len(a)+len(b), a, b)
		w.use(0, len(a)+len(b), a, b)
		if err := w.c.Discard(0); err != nil && err != io.ErrClosedPipe {
			w.Fail("Discard: %v", err)
		}
	})
	w.Go("closer", func() { w.c.Close() })
	w.Go("reader", func() {
		b := make([]byte, 2)
		for at := 2; at < 4; {
			n, _ := w.cs[1].Read(b)
			w.expect(at, b[:n])
			at += n
		}
	})
}

// closeReading closes a consumer from another thread in the middle of its Read.
func closeReading(t *interleave.T) {
	w := ringOf(t, 1, 2, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(3, 3); n != 3 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
		w.p.Close()
	})
	w.Go("closed", func() {
		if n, err := w.readAll(w.c, 1); err != io.ErrClosedPipe && (n != 3 || err != io.EOF) {
			w.Fail("read %d, %v", n, err)
		}
	})
	w.Go("reader", func() { n, err := w.readAll(w.cs[1], 1); w.wantAll(3, n, err) })
	w.Go("closer", func() { w.c.Close() })
}

// lastBroadcastCloses ends the producer once all consumers are closed.
func lastBroadcastCloses(t *interleave.T) {
	w := ringOf(t, 1, 2, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(3, 3); n == 3 || !errors.Is(err, errCustom) {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("first", func() { w.cs[0].CloseWithError(errCustom) })
	w.Go("second", func() { w.cs[1].Read(make([]byte, 1)); w.cs[1].Close() })
}

func spinScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	add(2, spinning(transfer(1, 3, 2, 2, near)), "spin/transfer/capacity=1")
	add(2, spinning(transfer(2, 5, 3, 2, near)), "spin/transfer/capacity=2")
	add(2, spinning(inPlace(3, 5, near)), "spin/slices")
	add(2, spinning(peeks(4, 4, 3, 6)), "spin/peek")
	add(1, spinning(peeks(8, 8, 11, 11)), "spin/quarter")
	add(2, spinning(waits(3, 3, 4)), "spin/wait")
	add(2, spinning(thirdClosesProducer(1, 3)), "spin/third-closes-producer")
	add(2, spinning(flushThenClose(2, true)), "spin/flush-after-close")
	add(2, spinning(thirdClosesConsumer), "spin/third-closes-consumer")
	add(2, spinning(cancelConsumer), "spin/cancel-consumer-wait")
	add(2, spinning(cancelProducer), "spin/cancel-producer-wait")
	add(2, spinning(setWhileParked(true, 5)), "spin/deadline/reader")
	add(2, spinning(setWhileParked(false, 5)), "spin/deadline/writer")
	add(1, spinning(broadcast(1, 2, 2)), "spin/broadcast")

	add(2, yielding(transfer(1, 3, 2, 2, near)), "yield/transfer/capacity=1")
	add(2, yielding(transfer(2, 5, 3, 2, near)), "yield/transfer/capacity=2")
	add(2, yielding(inPlace(3, 5, near)), "yield/slices")
	add(1, yielding(peeks(8, 8, 11, 11)), "yield/quarter")
	add(2, yielding(thirdClosesProducer(1, 3)), "yield/third-closes-producer")
	add(2, yielding(thirdClosesConsumer), "yield/third-closes-consumer")
	add(2, yielding(flushThenClose(2, true)), "yield/flush-after-close")
	add(2, yielding(setWhileParked(false, 5)), "yield/deadline/writer")
	add(1, yielding(broadcast(1, 2, 2)), "yield/broadcast")

	add(2, trailing(transfer(1, 3, 2, 2, near)), "trail/transfer/capacity=1")
	add(2, trailing(transfer(2, 5, 3, 2, near)), "trail/transfer/capacity=2")
	add(2, trailing(inPlace(3, 5, near)), "trail/slices")
	add(2, trailing(peeks(4, 4, 3, 6)), "trail/peek")
	add(2, trailing(waits(3, 3, 1)), "trail/wait")
	add(2, trailing(thirdClosesProducer(1, 3)), "trail/third-closes-producer")
	add(2, trailing(thirdClosesConsumer), "trail/third-closes-consumer")
	add(2, trailing(cancelConsumer), "trail/cancel-consumer-wait")
	add(2, trailing(setWhileParked(true, 5)), "trail/deadline/reader")
	add(1, trailing(broadcast(1, 2, 2)), "trail/broadcast")

	add(2, claiming(transfer(5, 11, 1, 3, near)), "claim/transfer/capacity=5")
	add(2, claiming(transfer(6, 13, 2, 3, near)), "claim/transfer/capacity=6")
	add(3, claiming(claimPinned), "claim/pinned")
}

// claimPinned commits the first bytes of a pinned producer's space while another
// thread fills the rest.
func claimPinned(t *interleave.T) {
	w := ringOf(t, 8, 1, near)
	w.p.Pin()
	w.pinned = true
	a, _ := w.p.Slices()
	w.Go("producer", func() {
		w.fill(0, 1, a[:1])
		w.p.Commit(1)
		w.p.Slices()
		w.fill(1, 1, a[1:2])
		w.p.Commit(1)
	})
	w.Go("filler", func() { w.fill(2, 4, a[2:6]) })
}

// A giver is a source of the first n bytes of the stream, at most chunk bytes a
// read.
type giver struct {
	w            *world
	n, chunk, at int
}

func (g *giver) Read(b []byte) (int, error) {
	if g.at == g.n {
		return 0, io.EOF
	}
	m := min(len(b), g.chunk, g.n-g.at)
	g.w.fill(g.at, m, b)
	g.at += m
	return m, nil
}

// exactFit has a ReadFrom whose last byte fills the ring, so that only the source
// can end it.
func exactFit(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.Go("producer", func() {
		if n, err := w.p.ReadFrom(&giver{w, 2, 2, 0}); n != 2 || err != nil {
			w.Fail("ReadFrom: %d, %v", n, err)
		}
	})
	w.Go("onlooker", func() {
		if n := w.p.Free(); n < 0 || n > 2 {
			w.Fail("Free is %d", n)
		}
	})
}

// spillMeets runs a ReadFrom of total bytes through a ring of one byte while the
// other threads act. Afterwards then judges what ReadFrom returned.
func spillMeets(total int, then func(w *world, src *giver, n int, err error), others map[string]func(w *world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		src := &giver{w, total, 2, 0}
		if others["clock"] != nil {
			w.p.setDeadline(5)
		}
		w.Go("producer", func() {
			n, err := w.p.ReadFrom(src)
			then(w, src, int(n), err)
		})
		for _, name := range []string{"consumer", "clock", "third"} {
			if f := others[name]; f != nil {
				w.Go(name, func() { f(w) })
			}
		}
	}
}

// reads has the consumer read to the end and compares the count with *want at the
// end of the scenario.
func reads(want *int) func(w *world) {
	return func(w *world) {
		n, err := w.readAll(w.c, 2)
		w.wantAll(*want, n, err)
	}
}

// spillAndDeadline interrupts a ReadFrom with a deadline. The bytes that it had
// read come before those that the next call writes.
func spillAndDeadline(next func(w *world, from int)) func(*interleave.T) {
	return func(t *interleave.T) {
		total := 0
		spillMeets(3, func(w *world, src *giver, n int, err error) {
			if err != nil && (err != os.ErrDeadlineExceeded || n > src.at) || err == nil && n != 3 {
				w.Fail("ReadFrom: %d of %d, %v", n, src.at, err)
			}
			w.p.setDeadline(0)
			total = src.at + 1
			next(w, src.at)
			w.p.Close()
		}, map[string]func(w *world){
			"consumer": reads(&total),
			"clock":    func(w *world) { w.Advance(10) },
		})(t)
	}
}

func nextWrites(w *world, from int) {
	if n, err := w.p.Write(numbers(from, from+1)); n != 1 || err != nil {
		w.Fail("Write: %d, %v", n, err)
	}
}

func nextTries(w *world, from int) {
	for x := w.waiter(); ; x.told(w.p.Notify, 1) {
		n, err := w.p.TryWrite(numbers(from, from+1))
		if n == 1 && err == nil {
			return
		}
		if n != 0 || err != nil {
			w.Fail("TryWrite: %d, %v", n, err)
		}
	}
}

func nextWaits(w *world, from int) {
	if err := w.p.Wait(context.Background(), 1); err != nil {
		w.Fail("Wait: %v", err)
	}
	a, b := w.p.Slices()
	w.fill(from, 1, a, b)
	if err := w.p.Commit(1); err != nil {
		w.Fail("Commit: %v", err)
	}
}

func nextReads(w *world, from int) {
	g := &giver{w, from + 1, 1, from}
	if _, err := w.p.ReadFrom(g); err != nil {
		w.Fail("ReadFrom: %v", err)
	}
}

// spillAndClose has a third thread close the producer. The counted bytes arrive,
// and no others.
func spillAndClose(t *interleave.T) {
	counted, got := 0, 0
	t.Final(func() error {
		if counted != got {
			return fmt.Errorf("%d bytes were counted, %d were delivered", counted, got)
		}
		return nil
	})
	spillMeets(3, func(w *world, _ *giver, n int, err error) {
		if counted = n; n < 3 && err != io.ErrClosedPipe {
			w.Fail("ReadFrom: %d, %v", n, err)
		}
		w.p.Close()
	}, map[string]func(w *world){
		"consumer": func(w *world) {
			var err error
			if got, err = w.readAll(w.c, 2); err != io.EOF {
				w.Fail("read %d, %v", got, err)
			}
		},
		"third": func(w *world) { w.p.Close() },
	})(t)
}

// spillAndConsumersClose has the consumer take bytes and close. If it took all of
// them, ReadFrom succeeds; otherwise ReadFrom fails.
func spillAndConsumersClose(take int) func(*interleave.T) {
	return spillMeets(3, func(w *world, _ *giver, n int, err error) {
		switch {
		case take == 3 && (n != 3 || err != nil):
			w.Fail("ReadFrom after all bytes were taken: %d, %v", n, err)
		case take < 3 && err != errCustom:
			w.Fail("ReadFrom after %d bytes were taken: %d, %v", take, n, err)
		}
	}, map[string]func(w *world){
		"consumer": func(w *world) {
			b := make([]byte, 1)
			for at := range take {
				w.c.Read(b)
				w.expect(at, b)
			}
			w.c.CloseWithError(errCustom)
		},
	})
}

// spillAndReset starts a second life while the first has left bytes in the spill.
func spillAndReset(t *interleave.T) {
	spillMeets(3, func(w *world, src *giver, n int, err error) {
		w.p.Close()
		w.c.Close()
		w.resetting = true
		if err := Reset(w.p, w.c); err != nil {
			w.Fail("Reset: %v", err)
		}
		w.resetting = false
		w.lives++
		if free := w.p.Free(); free != 1 {
			w.Fail("%d bytes are free after Reset", free)
		}
		w.p.TryWrite(numbers(0, 1))
		b := make([]byte, 2)
		m, err := w.c.Read(b)
		if w.expect(0, b[:m]); m != 1 || err != nil {
			w.Fail("Read: %d, %v", m, err)
		}
	}, map[string]func(w *world){
		"clock": func(w *world) { w.Advance(10) },
	})(t)
}

// spillAndPanic has the source panic after it has filled the ring and given one
// more byte.
func spillAndPanic(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	g := &giver{w, 2, 1, 0}
	w.Go("producer", func() {
		func() {
			defer func() {
				if v := recover(); v != nil && v != errCustom {
					panic(v)
				}
			}()
			w.p.ReadFrom(readerFunc(func(b []byte) (int, error) {
				if g.at == g.n {
					w.fill(8, 1, b)
					panic(errCustom)
				}
				return g.Read(b)
			}))
		}()
		nextWrites(w, 2)
		w.p.Close()
	})
	w.Go("consumer", func() { n, err := w.readAll(w.c, 2); w.wantAll(3, n, err) })
}

func spillScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	add(-1, exactFit, "spill/exact-fit/unbounded")
	add(2, spillAndDeadline(nextWrites), "spill/deadline-then-write")
	add(2, spillAndDeadline(nextTries), "spill/deadline-then-notify-and-trywrite")
	add(2, spillAndDeadline(nextWaits), "spill/deadline-then-wait-and-slices")
	add(2, spillAndDeadline(nextReads), "spill/deadline-then-readfrom")
	add(2, spillAndClose, "spill/third-closes-producer")
	add(3, spillAndConsumersClose(3), "spill/consumer-takes-all-and-closes")
	add(3, spillAndConsumersClose(1), "spill/consumer-takes-one-and-closes")
	add(3, spillAndReset, "spill/reset")
	add(3, spillAndPanic, "spill/panic")
}
