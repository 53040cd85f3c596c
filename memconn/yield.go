package memconn

import (
	"runtime"
	"time"
)

// A yielder lets a goroutine that finds nothing to read, or no room, yield its
// processor once before it parks. Where the peer is next to run there, as it is
// when two goroutines take turns, what it waits for is there afterwards, for a
// fraction of what it costs to be parked and woken: 8 bytes there and back took
// 250 ns in place of 440, on one processor and on two.
//
// Who has yielded goes to the end of the queue of all, where who is woken goes
// to the front of its processor's own. With others that keep the processors
// busy a yield takes tens of milliseconds. So it is not tried again for some
// parks after one that was in vain, each time for more of them, and for very
// many after one that was slow: as many as make up for the time that it lost.
// The clock costs as much as a yield, and is read each time only while there is
// no trust.
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

// yield yields, perhaps. It may have been worth it if look then sees n bytes.
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

// judge says what follows from a yield that brought something, or not, and took
// so long, 0 if it was not timed.
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
