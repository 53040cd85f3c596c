//go:build linux

// This file is unsafe because a system call takes addresses as numbers. What
// keeps it safe: the conversion stands in the call itself, so that vec stays
// alive and in place until it returns, and vec's own elements are pointers that
// the collector sees.

package kernel

import (
	"math/bits"
	"syscall"
	"unsafe"
)

// numbers are the numbers of the system calls, by Op.
var numbers = [...]uintptr{syscall.SYS_READV, syscall.SYS_WRITEV, syscall.SYS_PREADV, syscall.SYS_PWRITEV}

// half is half the bits of a word, as in the kernel's own shift by a whole one.
const half = bits.UintSize / 2

// trap passes the offset in two words, as Linux expects on every machine. The
// second word is 0 if the first holds all of it.
func trap(op Op, fd uintptr, vec []syscall.Iovec, off int64) (r1, r2 uintptr, errno syscall.Errno) {
	if op == Readv || op == Writev {
		return syscall.Syscall(numbers[op], fd, uintptr(unsafe.Pointer(&vec[0])), uintptr(len(vec)))
	}
	return syscall.Syscall6(numbers[op], fd, uintptr(unsafe.Pointer(&vec[0])), uintptr(len(vec)),
		uintptr(off), uintptr(uint64(off)>>half>>half), 0)
}
