//go:build !amd64 && !arm64

package pause

import "time"

// Once does nothing here.
func Once() {}

var began = time.Now()

// Ticks returns the time since the program began, in nanoseconds.
func Ticks() uint64 { return uint64(time.Since(began)) }

// PerMicrosecond returns how many Ticks a microsecond has.
func PerMicrosecond() uint64 { return 1000 }
