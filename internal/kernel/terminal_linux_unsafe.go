//go:build linux

// This file is unsafe because a system call takes an address as a number. What
// keeps it safe: the conversion stands in the call itself, so that the answer
// stays alive and in place until it returns, and the answer is of the size that
// the system has fixed for ever.

package kernel

import (
	"syscall"
	"unsafe"
)

// Terminal reports whether a descriptor is a terminal, or either end of a
// pseudo-terminal. All of these have a size, even if it is 0 by 0, and nothing
// else has one.
func Terminal(fd uintptr) bool {
	var size [4]uint16
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return errno == 0
}
