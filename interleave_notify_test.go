//go:build interleave

package bytering

import (
	"context"
	"fmt"
	"io"

	"github.com/bytering/bytering/internal/interleave"
)

// A waiter is a thread that waits for its half by being told. It counts how
// often it was promised to be, and how often it was.
type waiter struct {
	w          *world
	token      interleave.Token
	armed, ran int
}

// told arms and sleeps until it is told, if that was promised.
func (x *waiter) told(notify func(int, func()) bool, n int) {
	if notify(n, x.f) {
		x.armed++
		x.token.Take(nil)
	}
}

func (x *waiter) f() { x.ran++; x.token.Post() }

// waiter makes one whose promises are held at the end.
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

// consume reads until the end and waits for n bytes by being told. It returns
// how many bytes came and the error.
func (x *waiter) consume(c *Consumer, n int) (at int, err error) {
	w, b := x.w, make([]byte, 8)
	for {
		x.told(c.Notify, n)
		if there := c.Len(); there < n && w.p.ring.producer.cursor.Load()&closed == 0 && !c.closed() {
			w.Fail("told with %d of %d bytes there", there, n)
		}
		m, err := c.TryRead(b[:1])
		w.expect(at, b[:m])
		if at += m; err != nil {
			return at, err
		}
	}
}

// produce writes total bytes and waits for n free ones by being told.
func (x *waiter) produce(total, n int) (at int, err error) {
	w := x.w
	for at < total {
		x.told(w.p.Notify, n)
		if free := w.p.Free(); free < n && w.p.Err() == nil {
			w.Fail("told with %d of %d bytes free", free, n)
		}
		m, err := w.p.TryWrite(stream(at, min(at+n, total)))
		if at += m; err != nil {
			return at, err
		}
	}
	return at, nil
}

// notifiedConsumer is told of what a writer that parks writes.
func notifiedConsumer(capacity, n, chunk int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		x, total := w.waiter(), capacity+1
		w.Go("producer", func() { w.writeAll(total, chunk); w.p.Close() })
		w.Go("consumer", func() { m, err := x.consume(w.c, n); w.wantAll(total, m, err) })
	}
}

// notifiedProducer is told of what a reader that parks reads.
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

// notifiedBoth has nobody park.
func notifiedBoth(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	x, y := w.waiter(), w.waiter()
	w.Go("producer", func() { x.produce(2, 1); w.p.Close() })
	w.Go("consumer", func() { n, err := y.consume(w.c, 1); w.wantAll(2, n, err) })
}

// ready takes what Ready's channel gets, and looks whether it says the truth.
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

// armReady is Ready, whose channel the explorer knows nothing of.
func (p *Producer) armReady() { p.Ready() }
func (c *Consumer) armReady() { c.Ready() }

// readyBoth passes bytes between two loops over Ready.
func readyBoth(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		for at := 0; at < 2; {
			w.producerReady()
			n, err := w.p.TryWrite(stream(at, 2))
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
		w.consumerReady() // and always after the end
		w.consumerReady()
	})
}

