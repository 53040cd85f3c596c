package seam

import "time"

// Moment returns t in nanoseconds of Now: 0 for the zero time, and 1, which is before
// any Now, for a time that has passed. If t has a reading of the monotonic clock, that
// is what counts.
func Moment(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	left := time.Until(t)
	if left <= 0 {
		return 1
	}
	return Now() + uint64(left) // both are below 1<<63
}
