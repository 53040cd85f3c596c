package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// pingPong returns the ns of a round trip of one word between two processors, as
// the median of short runs. The processors of a virtual machine move between cache
// domains, which can multiply it by five. With one processor it returns 0.
//
// After a trial that slept, the system may run both goroutines on one processor at
// first. It takes some milliseconds of their work to spread them.
func pingPong(procs int) (took float64) {
	if procs == 1 {
		return 0
	}
	for budget := 3 * time.Millisecond; budget < 100*time.Millisecond; budget *= 4 {
		if took = pingPongWithin(budget); took < busy {
			break
		}
	}
	return took
}

// pingPongWithin returns the same, within the budget even if other processes keep the
// processors busy.
func pingPongWithin(budget time.Duration) float64 {
	const rounds, runs = 100, 20
	var word struct {
		_ [128]byte
		atomic.Int64
		_ [128]byte
	}
	// Odd numbers go, even numbers come back, and a negative number is the end.
	go func() {
		for n := int64(1); ; n += 2 {
			if !await(&word.Int64, n, time.Time{}) {
				return
			}
			word.CompareAndSwap(n, n+1)
		}
	}()
	defer word.Store(-1)

	// Wait until the other goroutine runs.
	start := time.Now()
	end := start.Add(budget)
	word.Store(1)
	if !await(&word.Int64, 2, end) {
		return float64(time.Since(start))
	}
	var took []float64
	n := int64(3)
	for len(took) < runs {
		start := time.Now()
		for i := range rounds {
			word.Store(n)
			if !await(&word.Int64, n+1, end) {
				return median(append(took, float64(time.Since(start))/float64(i+1)))
			}
			n += 2
		}
		took = append(took, float64(time.Since(start))/rounds)
	}
	return median(took)
}

// await spins until word is n. It reports whether that happened before the end, if
// there is one. Now and then it yields, in case the other goroutine has no
// processor.
func await(word *atomic.Int64, n int64, end time.Time) bool {
	for spins := 1; ; spins++ {
		switch now := word.Load(); {
		case now == n:
			return true
		case now < 0:
			return false
		}
		if spins%(1<<12) == 0 {
			if !end.IsZero() && time.Now().After(end) {
				return false
			}
			runtime.Gosched()
		}
	}
}
