//go:build linux || dragonfly || freebsd || netbsd

package kernel

import (
	"runtime"
	"syscall"
)

// recvmsg receives one message without its address. There is no room for control
// data, so the system closes the descriptors that come with a message, as it
// does for read.
func recvmsg(fd uintptr, vec []syscall.Iovec) (n int, errno syscall.Errno) {
	h := syscall.Msghdr{Iov: &vec[0]}
	setLen(&h.Iovlen, len(vec))
	flags := 0
	if runtime.GOOS == "linux" {
		flags = syscall.MSG_TRUNC // count what there is no room for as well
	}
	r1, errno := trapRecvmsg(fd, &h, uintptr(flags))
	switch {
	case errno != 0:
		return 0, errno
	case h.Flags&syscall.MSG_TRUNC != 0 && int(r1) <= size(vec):
		return 0, syscall.EMSGSIZE
	}
	return int(r1), 0
}

// setLen sets a length whose type differs from machine to machine.
func setLen[T int32 | uint32 | uint64](l *T, n int) { *l = T(n) }

func size(vec []syscall.Iovec) (n int) {
	for _, v := range vec {
		n += int(v.Len)
	}
	return n
}
