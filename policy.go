package bytering

import (
	"context"
	"runtime"
	"time"

	"github.com/bytering/bytering/internal/atomics"
)

// How a half waits: at first it may spin, which is quick to notice and keeps a
// processor busy, and then it parks, which lets others have the processor, often
// the other half with the data still in its cache. Which is better no half can
// tell by itself: a spin that succeeds can still be the slower way.

// Park makes halves that have to wait park at once, as they do without an
// option: for copies that is the fastest by far, since the data stay in one
// processor's cache, and it takes the least processor time everywhere. A round
// trip takes half as long by [Spin] (bench, the policy suites).
func Park() Option { return func(c *config) { c.spin, c.adaptive = 0, false } }

// Spin makes halves that have to wait look again and again for as long as
// budget before they park. It is for latency, where each half has a processor
// of its own for as long. With GOMAXPROCS at 1 nothing spins, and a budget of 0
// or less is [Park].
func Spin(budget time.Duration) Option {
	return func(c *config) { c.spin, c.adaptive = max(0, budget), false }
}

// Adaptive makes each half choose between parking at once and spinning first. It
// compares the bytes that it moves in a fraction of a millisecond of each, tries
// the other way now and then, ever more rarely while that is no better, and keeps
// what moves more; where nothing does, it parks.
func Adaptive() Option { return func(c *config) { c.spin, c.adaptive = adaptiveBudget, true } }

const (
	// adaptiveBudget is long against a wake, some 300 ns between goroutines,
	// and short against what a timer or a disk takes.
	adaptiveBudget = 20 * time.Microsecond

	// Windows are 262 µs of the clock, the same for all halves of a process:
	// in a ping-pong no half alone gains by spinning, and both must try at the
	// same time. One with less than leastWaits waits decides nothing.
	windowBits = 18
	leastWaits = 32
	// The clock is looked at once in so many waits, the number of processors
	// in so many.
	clockEvery = 8
	procsEvery = 1024

	// Another way is tried in one window of so many, powers of two: at first,
	// and after trials that gained nothing.
	firstTrial, lastTrial = 4, 256
)

// A spinner is how one half waits before it parks. It belongs to the half's
// owner.
type spinner struct {
	budget   time.Duration // 0 if it never spins
	adaptive bool
	procs    bool // there is more than one processor, as of some waits ago
	spins    bool // the way that is in use
	trying   bool // for this window
	waits    uint

	// Of the window.
	window uint64
	since  uint64  // when it began
	from   uint64  // where the cursor was then
	first  uint    // how many waits there had been
	rate   float64 // bytes per nanosecond in the last one with the other way
	every  uint64  // in one of how many windows another way is tried
}

func newSpinner(cfg config) spinner {
	return spinner{budget: cfg.spin, adaptive: cfg.adaptive, spins: !cfg.adaptive, every: firstTrial}
}

// rewind goes on with a cursor that begins again at pos: what was moved in this
// window before that does not count.
func (s *spinner) rewind(pos uint64) { s.from, s.first = pos, s.waits }

// wanted tells whether the wait that begins now, with the half's cursor at pos,
// should spin first.
func (s *spinner) wanted(pos uint64) bool {
	if s.budget == 0 {
		return false
	}
	if s.waits%procsEvery == 0 {
		s.procs = runtime.GOMAXPROCS(0) > 1
	}
	s.waits++
	if s.adaptive && s.waits%clockEvery == 0 {
		if now := atomics.Now(); now>>windowBits != s.window {
			s.look(pos, now)
		}
	}
	return s.spins && s.procs
}

// look ends a window and chooses the way for the next.
func (s *spinner) look(pos, now uint64) {
	rate := float64((pos-s.from)&count) / float64(now-s.since)
	valid := s.waits-s.first >= leastWaits
	s.window, s.since, s.from, s.first = now>>windowBits, now, pos, s.waits
	switch {
	case s.trying && valid && s.better(rate):
		s.trying, s.every = false, firstTrial
	case s.trying:
		s.trying, s.spins = false, !s.spins
		s.every = min(2*s.every, lastTrial)
	case valid && s.window%s.every == s.turn():
		s.trying, s.spins, s.rate = true, !s.spins, rate
	}
}

// better tells whether the way that is tried gains: spinning costs a processor
// and has to move more, parking must only not move less.
func (s *spinner) better(rate float64) bool {
	if s.spins {
		return rate > 1.1*s.rate
	}
	return rate > 0.95*s.rate
}

// turn is in which of its windows a half tries the other way. In the same ones
// all that park try to spin, so that those who need each other for it do it
// together.
func (s *spinner) turn() uint64 {
	if s.spins {
		return s.every / 2
	}
	return 0
}

// spin looks whether want bytes are free, or need and no more for some looks,
// or whether they will never be, for as long as the policy says. True means so.
// It is not armed meanwhile, so a consumer that waits for it can't tell it so.
func (p *Producer) spin(ctx context.Context, need, want int) bool {
	last, same := 0, 0
	for s := atomics.NewSpin(p.spinner.budget); s.Next(); {
		free := p.free(want)
		if same++; free != last {
			last, same = free, 0
		}
		switch {
		case free >= want || p.ended():
			return true
		case free >= need && same >= atomics.Patience:
			return true
		case s.Now() && (p.overdue() || over(ctx)):
			return false
		}
	}
	return false
}

// spin looks whether n bytes are there, or will never be, for as long as the
// policy says. True means so. In each round it looks at the producer, which may
// have begun to wait softly since the last.
func (c *Consumer) spin(ctx context.Context, n int) bool {
	for s := atomics.NewSpin(c.spinner.budget); s.Next(); {
		if c.ready(n) {
			return true
		}
		c.ring.shareSpace()
		if s.Now() && (c.overdue() || over(ctx)) {
			return false
		}
	}
	return false
}

// over tells whether ctx has ended.
func over(ctx context.Context) bool { return ctx.Err() != nil }
