//go:build !interleave

package seam

import (
	"runtime"
	"time"

	"github.com/bytering/bytering/internal/pause"
)

// A Spin is a loop that looks again and again:
//
//	for s := NewSpin(budget); s.Next(); {
//		look
//		if s.Now() { look at what may end it and costs more }
//	}
type Spin struct {
	budget time.Duration
	began  time.Time
	n      int
}

func NewSpin(budget time.Duration) Spin { return Spin{budget: budget} }

// clockEvery is how many turns the clock is looked at, since that costs as much
// as one.
const clockEvery = 16

// Next pauses and tells whether to look once more. It counts turns too, because
// the clock of a testing/synctest bubble stands still.
func (s *Spin) Next() bool {
	if s.n == 0 {
		s.began = time.Now()
	}
	s.n++
	pause.Once()
	return !s.Now() || time.Since(s.began) < s.budget && time.Duration(s.n) < s.budget
}

// Patience is how many looks, between yields or in a spin, are worth the hope
// for more than is there.
const Patience = 8

// quick is about what ten goroutines take that yield in turn.
const quick = 5 * time.Microsecond

// Yield lets other goroutines run, and reports whether that was quick. Where
// goroutines keep all processors busy it takes milliseconds.
func Yield() bool {
	began := time.Now()
	runtime.Gosched()
	return time.Since(began) < quick
}

// Now tells whether this is one of the rare turns.
func (s *Spin) Now() bool { return s.n%clockEvery == 0 }
