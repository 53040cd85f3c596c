//go:build dragonfly || freebsd || netbsd

// This file is unsafe because a system call takes addresses as numbers. What
// keeps it safe: the conversion stands in the call itself, and the memory is a
// mapping of this package, in which the system changes nothing. It is for the
// systems whose package syscall allows such calls but has no Mlock.

package memory

import (
	"syscall"
	"unsafe"
)

func mlock(b []byte) error {
	_, _, errno := syscall.Syscall(syscall.SYS_MLOCK, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
