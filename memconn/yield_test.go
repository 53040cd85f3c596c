package memconn

import (
	"testing"
	"time"
)

// How many parks go by until the next yield.
func TestYielder(t *testing.T) {
	for _, tc := range []struct {
		name      string
		times     int
		something bool
		took      time.Duration
		want      yielder
	}{
		{"worth it", 1, true, time.Microsecond, yielder{trust: 1}},
		{"worth it, not timed", 10, true, 0, yielder{trust: 10}},
		{"in vain once", 1, false, time.Microsecond, yielder{pause: 1, skip: 1}},
		{"in vain often", 5, false, 0, yielder{pause: 16, skip: 16}},
		{"in vain always", 50, false, 0, yielder{pause: maxPause, skip: maxPause}},
		{"slow, yet worth it", 1, true, soon, yielder{pause: 1, skip: 500}},
		{"slow", 1, false, 80 * time.Millisecond, yielder{pause: 1, skip: 8_000_000}},
		{"slow as never", 1, true, 1000 * time.Hour, yielder{pause: 1, skip: maxPrice}},
	} {
		var y yielder
		for range tc.times {
			y.judge(tc.something, tc.took)
		}
		if y != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, y, tc.want)
		}
		// One that is worth it forgives all.
		y.judge(true, 0)
		if y.pause != 0 {
			t.Errorf("%s: a pause of %d is left", tc.name, y.pause)
		}
	}

	// While it skips it neither yields nor looks.
	y := yielder{skip: 2}
	looked := 0
	for range 3 {
		y.yield(func() int { looked++; return 1 }, 1)
	}
	if looked != 1 || y.trust+y.pause != 1 { // that yield may have been slow
		t.Errorf("looked %d times, %+v", looked, y)
	}
}
