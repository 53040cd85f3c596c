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
	Recvmsg
)

func (op Op) String() string {
	return [...]string{"readv", "writev", "preadv", "pwritev", "recvmsg"}[op]
}

// Call makes one system call on vec, which has at least one element. The offset
// is used by [Preadv] and [Pwritev] only. The count is 0 if there is an error.
// Like any system call it returns EINTR if it is interrupted.
//
// The count of [Recvmsg] is the size of the message, even if that is larger
// than the room. On systems that do not report that size, the error is
// EMSGSIZE.
var Call = call

func call(op Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
	if op == Recvmsg {
		return recvmsg(fd, vec, askSize())
	}
	n, _, errno := trap(op, fd, vec, off)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
