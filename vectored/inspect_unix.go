//go:build unix

package vectored

import (
	"errors"
	"syscall"
)

// inspect looks at the descriptor of c. Usual are a stream socket, a pipe, a
// file and a block device, of which a read of two slices is one read. The
// drivers of some other devices get one read a slice from the kernel, of which
// the second may wait though the first had something.
func inspect(c syscall.Conn) (raw syscall.RawConn, usual bool, err error) {
	raw, err = c.SyscallConn()
	if err != nil {
		return nil, false, refuse(c, err.Error())
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		kind, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE)
		if err == nil {
			if usual = kind == syscall.SOCK_STREAM; !usual {
				failed = errors.New("a socket that is not a stream")
			}
			return
		}
		var st syscall.Stat_t
		if failed = syscall.Fstat(int(fd), &st); failed == nil {
			switch st.Mode & syscall.S_IFMT {
			case syscall.S_IFREG, syscall.S_IFIFO, syscall.S_IFBLK:
				usual = true
			}
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, false, refuse(c, err.Error())
	}
	return raw, usual, nil
}
