package bytering

import (
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// A yielder decides when a consumer that finds nothing yields its processor once
// before it parks. If the producer runs there next, as it does when two goroutines
// take turns, the bytes are there afterwards, without the cost of parking and
// waking: 8 bytes there and back took 270 ns instead of 380, on one processor and
// on two.
//
// A stream is faster if the consumer parks, because then the producer goes on until
// the ring is full. So a consumer yields only if nothing came since its last wait
// but what ended that.
//
// A goroutine that yields goes to the tail of the queue of all processors, and one
// that is woken to the head of its processor's own. So a yield takes tens of
// milliseconds where others keep the processors busy. After a yield in vain the
// next parks go without one, each time more of them, and after a slow yield as many
// as make up for the time that it took. The clock costs as much as a yield, so once
// some yields have been worth it only a few are timed.
type yielder struct {
	seen  uint64 // the limit when the last wait ended
	trust int    // yields in a row that were worth it
	pause int    // parks without a yield after the last one in vain
	skip  int    // parks before the next one
}

const (
	soon       = time.Microsecond // for a yield to be worth it
	trusted    = 8                // from here on one yield in as many is timed
	firstPause = 1
	maxPause   = 1 << 10

	// What a slow yield may cost each of the parks after it.
	price    = 10 * time.Nanosecond
	maxPrice = 1 << 30
)

// mayYield reports whether the wait that begins now should yield first.
func (h *half) mayYield() bool {
	if h.yielder.skip > 0 {
		h.yielder.skip--
		return false
	}
	return h.consumes() && h.pos == h.yielder.seen
}

// clock returns the time if the next yield is to be timed, and otherwise 0.
func (y *yielder) clock() time.Duration {
	if y.trust < trusted || y.trust%trusted == 0 {
		return seam.Tick()
	}
	return 0
}

// yielded reports whether what d wants is there after a yield that began then, or at 0
// if it is not timed.
func (h *half) yielded(d demand, began time.Duration) bool {
	var took time.Duration
	if began != 0 {
		took = seam.Tick() - began
	}
	ready := h.side.ready(d.want)
	h.yielder.judge(ready, took)
	h.yielder.seen = h.limit
	return ready
}

// judge records whether a yield brought something, and how long it took, which is 0
// if it was not timed.
func (y *yielder) judge(something bool, took time.Duration) {
	if something && took < soon {
		y.trust++
		y.pause = 0
		return
	}
	y.trust = 0
	y.pause = min(max(firstPause, 2*y.pause), maxPause)
	y.skip = y.pause
	if took >= soon {
		y.skip = max(y.skip, int(min(took/price, maxPrice)))
	}
}
