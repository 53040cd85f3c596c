//go:build interleave

package bytering

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering/internal/interleave"
)

// A waiter is a thread that waits for its half with Notify. It counts how often it
// armed and how often its function ran.
type waiter struct {
	w          *world
	token      interleave.Token
	armed, ran int
}

// told calls notify and, if that armed, sleeps until the function runs.
func (x *waiter) told(notify func(int, func()) bool, n int) {
	if notify(n, x.f) {
		x.armed++
		x.token.Take(nil)
	}
}

func (x *waiter) f() { x.ran++; x.token.Post() }

// waiter makes a waiter. At the end of the scenario its counts must agree.
func (w *world) waiter() *waiter {
	x := &waiter{w: w}
	w.Final(func() error {
		if x.armed != x.ran {
			return fmt.Errorf("a function ran %d times for %d armings", x.ran, x.armed)
		}
		return nil
	})
	return x
}

// consume reads until the end, waiting for n bytes with Notify. It returns how many
// bytes came and the error.
func (x *waiter) consume(c *Consumer, n int) (at int, err error) {
	w, b := x.w, make([]byte, 8)
	for {
		x.told(c.Notify, n)
		if there := c.Len(); there < n && w.p.ring.producer.cursor.Load()&closed == 0 && !c.closed() {
			w.Fail("notified with %d of %d bytes there", there, n)
		}
		m, err := c.TryRead(b[:1])
		w.expect(at, b[:m])
		if at += m; err != nil {
			return at, err
		}
	}
}

// produce writes total bytes, waiting for n free bytes with Notify.
func (x *waiter) produce(total, n int) (at int, err error) {
	w := x.w
	for at < total {
		x.told(w.p.Notify, n)
		if free := w.p.Free(); free < n && w.p.Err() == nil {
			w.Fail("notified with %d of %d bytes free", free, n)
		}
		m, err := w.p.TryWrite(numbers(at, min(at+n, total)))
		if at += m; err != nil {
			return at, err
		}
	}
	return at, nil
}

// notifiedConsumer notifies a consumer of the bytes of a writer that parks.
func notifiedConsumer(capacity, n, chunk int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		x, total := w.waiter(), capacity+1
		w.Go("producer", func() { w.writeAll(total, chunk); w.p.Close() })
		w.Go("consumer", func() { m, err := x.consume(w.c, n); w.wantAll(total, m, err) })
	}
}

// notifiedProducer notifies a producer of the space of a reader that parks.
func notifiedProducer(capacity, n, chunk int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		x, total := w.waiter(), capacity+2
		w.Go("producer", func() {
			if m, err := x.produce(total, n); m != total || err != nil {
				w.Fail("wrote %d, %v", m, err)
			}
			w.p.Close()
		})
		w.Go("consumer", func() { m, err := w.readAll(w.c, chunk); w.wantAll(total, m, err) })
	}
}

// notifiedBoth passes bytes with Notify on both sides, so that no half parks.
func notifiedBoth(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	x, y := w.waiter(), w.waiter()
	w.Go("producer", func() { x.produce(2, 1); w.p.Close() })
	w.Go("consumer", func() { n, err := y.consume(w.c, 1); w.wantAll(2, n, err) })
}

// ready receives from Ready's channel and checks that the half is ready.
func (w *world) ready(arm func(), r *readiness, ready func() bool) {
	arm()
	r.token.Take(nil)
	if !ready() {
		w.Fail("the channel is ready, and the half is not")
	}
}

func (w *world) producerReady() {
	w.ready(w.p.armReady, &w.p.readiness, func() bool { return w.p.ready(1) })
}
func (w *world) consumerReady() {
	w.ready(w.c.armReady, &w.c.readiness, func() bool { return w.c.ready(1) })
}

// armReady is Ready without its channel, which the explorer does not know.
func (p *Producer) armReady() { p.Ready() }
func (c *Consumer) armReady() { c.Ready() }

