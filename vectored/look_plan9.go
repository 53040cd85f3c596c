package vectored

import (
	"os"
	"syscall"
)

// look returns nil for the descriptor, because on Plan 9 an *os.File has no SyscallConn,
// and that of a connection does nothing. So it does not find out what is closed.
func look(c syscall.Conn) (syscall.RawConn, error) {
	if isNil(c) {
		return nil, refuse(c, os.ErrInvalid)
	}
	return nil, nil
}
