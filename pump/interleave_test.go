//go:build interleave

package pump

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/bytering/bytering/internal/interleave"
)

// A scenario is a copy whose goroutines and ends are interleaved in every way
// within a bound on preemptions.
type scenario struct {
	name  string
	bound int
	run   func(*interleave.T)
}

// scenarios lists all scenarios. The bounds are chosen so that each takes a second
// or two.
func scenarios() []scenario {
	return []scenario{
		{"success", 1, success(2, nil)},
		{"source-fails", 2, sourceFails},
		{"sink-fails", 2, sinkFails(nil)},
		{"sink-fails/other-consumer-idle", 2, sinkFails(func(w *world) { w.broadcast(false) })},
		{"sink-fails/other-consumer-closed", 2, sinkFails(func(w *world) { w.broadcast(true) })},
		{"full-count/source-fails", 2, fullCount(true, false)},
		{"full-count/sink-fails", 2, fullCount(false, true)},
		{"full-count/both-fail", 2, fullCount(true, true)},
		{"full-count/source-fails-consumer-closed", 1, fullCountConsumerClosed},
		{"both-fail", 2, bothFail},
		{"cancel", 1, cancelled(1, nil)},
		{"cancel/source-silent", 1, silentSource(1, nil)},
		{"cancel/sink-silent", 1, silentSink(nil)},
		{"cancel/source-deaf", 1, deafSource(false, nil)},
		{"cancel/source-deaf-panics", 1, deafSource(true, nil)},
		{"cancel/setter-panics", 1, setterPanics},
		{"producer-closed", 1, producerClosed(errOther, false)},
		{"producer-closed/cancel", 0, producerClosed(errOther, true)},
		{"producer-closed/closed-pipe", 1, producerClosed(io.ErrClosedPipe, false)},
		{"consumer-closed", 1, closedConsumer((*world).keeps)},
		{"consumer-closed/sink-silent", 1, closedConsumer(func(w *world) { w.keeps(); w.dst.silent = true })},
		{"source-panics", 2, sourcePanics},
		{"ring/given-back", 1, givenBack(1, 2, nil)},
		{"ring/given-back/two-at-once", 1, givenBack(2, 1, nil)},
		{"ring/given-back/small-buffer", 1, givenBack(1, 1, func(w *world) { largeEnoughToCount(w); w.pool.limit = 1 })},
		{"ring/not-used", 1, givenBack(0, 0, largeEnoughToCount)},
		{"forward", 1, givenBack(2, 1, forwards(0))},
		{"forward/would-wait", 1, givenBack(1, 2, forwards(1))},
		{"forward/cancel", 1, cancelled(2, forwards(1))},
		{"forward/fails", 2, forwardFails(false)},
		{"forward/fails-with-the-last-byte", 2, forwardFails(true)},
		{"forward/sink-silent", 1, silentSink(forwards(0))},
		{"forward/left-behind", 1, leftBehind(forwards(0))},
		{"ring/given-back/cancel", 1, givenBackCancelled},
		{"ring/given-back/sink-fails", 1, givenBackFails(false)},
		{"ring/given-back/sink-fails-with-the-last-byte", 1, givenBackFails(true)},
		{"ring/left-behind", 1, leftBehind(largeEnoughToCount)},
		{"ring/left-behind/given", 0, leftBehind((*world).keeps)},
		{"ring/grows", 1, success(4, grows)},
		{"ring/grows/polls", 1, success(4, func(w *world) { grows(w); w.polls = true })},
		{"ring/grows/cancel", 1, cancelled(2, grows)}, // also just after the source has taken the larger ring
		{"splice", 1, success(4, (*world).splice)},
		{"splice/cancel", 1, cancelled(2, (*world).splice)},
		{"splice/source-silent", 1, silentSource(2, (*world).splice)},
		{"splice/left-behind", 1, deafSource(false, (*world).splice)},
		{"splice/consumer-closed", 1, closedConsumer((*world).splice)},
	}
}

// TestInterleavings runs every scenario within its bound.
//
//	go test -tags interleave -run TestInterleavings ./pump
//
// With SEED=scenario:seed in the environment it replays that one schedule, with
// ONLY=text it runs those whose names contain the text.
func TestInterleavings(t *testing.T) {
	name, seed, replay := strings.Cut(os.Getenv("SEED"), ":")
	schedules := 0
	for _, s := range scenarios() {
		if replay && s.name == name {
			f, err := interleave.Replay(seed, s.run)
			if f != nil || err != nil {
				t.Fatal(f, err)
			}
		}
		if replay || !strings.Contains(s.name, os.Getenv("ONLY")) {
			continue
		}
		r := interleave.Explore(interleave.Options{Preemptions: s.bound}, s.run)
		if r.Failure != nil {
			t.Fatalf("%s after %d schedules: %v\nreplay with SEED=%s:%s", s.name, r.Schedules, r.Failure, s.name, r.Failure.Seed)
		}
		t.Logf("%-34s %8d schedules, %3d operations in the longest, at most %d preemptions", s.name, r.Schedules, r.Depth, s.bound)
		schedules += r.Schedules
	}
	t.Logf("interleave: %d schedules, no failure", schedules)
}

