//go:build linux || dragonfly || freebsd || netbsd

package kernel

import (
	"runtime"
	"syscall"
)

// askSize is the flag that makes Linux count the bytes that have no room too.
// Other systems report only that there were some.
func askSize() uintptr {
	if runtime.GOOS == "linux" {
		return syscall.MSG_TRUNC
	}
	return 0
}

// recvmsg receives one message without its address. There is no room for control
// data, so the system closes the descriptors that come with a message, as it
// does for read.
func recvmsg(fd uintptr, vec []syscall.Iovec, flags uintptr) (n int, errno syscall.Errno) {
	h := syscall.Msghdr{Iov: &vec[0]}
	setLen(&h.Iovlen, len(vec))
	r1, errno := trapRecvmsg(fd, &h, flags)
	switch {
	case errno != 0:
		return 0, errno
	case h.Flags&syscall.MSG_TRUNC != 0 && int(r1) <= size(vec):
		return 0, syscall.EMSGSIZE
	}
	return int(r1), 0
}

// setLen sets a length, whose type depends on the machine.
func setLen[T int32 | uint32 | uint64](l *T, n int) { *l = T(n) }

func size(vec []syscall.Iovec) (n int) {
	for _, v := range vec {
		n += int(v.Len)
	}
	return n
}
