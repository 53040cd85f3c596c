//go:build !interleave

package seam

import (
	"runtime"
	"time"

	"github.com/bytering/bytering/internal/pause"
)

// A Spin is a loop that checks a condition again and again:
//
//	for s := NewSpin(budget); s.Next(); {
//		check the condition
//		if s.Now() { check what else may end the loop and costs more }
//	}
type Spin struct {
	budget time.Duration
	began  time.Time
	n      int
}

func NewSpin(budget time.Duration) Spin { return Spin{budget: budget} }

// clockEvery is the number of turns between two looks at the clock, which cost as
// much as a turn.
const clockEvery = 16

// Next pauses and reports whether to check once more. It also counts turns, because
// the clock of a testing/synctest bubble stands still.
func (s *Spin) Next() bool {
	if s.n == 0 {
		s.began = time.Now()
	}
	s.n++
	pause.Once()
	return !s.Now() || time.Since(s.began) < s.budget && time.Duration(s.n) < s.budget
}

// Patience is how many times to check, between yields or in a spin, for more than is
// there before taking what is there.
const Patience = 8

// Pause pauses n times.
func Pause(n int) {
	for range n {
		pause.Once()
	}
}

// Gosched lets other goroutines run.
func Gosched() { runtime.Gosched() }

// Nanos returns how many nanoseconds have passed since Ticks was at began. It may
// return half as many. If another processor's counter was ahead it returns very many.
func Nanos(began uint64) uint64 { return (pause.Ticks() - began) * 1000 / pause.PerMicrosecond() }

// Ticks returns the processor's counter of time.
func Ticks() uint64 { return pause.Ticks() }

// Now reports whether this is a turn for the checks that cost more.
func (s *Spin) Now() bool { return s.n%clockEvery == 0 }
