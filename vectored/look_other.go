//go:build !linux && !dragonfly && !freebsd && !netbsd && !plan9

package vectored

import "syscall"

// look returns the descriptor of c, or an error if it has no open one.
func look(c syscall.Conn) (syscall.RawConn, error) {
	raw, _, err := inspect(c)
	return raw, err
}
