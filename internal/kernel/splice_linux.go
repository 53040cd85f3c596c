package kernel

import "syscall"

const spliceNonblock = 2

// Splice moves up to n bytes from one pipe to another, without a copy. It returns
// EAGAIN where it would have to wait, whatever the modes of the descriptors.
var Splice = splice

func splice(from, to uintptr, n int) (int, syscall.Errno) {
	moved, err := syscall.Splice(int(from), nil, int(to), nil, n, spliceNonblock)
	if errno, ok := err.(syscall.Errno); ok {
		return 0, errno
	}
	return int(moved), 0
}