// readyBoth passes bytes between two loops over Ready.
func readyBoth(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		for at := 0; at < 2; {
			w.producerReady()
			n, err := w.p.TryWrite(numbers(at, 2))
			if n == 0 || err != nil {
				w.Fail("TryWrite: %d, %v", n, err)
			}
			at += n
		}
		w.p.Close()
	})
	w.Go("consumer", func() {
		b := make([]byte, 1)
		for at := 0; ; {
			w.consumerReady()
			n, err := w.c.TryRead(b)
			w.expect(at, b[:n])
			if at += n; err != nil {
				w.wantAll(2, at, err)
				break
			}
		}
		w.consumerReady() // the channel stays ready after the end
		w.consumerReady()
	})
}

// readyAndParking alternates Ready and calls that park.
func readyAndParking(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		w.producerReady()
		w.p.TryWrite(numbers(0, 1))
		w.p.Write(numbers(1, 2))
		w.p.armReady()
		w.p.Write(numbers(2, 3))
		w.p.Close()
	})
	w.Go("consumer", func() {
		w.c.armReady()
		b := make([]byte, 1)
		w.c.Read(b)
		w.expect(0, b)
		for at := 1; ; {
			// A value of an earlier arming may still be on its way, so the half may
			// not be ready yet.
			w.c.armReady()
			w.c.readiness.token.Take(nil)
			n, err := w.c.TryRead(b)
			w.expect(at, b[:n])
			if at += n; err != nil {
				w.wantAll(3, at, err)
				return
			}
		}
	})
}

// readyTwice leaves a value unreceived and takes the byte that it announced before
// it calls Ready again.
func readyTwice(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("consumer", func() {
		w.c.armReady()
		w.p.TryWrite(numbers(0, 1))
		w.c.TryRead(make([]byte, 1))
		w.c.armReady()
		if w.c.readiness.token.Full() {
			w.Fail("the channel is ready, and the consumer is not")
		}
	})
	w.Go("nobody", func() {})
}

// notifiedOfClose arms a half that only a close by a third thread can notify.
func notifiedOfClose(producer bool, close func(w *world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		w.p.TryWrite(numbers(0, 1))
		x := w.waiter()
		w.Go("waiter", func() {
			if producer {
				x.told(w.p.Notify, 2)
				if w.p.Err() == nil {
					w.Fail("the consumer is notified before the end")
				}
				return
			}
			x.told(w.c.Notify, 2)
			if w.c.Err() == nil && w.p.ring.producer.cursor.Load()&closed == 0 {
				w.Fail("the producer is notified before the end")
			}
		})
		w.Go("third", func() { close(w) })
	}
}

// notifiedOfAllCloses notifies a producer of the end when the last of several
// consumers is closed, not as soon as no consumer limits it any longer.
func notifiedOfAllCloses(t *interleave.T) {
	w := ringOf(t, 2, 2, near)
	w.p.TryWrite(numbers(0, 2))
	x := w.waiter()
	w.Go("producer", func() {
		x.told(w.p.Notify, 1)
		if w.p.Err() == nil && w.p.Free() == 0 {
			w.Fail("notified with no byte free and no end")
		}
	})
	w.Go("first", func() { w.cs[0].Close() })
	w.Go("second", func() { w.cs[1].Close() })
}

