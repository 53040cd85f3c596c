//go:build interleave

package seam

import "time"

// A Spin is a loop of two turns. Between them the explorer lets the other threads go
// on, so more turns would repeat that.
type Spin struct{ n int }

// Patience is one check: more would repeat it.
const Patience = 1

// Gosched and Pause do nothing, because every operation lets the other threads go on.
func Gosched()  {}
func Pause(int) {}

// Ticks stand still: all that they may change is when a half looks and what it takes.
func Ticks() uint64       { return 0 }
func Nanos(uint64) uint64 { return 0 }

func NewSpin(time.Duration) Spin { return Spin{} }

func (s *Spin) Next() bool { s.n++; return s.n <= 2 }
func (s *Spin) Now() bool  { return true }
