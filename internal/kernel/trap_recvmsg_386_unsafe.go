//go:build linux && 386

// This file is unsafe because a system call takes addresses as numbers. What
// keeps it safe: the conversion stands in the call itself, so that the arguments
// stay alive and in place until it returns, and what they and the header have are
// pointers that the collector sees.

package kernel

import (
	"syscall"
	"unsafe"
)

const socketcallRecvmsg = 17

// trapRecvmsg uses socketcall, as package syscall does here, because recvmsg has
// had a number of its own only since Linux 4.3.
func trapRecvmsg(fd uintptr, h *syscall.Msghdr, flags uintptr) (n uintptr, errno syscall.Errno) {
	args := struct {
		fd    uintptr
		h     *syscall.Msghdr
		flags uintptr
	}{fd, h, flags}
	n, _, errno = syscall.Syscall(syscall.SYS_SOCKETCALL, socketcallRecvmsg, uintptr(unsafe.Pointer(&args)), 0)
	return n, errno
}