// notifiedOfRelease notifies a producer when a closed consumer of several has given
// its slices back.
func notifiedOfRelease(t *interleave.T) {
	w := ringOf(t, 2, 2, near)
	w.p.TryWrite(numbers(0, 2))
	w.cs[1].Discard(2)
	w.cs[0].Slices()
	x := w.waiter()
	w.Go("producer", func() {
		if n, err := x.produce(2, 2); n != 2 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("holder", func() { w.cs[0].Discard(0) })
	w.Go("closer", func() { w.cs[0].Close() })
}

// notifiedBroadcast notifies all consumers, and the producer of the space that the
// slowest leaves.
func notifiedBroadcast(t *interleave.T) {
	w := ringOf(t, 1, 2, near)
	z := w.waiter()
	w.Go("producer", func() { z.produce(2, 1); w.p.Close() })
	for i, c := range w.cs {
		x := w.waiter()
		w.Go(fmt.Sprint("consumer", i), func() { n, err := x.consume(c, 1); w.wantAll(2, n, err) })
	}
}

// disarm calls Disarm while the other half, or a close, makes the condition true.
func disarm(producer bool, close bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		x := w.waiter()
		notify, disarm := w.c.Notify, w.c.Disarm
		move, end := func() { w.p.TryWrite(numbers(0, 1)) }, w.p.Close
		if producer {
			w.p.TryWrite(numbers(0, 1))
			notify, disarm = w.p.Notify, w.p.Disarm
			move, end = func() { w.c.Discard(1) }, w.c.Close
		}
		w.Go("waiter", func() {
			if !notify(1, x.f) {
				if disarm() {
					w.Fail("something was armed")
				}
				return
			}
			if x.armed++; disarm() {
				x.armed--
			}
			if disarm() {
				w.Fail("something is still armed after Disarm")
			}
		})
		w.Go("mover", func() {
			move()
			if close {
				end()
			}
		})
	}
}

// disarmFromAside calls Disarm from a third thread.
func disarmFromAside(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	x := w.waiter()
	w.Go("consumer", func() {
		if w.c.Notify(1, x.f) {
			x.armed++
		}
	})
	w.Go("third", func() {
		if w.c.Disarm() {
			x.armed--
		}
	})
	w.Go("producer", func() { w.p.TryWrite(numbers(0, 1)) })
}

// replaced arms a second function, whether or not the first has run.
func replaced(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	first, second := 0, w.waiter()
	w.Go("consumer", func() {
		w.c.Notify(1, func() { first++ })
		second.told(w.c.Notify, 2)
		if n := w.c.Len(); n < 2 {
			w.Fail("notified with %d bytes there", n)
		}
	})
	w.Go("producer", func() { w.writeAll(2, 1) })
	w.Final(func() error {
		if first > 1 {
			return fmt.Errorf("the first function ran %d times", first)
		}
		return nil
	})
}

// replacedByParking parks, after which no note may be armed.
func replacedByParking(producer bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		ran := 0
		f := func() { ran++ }
		if producer {
			w.p.TryWrite(numbers(0, 2))
		}
		w.Go("waiter", func() {
			was, still := 0, false
			if producer {
				w.p.Notify(2, f)
				was = ran
				w.p.await(context.Background(), exactly(1))
				still = w.p.Disarm()
			} else {
				w.c.Notify(2, f)
				was = ran
				w.c.await(context.Background(), exactly(1))
				still = w.c.Disarm()
			}
			if still || ran < was || ran > 1 {
				w.Fail("a parking call leaves a note armed, or its function ran %d times", ran)
			}
		})
		w.Go("mover", func() {
			if producer {
				w.c.Discard(1)
			} else {
				w.p.TryWrite(numbers(0, 1))
			}
		})
	}
}

