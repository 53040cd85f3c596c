//go:build race

// This file is unsafe because the race detector is told of memory by its
// address. What keeps it safe: it only looks, and every range is that of a
// slice which the caller holds.

package vectored

import (
	"runtime"
	"unsafe"
)

// touchRead and touchWrite tell the race detector that the system has read or
// written the first n bytes of bufs, which it can't see. Unlike package syscall
// they add no order between calls: that would hide a barrier that is missing.
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
