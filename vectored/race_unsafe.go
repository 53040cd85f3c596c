//go:build race

// This file is unsafe because the race detector takes addresses. What keeps it safe: the
// detector does not access the memory, and every range is that of a slice that the
// caller holds.

package vectored

import (
	"runtime"
	"unsafe"
)

// touchRead and touchWrite report to the race detector that the system has read or
// written the first n bytes of bufs, which the detector cannot see. Unlike package
// syscall they do not order calls, because that would hide a missing barrier.
func touchRead(bufs [][]byte, n int)  { touch(bufs, n, runtime.RaceReadRange) }
func touchWrite(bufs [][]byte, n int) { touch(bufs, n, runtime.RaceWriteRange) }

func touch(bufs [][]byte, n int, announce func(unsafe.Pointer, int)) {
	for _, b := range bufs {
		if b = b[:min(len(b), n)]; len(b) > 0 {
			announce(unsafe.Pointer(unsafe.SliceData(b)), len(b))
			n -= len(b)
		}
	}
}