// closeFromNote has the function of a note close both halves from inside the call
// that runs it.
func closeFromNote(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	x := w.waiter()
	w.Go("consumer", func() {
		if w.c.Notify(1, func() { x.f(); w.p.Close(); w.c.CloseWithError(errCustom); w.c.Disarm() }) {
			x.armed++
			x.token.Take(nil)
		}
	})
	w.Go("producer", func() {
		if n, err := w.p.Write(numbers(0, 3)); n > 2 || n < 3 && err != io.ErrClosedPipe && err != errCustom {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("third", func() { w.p.Close() })
}

// notifiedWhileFlushed mixes a producer that is notified with a consumer that waits
// for the whole ring and takes one byte, and with a third thread that closes.
func notifiedWhileFlushed(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	x := w.waiter()
	w.Go("producer", func() { x.produce(3, 1) })
	w.Go("consumer", func() {
		for w.c.Wait(context.Background(), 2) == nil {
			w.c.TryRead(make([]byte, 1))
		}
	})
	w.Go("third", func() { w.p.Close() })
}

func notifyScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	for capacity := 1; capacity <= 3; capacity++ {
		for n := 1; n <= capacity; n++ {
			for _, chunk := range []int{1, 2} {
				add(2, notifiedConsumer(capacity, n, chunk), "notify-consumer/capacity=%d/n=%d/chunk=%d", capacity, n, chunk)
			}
			add(2, notifiedProducer(capacity, n, 1), "notify-producer/capacity=%d/n=%d", capacity, n)
		}
	}
	add(3, notifiedBoth, "notify-both")
	add(2, readyBoth, "ready-both")
	add(2, readyAndParking, "ready-and-parking")
	add(3, readyTwice, "ready-twice")
	closes := map[string]func(w *world){
		"producer": func(w *world) { w.p.Close() },
		"consumer": func(w *world) { w.c.Close() },
	}
	for _, who := range []string{"producer", "consumer"} {
		add(-1, notifiedOfClose(true, closes[who]), "notify-producer-of-close/%s", who)
		add(-1, notifiedOfClose(false, closes[who]), "notify-consumer-of-close/%s", who)
	}
	add(3, notifiedOfAllCloses, "notify-producer-of-all-closes")
	add(3, notifiedOfRelease, "notify-producer-of-release")
	add(1, notifiedBroadcast, "notify-broadcast")
	for _, close := range []bool{false, true} {
		add(4, disarm(true, close), "disarm-producer/close=%t", close)
		add(4, disarm(false, close), "disarm-consumer/close=%t", close)
	}
	add(3, disarmFromAside, "disarm-from-aside")
	add(3, replaced, "notify-twice")
	add(3, replacedByParking(true), "notify-and-park/producer")
	add(3, replacedByParking(false), "notify-and-park/consumer")
	add(3, closeFromNote, "close-from-note")
	add(2, notifiedWhileFlushed, "notify-while-flushed")
}

// The scenarios' clock starts at 1 and advances only where a scenario says so.

// wantLate fails the schedule unless a call ended with its half's deadline, moved
// nothing, and did not end before the deadline.
func (w *world) wantLate(n int, err error, at uint64) {
	if n != 0 || err != os.ErrDeadlineExceeded {
		w.Fail("%d, %v; want the deadline", n, err)
	}
	if now := w.Moment(); now < at {
		w.Fail("the call met deadline %d at time %d", at, now)
	}
}

// parks returns a call that parks for ever, of a reader of an empty ring or a
// writer of a full one, and the setter of its deadline.
func parks(w *world, reader bool) (call func() (int, error), set func(uint64) error) {
	if reader {
		return func() (int, error) { return w.c.Read(make([]byte, 1)) }, w.c.setDeadline
	}
	w.p.TryWrite(numbers(0, w.p.Cap()))
	return func() (int, error) { return w.p.Write(numbers(w.p.Cap(), w.p.Cap()+1)) }, w.p.setDeadline
}

// alone has a call that only the deadline can end.
func alone(reader bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		set(5)
		w.Go("parked", func() { n, err := call(); w.wantLate(n, err, 5) })
		w.Go("clock", func() { w.Advance(10) })
	}
}

// closedUnderDeadline closes a half whose call has parked under a deadline and has
// returned or is about to. Its timer must not be left running.
func closedUnderDeadline(reader, own bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		set(5)
		half := io.Closer(w.p)
		if reader {
			half = w.c
		}
		w.Go("parked", func() {
			call()
			if own {
				half.Close()
			}
		})
		w.Go("other", func() {
			if reader {
				w.p.TryWrite(numbers(0, 1))
			} else {
				w.c.Discard(1)
			}
			if !own {
				half.Close()
			}
		})
	}
}

