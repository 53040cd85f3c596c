//go:build amd64 || arm64

package pause

// Once tells the processor that its caller spins. The other hyperthread of the core
// gets the execution units for a moment, and leaving the loop costs no penalty. It
// takes about 28 ns, measured on a Zen 4, and about 18 ns on arm64 by the estimate of
// Go's runtime.
func Once()

// Ticks returns the processor's counter of time, in a few nanoseconds: a third of what
// the system's clock takes.
func Ticks() uint64
