//go:build !plan9

package vectored

import (
	"os"
	"syscall"
)

// inspect returns the descriptor of c and its kind, or an error if c has no open one.
func inspect(c syscall.Conn) (raw syscall.RawConn, k kind, err error) {
	if isNil(c) {
		return nil, k, refuse(c, os.ErrInvalid)
	}
	if raw, err = c.SyscallConn(); err != nil {
		return nil, k, refuse(c, err)
	}
	var bad error
	if err = raw.Control(func(fd uintptr) { k, bad = kindOf(fd) }); err != nil {
		return nil, k, refuse(c, &closedError{err})
	}
	if bad != nil {
		return nil, k, refuse(c, bad)
	}
	return raw, k, nil
}
