package vectored

import (
	"os"
	"syscall"
)

// look returns nil instead of the descriptor of c: here an *os.File has no
// SyscallConn and a connection's can't do anything. So what is closed already is
// not found.
func look(c syscall.Conn) (syscall.RawConn, error) {
	if isNil(c) {
		return nil, refuse(c, os.ErrInvalid)
	}
	return nil, nil
}
