package kernel

import (
	"syscall"
	"testing"
)

// If the system does not count the bytes that did not fit, it still reports that
// there were some.
func TestRecvmsg(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fds[0])
	defer syscall.Close(fds[1])
	for _, tc := range []struct {
		size  int
		flags uintptr
		n     int
		errno syscall.Errno
	}{
		{4, 0, 4, 0},
		{5, 0, 5, 0},
		{6, 0, 0, syscall.EMSGSIZE},
		{4, syscall.MSG_TRUNC, 4, 0},
		{5, syscall.MSG_TRUNC, 5, 0},
		{6, syscall.MSG_TRUNC, 6, 0},
	} {
		if err := syscall.Sendto(fds[1], make([]byte, tc.size), 0, nil); err != nil {
			t.Fatal(err)
		}
		vec := make([]syscall.Iovec, 2)
		for i, b := range [][]byte{make([]byte, 2), make([]byte, 3)} {
			vec[i].Base = &b[0]
			vec[i].SetLen(len(b))
		}
		if n, errno := recvmsg(uintptr(fds[0]), vec, tc.flags); n != tc.n || errno != tc.errno {
			t.Errorf("a message of %d bytes read into 5, with flags %#x: %d, %v; want %d, %v", tc.size, tc.flags, n, errno, tc.n, tc.errno)
		}
	}
	if n, errno := recvmsg(uintptr(fds[0]), []syscall.Iovec{{}}, 0); n != 0 || errno != syscall.EAGAIN {
		t.Errorf("no message: %d, %v", n, errno)
	}
}
