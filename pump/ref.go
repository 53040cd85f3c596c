//go:build !interleave

package pump

import (
	"time"
	"weak"
)

// A ref is a reference to a free ring that lets the garbage collector free it.
type ref = weak.Pointer[ring]

func refer(r *ring) ref { return weak.Make(r) }

var began = time.Now()

// inBubble reports whether the caller is in a bubble of testing/synctest, where the
// clock is years behind. A ring's channels belong to the bubble that it was made in:
// using them outside of it, or in another one, ends the process.
func inBubble() bool { return time.Since(began) < 0 }
