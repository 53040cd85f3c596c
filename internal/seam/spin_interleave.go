//go:build interleave

package seam

import "time"

// A Spin is a loop that looks twice. More would only repeat what the explorer
// does anyway, which is to let the others go on between two looks.
type Spin struct{ n int }

// Patience is one look: more would repeat it.
const Patience = 1

// Yield does nothing, since every operation lets the others go on.
func Yield() bool { return false }

func NewSpin(time.Duration) Spin { return Spin{} }

func (s *Spin) Next() bool { s.n++; return s.n <= 2 }
func (s *Spin) Now() bool  { return true }
