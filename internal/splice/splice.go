// Package splice moves bytes from pipe to pipe inside the system, which passes on
// the pages that hold them.
package splice

import "time"

// A sink is slow if its pipe is full whenever there is input, for the time of the
// patience, and takes less than quick bytes a nanosecond meanwhile. A faster one is
// waited for: a copy into the ring would not be faster.
const (
	// Patience is that for a source whose pipe holds patient bytes. It is less for a
	// smaller one, which is full sooner.
	Patience = 5 * time.Millisecond
	patient  = 1 << 20
	quick    = 2
)
