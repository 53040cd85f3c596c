//go:build interleave

package atomics

import "time"

// A Spin is a loop that looks twice. More would only repeat what the explorer
// does anyway, which is to let the others go on between two looks.
type Spin struct{ n int }

func NewSpin(time.Duration) Spin { return Spin{} }

func (s *Spin) Next() bool { s.n++; return s.n <= 2 }
func (s *Spin) Now() bool  { return true }