// setWhileParked sets one deadline after the other during a call. The last one ends
// it.
func setWhileParked(reader bool, ats ...uint64) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		w.Go("parked", func() { n, err := call(); w.wantLate(n, err, ats[len(ats)-1]) })
		w.Go("setter", func() {
			for _, at := range ats {
				set(at)
			}
			w.Advance(ats[len(ats)-1])
		})
	}
}

// putOff sets another deadline before the first has passed. The first must not end
// the call.
func putOff(reader bool, at uint64) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		set(5)
		w.Go("parked", func() {
			if n, err := call(); n != 1 || err != nil {
				w.Fail("%d, %v", n, err)
			}
		})
		w.Go("setter", func() {
			set(at)
			w.Advance(10)
			if reader {
				w.p.Write(numbers(0, 1))
			} else {
				w.c.Read(make([]byte, 1))
			}
		})
	}
}

// setAgain lets several deadlines pass in turn.
func setAgain(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("consumer", func() {
		for _, at := range []uint64{5, 15, 10, 20} {
			w.c.setDeadline(at)
			n, err := w.c.Read(make([]byte, 1))
			w.wantLate(n, err, at)
		}
		w.c.setDeadline(0)
		w.p.TryWrite(numbers(0, 1))
		if n, err := w.c.Read(make([]byte, 1)); n != 1 || err != nil {
			w.Fail("%d, %v", n, err)
		}
	})
	w.Go("clock", func() { w.Advance(10); w.Advance(10) })
}

// commitThenDeadline and discardThenDeadline let the deadline pass only after the
// wait has got what it wants.
func commitThenDeadline(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.c.setDeadline(5)
	w.Go("consumer", func() {
		if err := w.c.await(context.Background(), exactly(1)); err != nil {
			w.Fail("%v with %d bytes there", err, w.c.Len())
		}
	})
	w.Go("producer", func() { w.p.TryWrite(numbers(0, 1)); w.Advance(10) })
}

func discardThenDeadline(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.TryWrite(numbers(0, 1))
	w.p.setDeadline(5)
	w.Go("producer", func() {
		if err := w.p.await(context.Background(), exactly(1)); err != nil {
			w.Fail("%v with %d bytes free", err, w.p.Free())
		}
	})
	w.Go("consumer", func() { w.c.Discard(1); w.Advance(10) })
}

// deadlineOfRead interrupts a Read, which loses nothing.
func deadlineOfRead(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.c.setDeadline(5)
	w.Go("producer", func() { w.writeAll(2, 2); w.p.Close() })
	w.Go("consumer", func() {
		at, err := w.readAll(w.c, 1)
		if err == os.ErrDeadlineExceeded {
			w.wantLate(0, err, 5)
			w.c.setDeadline(0)
			var n int
			b := make([]byte, 1)
			for err = nil; err == nil; at += n {
				n, err = w.c.Read(b)
				w.expect(at, b[:n])
			}
		}
		w.wantAll(2, at, err)
	})
	w.Go("clock", func() { w.Advance(10) })
}

// deadlineOfWrite interrupts a Write, which counts what it wrote.
func deadlineOfWrite(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.setDeadline(5)
	wrote := 0
	w.Go("producer", func() {
		var err error
		if wrote, err = w.p.Write(numbers(0, 3)); wrote < 3 {
			w.wantLate(0, err, 5)
		}
		w.p.Close()
	})
	w.Go("consumer", func() { n, err := w.readAll(w.c, 1); w.wantAll(wrote, n, err) })
	w.Go("clock", func() { w.Advance(10) })
}