// readyAndParking takes turns between Ready and calls that park.
func readyAndParking(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		w.producerReady()
		w.p.TryWrite(stream(0, 1))
		w.p.Write(stream(1, 2))
		w.p.armReady()
		w.p.Write(stream(2, 3))
		w.p.Close()
	})
	w.Go("consumer", func() {
		w.c.armReady()
		b := make([]byte, 1)
		w.c.Read(b)
		w.expect(0, b)
		for at := 1; ; {
			// A value may be on its way from before, so it may be early.
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

// readyTwice leaves a value that was not received, and what it was for is
// taken before the next Ready.
func readyTwice(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("consumer", func() {
		w.c.armReady()
		w.p.TryWrite(stream(0, 1))
		w.c.TryRead(make([]byte, 1))
		w.c.armReady()
		if w.c.readiness.token.Full() {
			w.Fail("the channel is ready, and the consumer is not")
		}
	})
	w.Go("nobody", func() {})
}

// notifiedOfClose has nothing but a close by a third goroutine to tell.
func notifiedOfClose(producer bool, close func(w *world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		w.p.TryWrite(stream(0, 1))
		x := w.waiter()
		w.Go("waiter", func() {
			if producer {
				x.told(w.p.Notify, 2)
				if w.p.Err() == nil {
					w.Fail("told before the end")
				}
				return
			}
			x.told(w.c.Notify, 2)
			if w.c.Err() == nil && w.p.ring.producer.cursor.Load()&closed == 0 {
				w.Fail("told before the end")
			}
		})
		w.Go("third", func() { close(w) })
	}
}

// notifiedOfAllCloses tells a producer of the end when the last of several
// consumers is closed, and not when nobody limits it any more.
func notifiedOfAllCloses(t *interleave.T) {
	w := ringOf(t, 2, 2, near)
	w.p.TryWrite(stream(0, 2))
	x := w.waiter()
	w.Go("producer", func() {
		x.told(w.p.Notify, 1)
		if w.p.Err() == nil && w.p.Free() == 0 {
			w.Fail("told with nothing free and no end")
		}
	})
	w.Go("first", func() { w.cs[0].Close() })
	w.Go("second", func() { w.cs[1].Close() })
}

// notifiedOfRelease tells a producer when a closed consumer of several has
// given its slices back.
func notifiedOfRelease(t *interleave.T) {
	w := ringOf(t, 2, 2, near)
	w.p.TryWrite(stream(0, 2))
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

// notifiedBroadcast tells all consumers, and the producer of the slowest.
func notifiedBroadcast(t *interleave.T) {
	w := ringOf(t, 1, 2, near)
	z := w.waiter()
	w.Go("producer", func() { z.produce(2, 1); w.p.Close() })
	for i, c := range w.cs {
		x := w.waiter()
		w.Go(fmt.Sprint("consumer", i), func() { n, err := x.consume(c, 1); w.wantAll(2, n, err) })
	}
}

// disarm withdraws while the other half, or a close, makes it so.
func disarm(producer bool, close bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		x := w.waiter()
		notify, disarm := w.c.Notify, w.c.Disarm
		move, end := func() { w.p.TryWrite(stream(0, 1)) }, w.p.Close
		if producer {
			w.p.TryWrite(stream(0, 1))
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
				w.Fail("something is armed twice")
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

// disarmFromAside withdraws from a third goroutine.
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
	w.Go("producer", func() { w.p.TryWrite(stream(0, 1)) })
}

// replaced arms anew, whether or not the first has run.
func replaced(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	first, second := 0, w.waiter()
	w.Go("consumer", func() {
		w.c.Notify(1, func() { first++ })
		second.told(w.c.Notify, 2)
		if n := w.c.Len(); n < 2 {
			w.Fail("told with %d bytes there", n)
		}
	})
	w.Go("producer", func() { w.writeAll(2, 1) })
	w.Final(func() error {
		if first > 1 {
			return fmt.Errorf("it ran %d times", first)
		}
		return nil
	})
}

// replacedByParking parks, and then nothing is armed any more.
func replacedByParking(producer bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 2, 1, near)
		ran := 0
		f := func() { ran++ }
		if producer {
			w.p.TryWrite(stream(0, 2))
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
				w.Fail("a parking call leaves a note armed, or it ran %d times", ran)
			}
		})
		w.Go("mover", func() {
			if producer {
				w.c.Discard(1)
			} else {
				w.p.TryWrite(stream(0, 1))
			}
		})
	}
}

// closeFromNote has the function close what it runs inside of.
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
		if n, err := w.p.Write(stream(0, 3)); n > 2 || n < 3 && err != io.ErrClosedPipe && err != errCustom {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("third", func() { w.p.Close() })
}

// notifiedWhileFlushed mixes a producer that is told with a consumer that
// waits for all and takes a byte, and with a third that closes.
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
