//go:build !unix

package vectored

import "syscall"

// inspect looks at the descriptor of c. What kind it is can't be seen here.
func inspect(c syscall.Conn) (raw syscall.RawConn, usual bool, err error) {
	raw, err = c.SyscallConn()
	if err == nil {
		err = raw.Control(func(uintptr) {})
	}
	if err != nil {
		return nil, false, refuse(c, err.Error())
	}
	return raw, true, nil
}
