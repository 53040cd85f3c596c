package memconn

import (
	"runtime"
	"time"
)

// A yielder lets a goroutine that finds nothing to read, or no room, yield its
// processor once before it parks. If the peer runs there next, as it does when
// two goroutines take turns, what the goroutine waits for is there afterwards,
// for a fraction of the cost of parking and waking: 8 bytes there and back took
// 250 ns instead of 440, on one processor and on two.
//
// A goroutine that yields goes to the tail of the global run queue; one that is
// woken goes to the head of its P's local queue. So a yield takes tens of
// milliseconds where others keep the processors busy. After a yield in vain the
// next parks go without one, each time more of them, and after a slow yield as
// many as make up for the time that it lost. The clock costs as much as a yield,
// and is read each time only until yields have proven worth it.
type yielder struct {
	trust int // yields in a row that were worth it
	pause int // parks without a yield after the last one in vain
	skip  int // parks before the next one
}

const (
	soon       = 5 * time.Microsecond
	trusted    = 8 // from here on one yield in as many is timed
	firstPause = 1
	maxPause   = 1 << 10

	// What a slow yield may cost each of the parks after it.
	price    = 10 * time.Nanosecond
	maxPrice = 1 << 30
)

// yield yields, unless it is to be skipped. It was worth it if look then sees n
// bytes, and it was not slow.
func (y *yielder) yield(look func() int, n int) {
	if y.skip > 0 {
		y.skip--
		return
	}
	var start time.Time
	var took time.Duration
	timed := y.trust < trusted || y.trust%trusted == 0
	if timed {
		start = time.Now()
	}
	runtime.Gosched()
	if timed {
		took = time.Since(start)
	}
	y.judge(look() >= n, took)
}

// judge records whether a yield brought something, and how long it took, which
// is 0 if it was not timed.
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
