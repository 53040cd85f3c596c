//go:build linux

// This file is unsafe because a system call takes addresses as numbers. What
// keeps it safe: the conversions stand in the call itself, so that what they
// point at stays alive and in place until it returns, and both have the layout
// that the system has fixed for ever.

package kernel

import (
	"syscall"
	"time"
	"unsafe"
)

const (
	pollIn  = 1
	pollOut = 4
)

// Readable reports whether a read of a descriptor would not block.
func Readable(fd uintptr) bool { return poll(fd, pollIn, 0) }

// Writable reports whether a write to a descriptor would not block. It waits for
// that, with a thread, for up to the given time.
func Writable(fd uintptr, wait time.Duration) bool { return poll(fd, pollOut, wait) }

func poll(fd uintptr, events int16, wait time.Duration) bool {
	asked := struct {
		fd              int32
		events, revents int16
	}{int32(fd), events, 0}
	left := syscall.NsecToTimespec(int64(wait)) // the system keeps it up to date
	for {
		n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&asked)), 1, uintptr(unsafe.Pointer(&left)), 0, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0 && n == 1
		}
	}
}
