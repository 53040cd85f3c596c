package interleave

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestUnwindingRunsDefers leaves threads asleep, spinning and unfinished. Their
// deferred calls must run once for each schedule, may use words, and must leave no
// goroutine.
func TestUnwindingRunsDefers(t *testing.T) {
	before := runtime.NumGoroutine()
	begun, ended := 0, 0
	r := Explore(unbounded, func(w *T) {
		var x Uint64
		var k Token
		leave := func() { x.Add(1); k.Post(); ended++ }
		w.Go("sleeper", func() {
			begun++
			defer leave()
			k.Take(nil)
			k.Take(nil)
		})
		w.Go("spinner", func() {
			begun++
			defer func() { leave(); panic("nobody hears this") }()
			for x.Load() < 100 {
				Spin()
			}
		})
		w.Go("poster", func() { k.Post() })
	})
	if r.Failure == nil || !strings.Contains(r.Failure.Message, "deadlock") {
		t.Fatalf("%+v, want a deadlock", r)
	}
	if begun == 0 || begun != ended {
		t.Errorf("%d threads began, but %d ran their deferred calls", begun, ended)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("there are %d goroutines before and %d after", before, runtime.NumGoroutine())
}

// TestTouchesOfOtherBytesAreIndependent counts schedules with sleep sets.
func TestTouchesOfOtherBytesAreIndependent(t *testing.T) {
	for _, c := range []struct {
		name      string
		a, b      func(ring []byte)
		schedules int
	}{
		{"disjoint", func(m []byte) { TouchWrite(m[:2]) }, func(m []byte) { TouchWrite(m[2:]) }, 1},
		{"reads", func(m []byte) { TouchRead(m) }, func(m []byte) { TouchRead(m) }, 1},
	} {
		r := Explore(unbounded, func(w *T) {
			ring := make([]byte, 4)
			w.Go("a", func() { c.a(ring) })
			w.Go("b", func() { c.b(ring) })
		})
		if r.Failure != nil || r.Schedules != c.schedules {
			t.Errorf("%s: %+v, want %d schedules", c.name, r, c.schedules)
		}
	}
}

// TestSleepSetsWithTokensAndMemory explores, with and without sleep sets, a correct
// program and one that races on a byte written after the token was posted.
func TestSleepSetsWithTokensAndMemory(t *testing.T) {
	program := func(guarded bool) func(*T) {
		return func(w *T) {
			var full Uint32
			var k Token
			ring := make([]byte, 2)
			w.Go("writer", func() {
				TouchWrite(ring[:1])
				full.Store(1)
				k.Post()
				TouchWrite(ring[1:])
			})
			w.Go("reader", func() {
				k.Take(nil)
				TouchRead(ring[:1])
				if !guarded {
					TouchRead(ring[1:])
				}
			})
			w.Go("onlooker", func() { full.Load() })
		}
	}
	for _, guarded := range []bool{true, false} {
		a, b := Explore(full, program(guarded)), Explore(unbounded, program(guarded))
		if (a.Failure == nil) != guarded || (b.Failure == nil) != guarded {
			t.Errorf("guarded: %v; the full search found %v, the reduced one %v", guarded, a.Failure, b.Failure)
		}
		if guarded && b.Schedules >= a.Schedules {
			t.Errorf("the full search has %d schedules, the reduced one %d", a.Schedules, b.Schedules)
		}
	}
}

// TestPeterson checks that the lock excludes, and that without the turn word
// it does not.
func TestPeterson(t *testing.T) {
	lock := func(order bool) func(*T) {
		return func(w *T) {
			var wants [2]Uint32
			var turn Uint32
			b := make([]byte, 1)
			for id := range 2 {
				w.Go(string(rune('p'+id)), func() {
					if order {
						wants[id].Store(1)
					}
					turn.Store(uint32(1 - id))
					if !order {
						wants[id].Store(1) // this store comes too late
					}
					for wants[1-id].Load() == 1 && turn.Load() == uint32(1-id) {
						Spin()
					}
					w.Hold(b, true)
					TouchWrite(b)
					w.Unhold()
					wants[id].Store(0)
				})
			}
		}
	}
	if r := Explore(unbounded, lock(true)); r.Failure != nil || !r.Complete {
		t.Errorf("Peterson's lock fails: %+v", r)
	}
	if r := Explore(unbounded, lock(false)); r.Failure == nil {
		t.Error("the defect of the lock that asks too late was not found")
	}
}
