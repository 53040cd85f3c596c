//go:build !interleave

// This file is unsafe because where a field lies in its struct is known only
// to package unsafe. What keeps it safe: these are constants for the compiler,
// and no pointer is made. Under the explorer words are larger, and nothing is
// measured.

package bytering

import "unsafe"

// A constant of type uint does not compile if it is negative: words that
// different processors write lie a line apart, and so do their neighbours.
const (
	_ = uint(unsafe.Sizeof(word{}) - line)
	_ = uint(line - unsafe.Sizeof(word{}))
	_ = uint(unsafe.Sizeof(target{}) - line)
	_ = uint(line - unsafe.Sizeof(target{}))
	_ = uint(unsafe.Offsetof(ring{}.write) - unsafe.Offsetof(ring{}.deadline) - line)
	_ = uint(unsafe.Offsetof(ring{}.space) - unsafe.Offsetof(ring{}.write) - line)
	_ = uint(unsafe.Offsetof(ring{}.hold) - unsafe.Offsetof(ring{}.space) - line)
	_ = uint(unsafe.Sizeof(ring{}) - unsafe.Offsetof(ring{}.hold) - line)
	_ = uint(unsafe.Offsetof(reader{}.read) - unsafe.Offsetof(reader{}.deadline) - line)
	_ = uint(unsafe.Offsetof(reader{}.data) - unsafe.Offsetof(reader{}.read) - line)
	_ = uint(unsafe.Offsetof(reader{}.hold) - unsafe.Offsetof(reader{}.data) - line)
	_ = uint(unsafe.Sizeof(reader{}) - unsafe.Offsetof(reader{}.hold) - line)
)
