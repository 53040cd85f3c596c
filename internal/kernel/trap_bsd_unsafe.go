//go:build dragonfly || freebsd || netbsd

// This file is unsafe because a system call takes addresses as numbers. What
// keeps it safe: the conversion stands in the call itself, so that vec stays
// alive and in place until it returns, and vec's own elements are pointers that
// the collector sees.

package kernel

import (
	"syscall"
	"unsafe"
)

// numbers are the numbers of the system calls, by Op. How Preadv and Pwritev
// pass their offset depends on the machine, so package vectored does not use
// them here.
var numbers = [...]uintptr{Readv: syscall.SYS_READV, Writev: syscall.SYS_WRITEV}

func trap(op Op, fd uintptr, vec []syscall.Iovec, _ int64) (r1, r2 uintptr, errno syscall.Errno) {
	return syscall.Syscall(numbers[op], fd, uintptr(unsafe.Pointer(&vec[0])), uintptr(len(vec)))
}
