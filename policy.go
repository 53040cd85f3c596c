package bytering

import (
	"context"
	"runtime"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// How a half waits: it may spin at first, which notices soonest and keeps a
// processor busy, and then it parks, which lets other goroutines have the
// processor, often the other half with the data still in its cache. A half can't
// tell by itself which is better: a spin that succeeds can still be the slower
// way.

// Park makes halves that have to wait park at once, as they do without an
// option. For copies that is the fastest by far, since the data stay in one
// processor's cache, and it takes the least processor time everywhere. A round
// trip takes half as long with [Spin] (bench, the policy suites).
func Park() Option { return Spin(0) }

// Spin makes halves that have to wait look again and again for as long as
// budget before they park. It is for latency, where each half has a processor
// of its own for as long. With GOMAXPROCS at 1 nothing spins, and a budget of 0
// or less is [Park].
func Spin(budget time.Duration) Option {
	return func(c *config) { c.spin = max(0, budget) }
}

// procsEvery is how many waits go by until the number of processors is looked
// at again.
const procsEvery = 1024

// A spinner is how one half waits before it parks. It belongs to the half's
// owner.
type spinner struct {
	budget time.Duration // 0 if it never spins
	procs  bool          // there is more than one processor, as of some waits ago
	waits  uint
}

// wanted reports whether the wait that begins now should spin first.
func (s *spinner) wanted() bool {
	if s.budget == 0 {
		return false
	}
	if s.waits%procsEvery == 0 {
		s.procs = runtime.GOMAXPROCS(0) > 1
	}
	s.waits++
	return s.procs
}

// spin looks whether want bytes are free, or need and no more for some looks,
// or whether they will never be, for as long as the policy says. True means so.
// It is not armed meanwhile, so a consumer that waits for it can't tell it so.
func (p *Producer) spin(ctx context.Context, need, want int) bool {
	last, same := 0, 0
	for s := seam.NewSpin(p.spinner.budget); s.Next(); {
		free := p.free(want)
		if same++; free != last {
			last, same = free, 0
		}
		switch {
		case free >= want || p.ended():
			return true
		case free >= need && same >= seam.Patience:
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
	for s := seam.NewSpin(c.spinner.budget); s.Next(); {
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
