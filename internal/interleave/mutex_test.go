package interleave

import (
	"fmt"
	"testing"
)

// A Mutex admits one thread at a time, and orders those that it admits.
func TestMutex(t *testing.T) {
	r := Explore(Options{Preemptions: -1}, func(t *T) {
		var m Mutex
		n := 0
		for i := range 2 {
			t.Go(fmt.Sprint("thread ", i), func() {
				m.Lock()
				Owned(&n)
				n++
				m.Unlock()
			})
		}
		t.Final(func() error {
			if n != 2 {
				return fmt.Errorf("%d", n)
			}
			return nil
		})
	})
	if r.Failure != nil || r.Schedules < 2 {
		t.Fatalf("%d schedules, %v", r.Schedules, r.Failure)
	}
}
