//go:build !interleave

package bytering

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"
)

// idle does nothing for as long as the others can go on.
func (h *randomHalf) idle() {
	h.call("idle", 0, nil, func() (int, error) { <-h.stop; return 0, nil })
}

// until waits for a channel, or until it is nudged.
func (h *randomHalf) until(name string, note *randomNote, c <-chan struct{}) {
	h.call(name, note.n, &waiting{noted: true}, func() (int, error) {
		select {
		case <-c:
			if note.token != nil {
				note.unsure.Store(true) // taken, and perhaps one of before
			}
		case <-h.nudged:
		case <-h.stop:
		}
		return h.there(), nil
	})
}

func (h *randomHalf) rarelyIdle() {
	if h.rng.IntN(20) == 0 {
		h.idle()
	}
}

// poll waits by looking again and again with calls that move nothing.
func (h *randomHalf) poll(name string, need int, done func() bool) {
	h.call(name, need, &waiting{need: need}, func() (int, error) {
		for i := 0; !done() && !h.stopped(); i++ {
			select {
			case <-h.nudged:
				return h.there(), nil
			default:
			}
			if i < 10 {
				runtime.Gosched()
			} else {
				time.Sleep(20 * time.Microsecond)
			}
		}
		return h.there(), nil
	})
}

// wait is Wait under a context of some kind.
func (h *randomHalf) wait() {
	n := h.need()
	switch h.rng.IntN(20) {
	case 0:
		n = 0
	case 1:
		n = h.end.Cap() + 1
	case 2:
		n = -1
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	switch h.rng.IntN(8) {
	case 0:
		cancel(errCancelled)
	case 1:
		time.AfterFunc(time.Duration(h.rng.IntN(300))*time.Microsecond, func() { cancel(errCancelled) })
	case 2:
		ctx = context.Background()
	}
	h.cancel.Store(&cancel)
	w := &waiting{need: n, parks: true, ctx: ctx}
	_, err := h.call("Wait", n, w, func() (int, error) { return 0, h.end.Wait(ctx, n) })
	switch {
	case n < 0 || n > h.end.Cap():
		if !errors.Is(err, ErrRange) {
			h.fail("%s: Wait(%d) is %v", h.name, n, err)
		}
	case err == nil && (h.there() >= n || h.cut()):
	case err != nil && (h.allowed(err, w) || h.there() < n && h.short(err)):
	default:
		h.fail("%s: Wait(%d) is %v with %d there", h.name, n, err, h.there())
	}
}

// A randomNote is what Notify or Ready has armed.
type randomNote struct {
	n       int
	at      uint64
	ran     atomic.Int32
	done    chan struct{}   // closed when it runs
	token   <-chan struct{} // instead, of Ready
	disarms uint64          // when it was armed
	unsure  atomic.Bool     // it may have been withdrawn
	never   bool            // it was withdrawn
}

func (n *randomNote) fired() bool { return n.ran.Load() > 0 || len(n.token) > 0 }

// sure reports whether n is certain to run.
func (h *randomHalf) sure(n *randomNote) bool {
	return n != nil && !n.unsure.Load() && n.disarms == h.disarms.Load()
}

// settle looks at the last note once more before it goes.
func (h *randomHalf) settle() {
	if n := h.note.Load(); n != nil && (n.ran.Load() > 1 || n.never && n.ran.Load() > 0) {
		h.fail("%s: Notify(%d) has run %d times, withdrawn %t", h.name, n.n, n.ran.Load(), n.never)
	}
}

// arm is Notify. It returns nil if that returns false.
func (h *randomHalf) arm(n int) *randomNote {
	h.settle()
	h.note.Store(nil)
	note := &randomNote{n: n, at: h.target(n), done: make(chan struct{}), disarms: h.disarms.Load()}
	note.unsure.Store(h.spilled > 0) // and whether any of it is left
	armed := false
	h.call("Notify", n, nil, func() (int, error) {
		armed = h.end.Notify(n, func() {
			if k := note.ran.Add(1); k > 1 || !h.come(note.at) {
				h.fail("%s: Notify(%d) for the cursor %#x runs for the time %d, with %d there", h.name, n, note.at, k, h.there())
				return
			}
			close(note.done)
		})
		return 0, nil
	})
	if armed {
		h.note.Store(note)
		return note
	}
	if h.there() < n && h.spilled == 0 && !h.ends() && !h.cut() || note.ran.Load() > 0 {
		h.fail("%s: Notify(%d) is false with %d there, and has run %d times", h.name, n, h.there(), note.ran.Load())
	}
	return nil
}

// ready is Ready.
func (h *randomHalf) ready() *randomNote {
	h.settle()
	h.note.Store(nil)
	note := &randomNote{n: 1, at: h.target(1), disarms: h.disarms.Load()}
	note.unsure.Store(h.spilled > 0)
	over := h.end.Err() != nil
	h.call("Ready", 1, nil, func() (int, error) { note.token = h.end.Ready(); return len(note.token), nil })
	if over && len(note.token) == 0 {
		h.fail("%s: Ready is not ready after the end", h.name)
	}
	h.note.Store(note)
	return note
}

func (h *randomHalf) notified() {
	note := h.arm(h.need())
	if note == nil {
		return
	}
	h.until("until notified", note, note.done)
}

// rung waits for the channel of Ready, which may have a value of before.
func (h *randomHalf) rung() {
	for h.there() == 0 && !h.ends() && !h.stopped() {
		note := h.ready()
		h.until("until ready", note, note.token)
	}
}

func (h *randomHalf) disarm() {
	note := h.note.Load()
	sure := h.sure(note)
	withdrawn := false
	h.call("Disarm", 0, nil, func() (int, error) { withdrawn = h.end.Disarm(); return 0, nil })
	switch {
	case withdrawn && note == nil:
		h.fail("%s: Disarm is true, though nothing was armed", h.name)
	case withdrawn:
		note.never = note.done != nil
		note.unsure.Store(true)
	case sure && h.sure(note) && !h.come(note.at):
		h.fail("%s: Disarm is false, though Notify(%d) was armed", h.name, note.n)
	}
}
