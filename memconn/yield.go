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
// to the front of its processor's own. So a yield is worth it only if it brings
// something and comes back soon; else it is not tried again for some parks,
// each time for more of them. The clock costs as much as a yield, and is read
// each time only while there is no trust.
type yielder struct {
	trust int // yields in a row that were worth it
	skip  int // parks before the next one
	pause int // what skip was set to last
}

const (
	soon       = 5 * time.Microsecond
	trusted    = 8 // from here on one yield in as many is timed
	firstPause = 1
	maxPause   = 1 << 10
)

// yield yields, perhaps. It may have been worth it if look then sees n bytes.
func (y *yielder) yield(look func() int, n int) {
	if y.skip > 0 {
		y.skip--
		return
	}
	var start time.Time
	timed := y.trust < trusted || y.trust%trusted == 0
	if timed {
		start = time.Now()
	}
	runtime.Gosched()
	if look() >= n && (!timed || time.Since(start) < soon) {
		y.trust++
		y.pause = 0
		return
	}
	y.trust = 0
	y.pause = min(max(firstPause, 2*y.pause), maxPause)
	y.skip = y.pause
}
