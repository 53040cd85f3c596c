//go:build linux || dragonfly || freebsd || netbsd

package kernel

import "syscall"

// An Op is one of the system calls.
type Op uint8

const (
	Readv Op = iota
	Writev
	Preadv
	Pwritev
)

func (op Op) String() string { return [...]string{"readv", "writev", "preadv", "pwritev"}[op] }

// Call makes one system call on vec, which has at least one element. The
// offset counts for [Preadv] and [Pwritev] only. The count is 0 if there is an
// error. Like the real ones it may be interrupted and returns EINTR then.
var Call = call

func call(op Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
	n, _, errno := trap(op, fd, vec, off)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
