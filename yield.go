package bytering

import (
	"runtime"
	"sync/atomic"

	"github.com/bytering/bytering/internal/seam"
)

// A yielder decides when a half that has to wait yields its processor once before it
// parks. If the other half runs there next, what is waited for is there afterwards,
// without the cost of parking and waking. There are two such cases:
//
//   - There are several processors, and two goroutines take turns. The consumer yields
//     if nothing came since its last wait but what ended that, and never in its first
//     wait. 8 bytes there and back took 280 ns instead of 380. In a stream parking is
//     faster, because then the producer goes on until the ring is full.
//   - There is only one processor, and no other goroutine is ready to run. A yield then
//     lets the other half run for as long as a park would, so either half may yield in
//     any wait. Handing a full ring over and an empty one back took 312 ns instead of
//     375.
//
// A goroutine that yields goes to the tail of the queue of all processors, and one
// that is woken to the head of the queue of the processor that wakes it. So where
// others keep the processors busy a yield is late: it takes tens of milliseconds or
// more. After a yield in vain the next parks go without one, each time more of them.
// A slow yield, which takes much longer than parking would, counts for as many as make
// up for that time. After a late one, none of the program's halves yields for a thousand
// times as long.
//
// With one processor, what parking would take depends on how long the other half
// runs. It is learned from some parks before the first yield, and again after a slow
// one and from time to time.
type yielder struct {
	seen  uint64 // the limit when the last wait ended, or never
	pause int    // doubles with each yield in vain
	skip  int    // parks before the next yield

	timed int    // parks of the lesson
	usual uint64 // nanoseconds that the shortest of them took
}

const (
	never = closed // no cursor is that

	firstPause = 1
	maxPause   = 1 << 10
	maxSkip    = 1 << 30

	// In nanoseconds.
	soon    = 300     // a yield that takes so much more than twice the usual time is slow
	late    = 100_000 // and after that it is late
	longest = 1e9     // that is believed
	price   = 10      // what a slow yield may cost each of the parks after it
	brief   = 50_000  // where parks take longer a yield saves little

	lesson = 8    // parks
	rest   = 1000 // how many times as long as a late yield all halves do without
)

// lateUntil is 0, or the time by seam.Now from which on halves may yield again.
var lateUntil atomic.Uint64

// mayYield reports whether the wait that begins now should yield first. alone says that
// there is one processor.
func (h *half) mayYield(alone bool) bool {
	y := &h.yielder
	if y.skip > 0 {
		y.skip--
		return false
	}
	if alone && y.learns() || !alone && (h.pos != y.seen || !h.consumes()) {
		return false
	}
	return lateUntil.Load() == 0 || y.mayAgain()
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
func (h *half) yielded(d demand, alone bool, began uint64) bool {
	y := &h.yielder
	took, usual := seam.Nanos(began), uint64(0)
	if alone {
		usual = y.usual
	}
	ready := h.side.ready(d.want)
	y.judge(ready, took, usual)
	y.seen = h.limit
	return ready
}

// judge records whether a yield brought something, and how many nanoseconds it took.
// usual is how many parking usually takes, or 0.
func (y *yielder) judge(something bool, took, usual uint64) {
	slow := took >= 2*usual+soon
	if something && !slow {
		y.pause = 0
		return
	}
	if slow {
		y.timed = 0
	}
	took = min(took, longest)
	lost := max(took, usual) - usual
	y.pause = min(max(firstPause, 2*y.pause), maxPause)
	y.skip = int(min(uint64(y.pause)*max(1, lost/price), maxSkip))
	if lost >= late {
		if until := seam.Now() + took*rest; until > lateUntil.Load() {
			lateUntil.Store(until)
		}
	}
}

// learns reports whether the park that begins now is part of the lesson.
func (y *yielder) learns() bool { return y.timed < lesson }

// learn adds a park that took so many nanoseconds. If even the shortest of a lesson is
// not brief it begins again.
func (y *yielder) learn(took uint64) {
	if y.timed == 0 || took < y.usual {
		y.usual = took
	}
	if y.timed++; y.timed == lesson && y.usual >= brief {
		y.timed = 0
	}
}

// lookEvery is the number of waits after which a half looks again at the number of
// processors, and begins the lesson again.
const lookEvery = 1024

// processors is what a half knows of their number.
type processors struct {
	alone bool // there was one when last looked
	waits uint
}

// alone reports whether there is only one processor. It is called in each wait.
func (h *half) alone() bool {
	p := &h.processors
	if p.waits%lookEvery == 0 {
		p.alone = runtime.GOMAXPROCS(0) == 1
		h.yielder.timed = 0
	}
	p.waits++
	return p.alone
}
