//go:build linux

// This file is unsafe because a system call takes addresses as numbers. What
// keeps it safe: the conversions stand in the call itself, so that what they
// point at stays alive and in place until it returns, and the answer is of the
// size that the system has fixed for ever.

package kernel

import (
	"runtime"
	"syscall"
	"unsafe"
)

// statxNumbers are the numbers of the system call, by machine. Package syscall
// is older than the call.
var statxNumbers = map[string]uintptr{
	"386": 383, "amd64": 332, "arm": 397, "arm64": 291, "loong64": 291,
	"mips": 4366, "mipsle": 4366, "mips64": 5326, "mips64le": 5326,
	"ppc64": 383, "ppc64le": 383, "riscv64": 291, "s390x": 379,
}

const (
	emptyPath      = 0x1000 // AT_EMPTY_PATH: the descriptor itself
	directAlign    = 0x2000 // STATX_DIOALIGN
	statxMask      = 0      // in words of 32 bits
	statxDirectMem = 0x98 / 4
	statxDirectOff = 0x9c / 4
)

// DirectAlign returns the alignment of direct I/O on a descriptor: memory is
// that of addresses, and offset that of offsets and lengths. Both are 0 if the
// descriptor has no direct I/O. known is false if the system does not report
// them.
var DirectAlign = statxAlign

func statxAlign(fd uintptr) (memory, offset uint32, known bool) {
	number, ok := statxNumbers[runtime.GOARCH]
	if !ok {
		return 0, 0, false
	}
	var path byte
	var answer [64]uint32
	_, _, errno := syscall.Syscall6(number, fd, uintptr(unsafe.Pointer(&path)), emptyPath,
		directAlign, uintptr(unsafe.Pointer(&answer)), 0)
	if errno != 0 || answer[statxMask]&directAlign == 0 {
		return 0, 0, false
	}
	return answer[statxDirectMem], answer[statxDirectOff], true
}
