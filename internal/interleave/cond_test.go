package interleave

import (
	"fmt"
	"testing"
)

// A queue under a Cond loses nothing, and a waiter that is woken without the
// mutex is found to sleep for ever.
func TestCond(t *testing.T) {
	for _, locks := range []bool{true, false} {
		r := Explore(Options{Preemptions: -1}, func(t *T) {
			c := NewCond()
			var full Uint32
			t.Go("taker", func() {
				c.L.Lock()
				for full.Load() == 0 {
					c.Wait()
				}
				c.L.Unlock()
			})
			t.Go("giver", func() {
				full.Store(1)
				if locks {
					c.L.Lock()
					defer c.L.Unlock()
				}
				c.Signal()
			})
		})
		if found := r.Failure != nil; found == locks {
			t.Errorf("with the mutex %t: %v", locks, r.Failure)
		}
	}
}

// Signal wakes the one that has waited longest, Broadcast all.
func TestCondWakes(t *testing.T) {
	r := Explore(Options{Preemptions: 2}, func(t *T) {
		c := NewCond()
		woken, waiting := []int{}, 0
		for i := range 3 {
			t.Go(fmt.Sprint("waiter ", i), func() {
				c.L.Lock()
				at := waiting
				waiting++
				c.Wait()
				woken = append(woken, at)
				c.L.Unlock()
			})
		}
		t.Go("waker", func() {
			for n := 0; n < 3; n = waiting {
				Spin()
			}
			c.L.Lock()
			c.Signal()
			c.L.Unlock()
			for n := 0; n == 0; n = len(woken) {
				Spin()
			}
			if woken[0] != 0 {
				t.Fail("woken: %v", woken)
			}
			c.L.Lock()
			c.Broadcast()
			c.L.Unlock()
		})
	})
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
}

// A Mutex lets one in, and orders those that it lets in.
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

// An alarm goes off once, at the last moment that it was set for, and not once
// it was stopped.
func TestAlarm(t *testing.T) {
	var last, stopped int
	r := Explore(Options{Preemptions: -1}, func(t *T) {
		x := NewAlarm(func() { last = int(Now()) })
		y := NewAlarm(func() { stopped++ })
		x.Set(1, 100)
		x.Set(1, 5)
		y.Set(1, 5)
		y.Stop()
		last = 0
		t.Go("clock", func() { t.Advance(3); t.Advance(3); t.Advance(200) })
		t.Final(func() error {
			if last != 7 || stopped != 0 || t.Alarms() != 0 {
				return fmt.Errorf("it went off at %d, the other %d times; %d are set", last, stopped, t.Alarms())
			}
			return nil
		})
	})
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
}
