//go:build linux || dragonfly || freebsd || netbsd

// This file is unsafe because a vector for the system has addresses and lengths. What
// keeps it safe: they are those of slices that package vectored has put there and that
// its caller holds during the call.

package scripted

import (
	"syscall"
	"unsafe"
)

// Slices returns the slices that vec describes.
func Slices(vec []syscall.Iovec) [][]byte {
	bufs := make([][]byte, len(vec))
	for i, v := range vec {
		bufs[i] = unsafe.Slice(v.Base, int(v.Len))
	}
	return bufs
}
