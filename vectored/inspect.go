//go:build !plan9

package vectored

import (
	"os"
	"syscall"
)

// inspect looks at the descriptor of c. It is an error if there is none that is
// open, or if its bytes are no stream. Usual are a stream socket, a pipe, a
// file and a block device, of which a read of two slices is one read. The
// drivers of some other devices get one read a slice from the kernel, of which
// the second may wait though the first had something.
func inspect(c syscall.Conn) (raw syscall.RawConn, usual bool, err error) {
	if isNil(c) {
		return nil, false, refuse(c, os.ErrInvalid)
	}
	if raw, err = c.SyscallConn(); err != nil {
		return nil, false, refuse(c, err)
	}
	var unsuited error
	if err = raw.Control(func(fd uintptr) { usual, unsuited = kind(fd) }); err != nil {
		return nil, false, refuse(c, &closedError{err})
	}
	if unsuited != nil {
		return nil, false, refuse(c, unsuited)
	}
	return raw, usual, nil
}