// deadlineOfPeek interrupts a Peek, which returns what is there.
func deadlineOfPeek(t *interleave.T) {
	w := ringOf(t, 3, 1, near)
	w.Go("producer", func() { w.writeAll(3, 2) })
	w.Go("consumer", func() {
		switch b, err := w.c.Peek(3); {
		case err == os.ErrDeadlineExceeded && len(b) < 3, err == nil && len(b) == 3:
			w.expect(0, b)
			w.c.Discard(len(b))
		default:
			w.Fail("Peek: %d bytes, %v", len(b), err)
		}
	})
	w.Go("setter", func() { w.c.setDeadline(5); w.Advance(10) })
}

func deadlineOfStreams(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.setDeadline(5)
	wrote := int64(0)
	w.Go("producer", func() {
		at := 0
		var err error
		wrote, err = w.p.ReadFrom(readerFunc(func(b []byte) (int, error) {
			if at == 3 {
				return 0, io.EOF
			}
			w.fill(at, 1, b)
			at++
			return 1, nil
		}))
		if err != nil {
			w.wantLate(0, err, 5)
		}
		w.p.Close()
	})
	w.Go("consumer", func() {
		at := 0
		write := writerFunc(func(b []byte) (int, error) {
			w.use(at, len(b), b)
			at += len(b)
			return len(b), nil
		})
		w.c.setDeadline(5)
		_, err := w.c.WriteTo(write)
		if err != nil {
			w.wantLate(0, err, 5)
			w.c.setDeadline(0)
			_, err = w.c.WriteTo(write)
		}
		if err != nil || int64(at) != wrote {
			w.Fail("WriteTo: %v, %d of %d", err, at, wrote)
		}
	})
	w.Go("clock", func() { w.Advance(10) })
}

// deadlineAndCloses ends parked calls of both halves with deadlines and closes.
func deadlineAndCloses(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.c.setDeadline(5)
	w.Go("consumer", func() {
		if n, err := w.c.Read(make([]byte, 1)); n != 0 || err != io.EOF && err != os.ErrDeadlineExceeded {
			w.Fail("Read: %d, %v", n, err)
		}
		if err := w.c.setDeadline(0); err != nil {
			w.Fail("SetReadDeadline: %v", err)
		}
		if n, err := w.c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			w.Fail("Read: %d, %v", n, err)
		}
	})
	w.Go("third", func() {
		w.Advance(10)
		w.p.Close()
		if err := w.p.setDeadline(5); err != io.ErrClosedPipe {
			w.Fail("SetWriteDeadline: %v", err)
		}
	})
}

// closedBefore closes a half that is parked under a deadline that never passes. Its
// timer must be stopped at rest.
func closedBefore(reader bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		set(5)
		w.Go("parked", func() {
			if n, err := call(); n != 0 || err != io.ErrClosedPipe {
				w.Fail("%d, %v", n, err)
			}
		})
		w.Go("closer", func() {
			if reader {
				w.c.Close()
			} else {
				w.p.Close()
			}
		})
	}
}

// overdueAndCloses starts calls after their deadline. No byte moves, but an end is
// reported.
func overdueAndCloses(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.p.TryWrite(numbers(0, 1))
	w.p.setDeadline(1)
	w.c.setDeadline(1)
	w.Go("producer", func() {
		if n, err := w.p.Write(numbers(1, 2)); n != 0 || err != os.ErrDeadlineExceeded && err != errCustom {
			w.Fail("Write: %d, %v", n, err)
		}
		ended := w.p.Err() != nil
		switch err := w.p.Wait(context.Background(), 2); err {
		case os.ErrDeadlineExceeded:
			if ended {
				w.Fail("Wait: %v after the end", err)
			}
		case nil, errCustom: // enough space is free, also after the end
			if w.p.Err() == nil {
				w.Fail("Wait: %v before the end", err)
			}
		default:
			w.Fail("Wait: %v", err)
		}
	})
	w.Go("consumer", func() {
		if n, err := w.c.Read(make([]byte, 1)); n != 0 || err != os.ErrDeadlineExceeded {
			w.Fail("Read: %d, %v", n, err)
		}
		if n, err := w.c.TryRead(make([]byte, 1)); n != 1 || err != nil {
			w.Fail("TryRead: %d, %v", n, err)
		}
		w.c.CloseWithError(errCustom)
		if _, err := w.c.Read(make([]byte, 1)); err != io.ErrClosedPipe {
			w.Fail("Read: %v", err)
		}
		if w.c.overdue() {
			w.Fail("the consumer is overdue after its Close")
		}
	})
}

