package bytering

import (
	"sync/atomic"

	"github.com/bytering/bytering/internal/seam"
)

// A yielder decides when a consumer that finds nothing yields its processor once
// before it parks. If the producer runs there next, as it does when two goroutines
// take turns, the bytes are there afterwards, without the cost of parking and
// waking: 8 bytes there and back took 280 ns instead of 380, on one processor and
// on two.
//
// A stream is faster if the consumer parks, because then the producer goes on until
// the ring is full. So a consumer yields only if nothing came since its last wait
// but what ended that, and never in its first wait.
//
// A goroutine that yields goes to the tail of the queue of all processors, and one
// that is woken to the head of the queue of the processor that wakes it. So where
// others keep the processors busy a yield is late: it takes tens of milliseconds or
// more. After a yield in vain the next parks go without one, each time more of them.
// A slow yield, which takes longer than parking would, counts for as many as make up
// for that time. After a late one, none of the program's consumers yields for a
// thousand times as long.
type yielder struct {
	seen  uint64 // the limit when the last wait ended, or never
	pause int    // doubles with each yield in vain
	skip  int    // parks before the next yield
}

const (
	never = closed // no cursor is that

	firstPause = 1
	maxPause   = 1 << 10
	maxSkip    = 1 << 30

	// In nanoseconds.
	soon    = 300     // a yield that takes longer is slow
	late    = 100_000 // and after that it is late
	longest = 1e9     // that is believed
	price   = 10      // what a slow yield may cost each of the parks after it

	rest = 1000 // how many times as long as a late yield all consumers do without
)

// lateUntil is 0, or the time by seam.Now from which on consumers may yield again.
var lateUntil atomic.Uint64

// mayYield reports whether the wait that begins now should yield first.
func (h *half) mayYield() bool {
	y := &h.yielder
	if y.skip > 0 {
		y.skip--
		return false
	}
	return h.pos == y.seen && h.consumes() && (lateUntil.Load() == 0 || y.mayAgain())
}

// mayAgain reports whether the rest after a late yield is over. If it is not, the half
// does not look at the clock again for some parks.
func (y *yielder) mayAgain() bool {
	until := lateUntil.Load()
	if seam.Now() < until {
		y.skip = maxPause
		return false
	}
	lateUntil.CompareAndSwap(until, 0)
	return true
}

// yielded reports whether what d wants is there after a yield that began then.
func (h *half) yielded(d demand, began uint64) bool {
	took := seam.Nanos(began)
	ready := h.side.ready(d.want)
	h.yielder.judge(ready, took)
	h.yielder.seen = h.limit
	return ready
}

// judge records whether a yield brought something, and how many nanoseconds it took.
func (y *yielder) judge(something bool, took uint64) {
	if something && took < soon {
		y.pause = 0
		return
	}
	took = min(took, longest)
	y.pause = min(max(firstPause, 2*y.pause), maxPause)
	y.skip = int(min(uint64(y.pause)*max(1, took/price), maxSkip))
	if took >= late {
		if until := seam.Now() + took*rest; until > lateUntil.Load() {
			lateUntil.Store(until)
		}
	}
}
