package interleave

import (
	"fmt"
	"testing"
)

// A timer posts if it is set at any point, even after its moment.
func TestTimerPosts(t *testing.T) {
	outcomes := map[uint64]bool{}
	r := Explore(Options{Preemptions: -1}, func(t *T) {
		var k Token
		var x Timer
		t.Go("sleeper", func() {
			x.Set(&k, Now(), 6)
			k.Take(nil)
			outcomes[Now()] = true
			if Now() < 6 {
				t.Fail("the timer went off at %d", Now())
			}
		})
		t.Go("clock", func() { t.Advance(3); t.Advance(3); t.Advance(10) })
	})
	if r.Failure != nil || !r.Complete {
		t.Fatal(r.Failure)
	}
	for _, at := range []uint64{7, 17} { // after the second step and after the third
		if !outcomes[at] {
			t.Errorf("no schedule in which the sleeper wakes at %d: %v", at, outcomes)
		}
	}
}

// A timer that is set again goes off only at its last moment.
func TestTimerIsSetAgain(t *testing.T) {
	r := Explore(Options{Preemptions: -1}, func(t *T) {
		var k Token
		var x Timer
		t.Go("sleeper", func() {
			x.Set(&k, Now(), 100)
			x.Set(&k, Now(), 5)
			k.Take(nil)
		})
		t.Go("clock", func() { t.Advance(10) })
		t.Final(func() error {
			if k.Posts != 1 || k.Timed != 1 || t.Moment() != 11 {
				return fmt.Errorf("%d tokens were posted, %d of them by a timer, at %d", k.Posts, k.Timed, t.Moment())
			}
			return nil
		})
	})
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
}