// deadlineAndContext ends a Wait with its deadline or its context, whichever comes
// first.
func deadlineAndContext(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	ctx, cancel := context.WithCancelCause(context.Background())
	w.c.setDeadline(5)
	w.Go("consumer", func() {
		switch err := w.c.Wait(ctx, 2); {
		case err == os.ErrDeadlineExceeded:
			w.wantLate(0, err, 5)
		case err == errCustom && ctx.Err() != nil:
		case err == nil && w.c.Len() == 2:
		default:
			w.Fail("Wait: %v", err)
		}
	})
	w.Go("clock", func() { w.Advance(10) })
	w.Go("canceller", func() { w.Step("cancel", func() { cancel(errCustom) }) })
	w.Go("producer", func() { w.p.Write(numbers(0, 2)) })
}

// deadlineOfBroadcast interrupts one of two consumers, which then closes.
func deadlineOfBroadcast(t *interleave.T) {
	w := ringOf(t, 1, 2, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(2, 2); n != 2 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
		w.p.Close()
	})
	w.Go("late", func() {
		w.c.setDeadline(5)
		switch n, err := w.readAll(w.c, 1); err {
		case os.ErrDeadlineExceeded:
			w.c.Close()
		default:
			w.wantAll(2, n, err)
		}
	})
	w.Go("reader", func() { n, err := w.readAll(w.cs[1], 1); w.wantAll(2, n, err) })
	w.Go("clock", func() { w.Advance(10) })
}

func deadlineScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	add(-1, alone(true), "deadline-of-parked-reader/unbounded")
	add(-1, alone(false), "deadline-of-parked-writer/unbounded")
	for _, ats := range [][]uint64{{1}, {5}, {20, 5}, {5, 20}, {0, 5}} {
		add(4, setWhileParked(true, ats...), "deadline-set-while-parked/reader/%d", ats)
		add(4, setWhileParked(false, ats...), "deadline-set-while-parked/writer/%d", ats)
	}
	add(3, putOff(true, 0), "deadline-cleared-while-parked/reader")
	add(3, putOff(false, 0), "deadline-cleared-while-parked/writer")
	add(3, putOff(true, 90), "deadline-put-off-while-parked/reader")
	add(3, putOff(false, 90), "deadline-put-off-while-parked/writer")
	for _, own := range []bool{false, true} {
		add(4, closedUnderDeadline(true, own), "deadline-then-close/reader/own=%t", own)
		add(4, closedUnderDeadline(false, own), "deadline-then-close/writer/own=%t", own)
	}
	add(4, setAgain, "deadline-set-again-after-it-fired")
	add(4, commitThenDeadline, "deadline-after-commit")
	add(4, discardThenDeadline, "deadline-after-discard")
	add(2, deadlineOfRead, "deadline-of-read-while-written")
	add(2, deadlineOfWrite, "deadline-of-write-while-read")
	add(2, deadlineOfPeek, "deadline-of-peek")
	add(2, deadlineOfStreams, "deadline-of-readfrom-and-writeto")
	add(3, deadlineAndCloses, "deadline-and-third-closes")
	add(-1, closedBefore(false), "closed-before-the-deadline/producer")
	add(-1, closedBefore(true), "closed-before-the-deadline/consumer")
	add(3, overdueAndCloses, "deadline-passed-and-third-closes")
	add(2, deadlineAndContext, "deadline-and-context")
	add(1, deadlineOfBroadcast, "deadline-of-broadcast")
}
