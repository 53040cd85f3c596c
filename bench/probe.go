package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// pingPong returns the ns of a round trip of one word between two processors,
// the median of short runs. A virtual machine's processors move between cache
// domains, and then it can be five times what it was. With one processor there
// is nothing to probe: 0.
//
// It takes no longer than a few milliseconds, also where other processes keep
// the processors busy, which makes it slow.
func pingPong(procs int) float64 {
	if procs == 1 {
		return 0
	}
	const rounds, runs, budget = 100, 20, 3 * time.Millisecond
	var word struct {
		_ [128]byte
		atomic.Int64
		_ [128]byte
	}
	// Odd numbers go there, even ones come back, below 0 is the end.
	go func() {
		for n := int64(1); ; n += 2 {
			if !await(&word.Int64, n, time.Time{}) {
				return
			}
			word.CompareAndSwap(n, n+1)
		}
	}()
	defer word.Store(-1)

	// The other goroutine has to get its processor first.
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

// await spins until word is n, and tells whether it was before the end, if
// there is one. Now and then it lets others run, in case they are what it waits
// for.
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
