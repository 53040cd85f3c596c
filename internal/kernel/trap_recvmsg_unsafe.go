//go:build (linux && !386) || dragonfly || freebsd || netbsd

// This file is unsafe because a system call takes addresses as numbers. What
// keeps it safe: the conversion stands in the call itself, so that the header
// stays alive and in place until it returns, and what the header has are pointers
// that the collector sees.

package kernel

import (
	"syscall"
	"unsafe"
)

func trapRecvmsg(fd uintptr, h *syscall.Msghdr, flags uintptr) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.Syscall(syscall.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(h)), flags)
	return n, errno
}