func success(bytes int, change func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, change)
		w.src.bytes = bytes
		w.run()
		w.after(func() { w.succeeded(bytes) })
	}
}

func sourceFails(t *interleave.T) {
	w := newWorld(t)
	w.src.bytes, w.src.err = 1, errOther
	w.run()
	w.after(func() {
		w.failed(Source, errOther)
		w.moved(1, 1)
	})
}

func sourcePanics(t *interleave.T) {
	w := newWorld(t)
	w.src.bytes, w.src.panics = 1, true
	w.run()
	w.after(func() {
		if w.panicked != errTest || w.dst.moved != 1 {
			t.Fail("Copy panicked with %v after %d bytes", w.panicked, w.dst.moved)
		}
	})
}

// sinkFails has a source without an end, and a ring that may have a second
// consumer.
func sinkFails(ring func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, ring)
		w.src.bytes, w.dst.err = 1000, errOther
		w.run()
		w.after(func() {
			w.failed(Sink, errOther)
			w.moved(w.src.moved, 0)
		})
	}
}

// fullCount has an end fail in a call that moves all that it was offered.
func fullCount(source, sink bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := newWorld(t)
		w.src.bytes, w.src.full, w.dst.full = 1, true, true
		if source {
			w.src.err = errOther
		}
		if sink {
			w.dst.err = errTest
		}
		w.run()
		w.after(func() {
			switch {
			case sink && errors.Is(w.err, errOther): // the source's error came before
				w.is(w.err, Sink, errTest)
			case sink:
				w.failed(Sink, errTest)
			default:
				w.failed(Source, errOther)
			}
			w.moved(1, 1)
		})
	}
}

// fullCountConsumerClosed checks that an error of the source is not taken for the
// ring's error about its consumer.
func fullCountConsumerClosed(t *interleave.T) {
	w := newWorld(t)
	w.keeps()
	w.src.bytes, w.src.full, w.src.err = 1, true, errOther
	w.run()
	t.Go("closer", func() { w.f.fixed.c.Close() })
	w.after(func() {
		if e, ok := errors.AsType[*Error](w.err); ok && e.Side == Sink && errors.Is(e, errOther) {
			t.Fail("the sink fails with the source's error: %v", w.err)
		}
	})
}

// bothFail checks that the source's error is returned if it came first.
func bothFail(t *interleave.T) {
	w := newWorld(t)
	w.src.bytes, w.src.err, w.dst.err = 1, errOther, errTest
	w.run()
	w.after(func() {
		if !errors.Is(w.err, errOther) {
			w.failed(Sink, errTest)
			return
		}
		both, ok := w.err.(interface{ Unwrap() []error })
		if !ok || len(both.Unwrap()) != 2 {
			t.Fail("error %v", w.err)
		}
		w.is(both.Unwrap()[0], Sink, errTest)
		w.is(both.Unwrap()[1], Source, errOther)
	})
}

// cancelled cancels a copy that could end by itself at any moment.
func cancelled(bytes int, change func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, change)
		w.src.bytes = bytes
		w.run()
		w.cancels()
		w.after(func() { w.stoppedOr(bytes) })
	}
}

func silentSource(bytes int, change func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, change)
		w.src.bytes, w.src.silent = bytes, true
		w.run()
		w.cancels()
		w.after(func() { w.failed(Neither, errTest) })
	}
}

func silentSink(change func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, change)
		w.src.bytes, w.dst.silent = 1, true
		w.run()
		w.cancels()
		w.after(func() {
			w.failed(Neither, errTest)
			if w.dst.moved != 0 {
				t.Fail("%d bytes are written", w.dst.moved)
			}
		})
	}
}

// deafSource has a source that is left behind if it returns after the grace. A
// panic then ends the process; otherwise the panic comes out of Copy.
func deafSource(panics bool, change func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, change)
		w.src.silent, w.src.deaf, w.src.panics = true, true, panics
		w.run()
		w.cancels(&w.src.wake)
		w.clock()
		w.after(func() {
			switch {
			case w.err != nil: // otherwise the source returned in time
				w.failed(Neither, errTest)
			case w.panicked != nil && !panics:
				t.Fail("Copy panicked with %v", w.panicked)
			}
		})
		t.Final(func() error {
			if w.src.raised != (w.crash != nil || w.panicked != nil) || w.crash != nil && w.panicked != nil {
				return fmt.Errorf("the panic came out of Copy: %v, and the process ended with %v", w.panicked, w.crash)
			}
			return nil
		})
	}
}

