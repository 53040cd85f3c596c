//go:build !interleave

package bytering

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The watchdog looks every tick. A life that has not changed for settle ticks
// stands still if none of its waiting halves could be served, and is broken up.
// One in which a half could be served, or that goes on standing still after it
// was broken up, hangs after so many ticks, which last longer where the machine
// is busy, and so much time.
const (
	tick      = time.Millisecond
	settle    = 3
	hangTicks = 500
	hangTime  = 5 * time.Second
)

// A pulse changes while anything moves.
type pulse struct{ calls, moved, meddled uint64 }

func (l *life) pulse() (p pulse) {
	for _, h := range l.all {
		p.calls += h.calls.Load()
		p.moved += h.end.Position()
	}
	p.meddled = l.meddled.Load()
	return p
}

// watch returns when all programs have ended, or have failed and had time to
// end.
func (l *life) watch(ended <-chan struct{}) {
	failed := l.failed
	var last pulse
	var since time.Time
	for still := 0; ; still++ {
		select {
		case <-ended:
			return
		case <-failed:
			select {
			case <-ended:
			case <-time.After(3 * time.Second):
			}
			return
		case <-time.After(tick):
		}
		if now := l.pulse(); now != last {
			last, still, since = now, 0, time.Now()
		}
		if still < settle || l.meddlers.Load() > 0 {
			continue
		}
		switch why := l.stuck(); {
		case why == "" && !l.broken:
			l.stirs++
			if !l.nudge() {
				l.breakUp()
			}
			still, since = 0, time.Now()
		case still < hangTicks || time.Since(since) < hangTime:
		case l.broken:
			l.fail("a call hangs though everything that it could wait for was closed; %s", why)
		default:
			l.fail("a wake is lost: %s", why)
		}
	}
}

// nudge ends one wait of a standstill, so that its half can go on. It reports
// whether it did.
func (l *life) nudge() bool {
	if l.rng.IntN(16) == 0 {
		return false
	}
	for _, i := range l.rng.Perm(len(l.all)) {
		h := l.all[i]
		switch w := h.waits.Load(); {
		case w == nil: // idle for ever
			continue
		case w.parks:
			h.setDeadline(time.Now().Add(-time.Second))
		default:
			select {
			case h.nudged <- struct{}{}:
			default:
			}
		}
		return true
	}
	return false
}

// breakUp ends a life that stands still: all calls must return after it.
func (l *life) breakUp() {
	l.broken = true
	l.stopAll()
	if l.rng.IntN(2) == 0 {
		l.p.close(l.rng.IntN(len(closeErrors)))
		return
	}
	for _, c := range l.cs {
		c.close(l.rng.IntN(len(closeErrors)))
	}
}

// A waiting is a call that may wait, as its caller knows it: what the ring made
// of it is what is tested.
type waiting struct {
	need  int             // so many bytes end it
	soft  bool            // a producer's: less will do while a consumer waits
	until uint64          // a soft one's: the cursor where nothing is left to do, if known
	known bool            // whether until is
	parks bool            // the deadline ends it
	ctx   context.Context // ends it too, unless nil
	noted bool            // it waits for the note to run, and for nothing else
}

// over says what has ended the call already, whatever is there.
func (w *waiting) over(h *randomHalf) string {
	switch {
	case h.ends():
		return "the end has come"
	case w.parks && h.deadline.passed():
		return "the deadline has passed"
	case w.ctx != nil && w.ctx.Err() != nil:
		return "the context has ended"
	}
	return ""
}

// stuck says which half waits that could be served, if any does. Nothing moves.
func (l *life) stuck() string {
	starving := ""
	for _, c := range l.cs {
		if why := c.starves(); why != "" {
			starving = why
		}
	}
	for _, h := range l.all {
		if n := h.note.Load(); h.sure(n) && !n.fired() && h.come(n.at) {
			return fmt.Sprintf("%s: what Notify(%d) promised has not run", h.name, n.n)
		}
		w := h.waits.Load()
		if w == nil || w.noted {
			continue
		}
		there, enough := h.there(), w.enough(h)
		if why := w.over(h); why != "" {
			return fmt.Sprintf("%s, in %v, waits though %s", h.name, h.last(), why)
		}
		if there >= enough {
			return fmt.Sprintf("%s, in %v, waits for %d bytes with %d there", h.name, h.last(), enough, there)
		}
		if w.soft && there > 0 && starving != "" {
			return fmt.Sprintf("%s, in %v, waits with %d bytes free while %s", h.name, h.last(), there, starving)
		}
	}
	return ""
}

// starves says how the consumer waits for more than it has, if it does in any way.
func (c *randomConsumer) starves() string {
	if c.ends() {
		return ""
	}
	if n := c.note.Load(); c.sure(n) && !n.fired() && !c.come(n.at) {
		return fmt.Sprintf("%s has a note for %d bytes, in %v", c.name, n.n, c.last())
	}
	if w := c.waits.Load(); w != nil && !w.noted && w.over(&c.randomHalf) == "" && c.there() < w.need {
		return fmt.Sprintf("%s waits for %d bytes with %d there, in %v", c.name, w.need, c.there(), c.last())
	}
	return ""
}

// enough returns how many bytes end the wait.
func (w *waiting) enough(h *randomHalf) int {
	if !w.soft {
		return w.need
	}
	n := max(1, h.end.Cap()/4)
	if w.known {
		n = min(n, distance(h.end.Position(), w.until))
	}
	return n
}

// dump shows the ring and the last calls of all.
func (l *life) dump() string {
	var b strings.Builder
	for _, h := range l.all {
		fmt.Fprintf(&b, "%s: %s, %d there, Err %v, deadline set %t, passed %t\n",
			h.name, h.state(), h.there(), h.end.Err(), h.deadline.Load() != 0, h.deadline.passed())
		h.mu.Lock()
		for i := max(0, h.logged-len(h.log)); i < h.logged; i++ {
			fmt.Fprintf(&b, "\t%v\n", h.log[i%len(h.log)])
		}
		h.mu.Unlock()
	}
	return b.String()
}