// setterPanics checks that the panic of a deadline setter comes out of Copy, and
// that the other side is stopped.
func setterPanics(t *interleave.T) {
	w := newWorld(t)
	w.src.silent, w.src.setter = true, func() { panic(errTest) }
	w.run()
	w.cancels(&w.src.wake)
	w.clock()
	w.after(func() {
		if w.panicked == nil && w.src.set > 0 {
			t.Fail("the panic is lost")
		}
	})
}

// producerClosed closes the producer with an error, which may be that of a closed
// consumer, while the source, which gives two bytes and then nothing, is being
// read.
func producerClosed(why error, cancel bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := newWorld(t)
		w.keeps()
		w.src.bytes, w.src.silent = 2, true
		w.run()
		if cancel {
			w.cancels()
		}
		t.Go("closer", func() { w.f.fixed.p.CloseWithError(why) })
		w.after(func() {
			switch {
			case cancel && errors.Is(w.err, errTest):
				w.is(w.err, Neither, errTest)
			case errors.Is(w.err, why): // the sink saw it first
				w.failed(Source, why)
			default:
				w.failed(Source, io.ErrClosedPipe)
			}
			w.moved(w.src.moved, w.dst.moved)
		})
	}
}

// closedConsumer checks that a closed consumer is a failure of the sink alone,
// whichever side notices first, and that the other side is interrupted.
func closedConsumer(change func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, change)
		w.src.bytes, w.src.silent = 2, true
		w.run()
		t.Go("closer", func() { w.f.fixed.c.Close() })
		w.after(func() { w.failed(Sink, io.ErrClosedPipe) })
	}
}

// givenBack has a source that polls. It has some bytes at once and some that come
// later, so that the ring may be given back between them. All bytes must arrive.
func givenBack(bytes, later int, change func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, change)
		w.polls, w.src.bytes, w.src.later = true, bytes, later
		w.run()
		w.feeds()
		w.after(func() {
			w.succeeded(bytes + later)
			if len(w.f.list) > 0 {
				t.Fail("%d rings are left", len(w.f.list))
			}
		})
	}
}

func givenBackCancelled(t *interleave.T) {
	w := newWorld(t)
	w.polls, w.src.later = true, 1
	largeEnoughToCount(w)
	w.run()
	w.feeds()
	w.cancels()
	w.after(func() { w.stoppedOr(1) })
}

// givenBackFails has the sink fail while the source waits or has more.
func givenBackFails(full bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := newWorld(t)
		w.polls, w.src.bytes, w.src.later, w.dst.err, w.dst.full = true, 1, 1, errOther, full
		w.run()
		w.feeds()
		w.after(func() {
			w.failed(Sink, errOther)
			want := 0
			if full {
				want = 1
			}
			w.moved(w.src.moved, want)
		})
	}
}

// forwards has the source's goroutine write, into a sink that would wait every time
// but one of so many.
func forwards(stuck int) func(*world) {
	return func(w *world) {
		w.tries, w.dst.stuck = true, stuck
		largeEnoughToCount(w) // and not filled by a byte
		w.opts = append(w.opts, ofRelay)
	}
}

// forwardFails has the write of the source's goroutine fail.
func forwardFails(full bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, forwards(0))
		w.src.bytes, w.dst.err, w.dst.full = 2, errOther, full
		w.run()
		w.after(func() {
			w.failed(Sink, errOther)
			w.moved(w.src.moved, w.dst.moved)
			if full && w.dst.moved == 0 {
				t.Fail("the bytes of the write do not count")
			}
		})
	}
}

// leftBehind checks that a ring of the pool with a running call is not given back,
// as the end of every scenario checks, and that it no longer counts once the call
// is over. A ring that was given to Copy is closed. The write may be one that the
// source's goroutine makes.
func leftBehind(change func(*world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := changed(t, change)
		w.src.bytes, w.dst.silent, w.dst.deaf = 1, true, true
		w.run()
		w.cancels(&w.dst.wake)
		w.clock()
		w.after(func() {
			if w.err != nil { // otherwise the sink returned in time
				w.failed(Neither, errTest)
			}
		})
	}
}

// largeEnoughToCount gives the copy a ring that counts for its pool.
func largeEnoughToCount(w *world) { w.smallest, w.opts = 600, []Option{Capacity(600)} }

// grows lets a source that fills its ring go on in a larger one.
func grows(w *world) { w.opts = []Option{Capacity(2)} }
