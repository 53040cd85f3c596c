// Package kernel has the system calls that the other packages make on
// descriptors. They are variables, so that tests can replace them with a
// scripted kernel.
package kernel

import "syscall"

// Control runs do with the descriptor of c, which stays open meanwhile. Unlike
// the Fd method of an os.File it does not change the descriptor's mode.
func Control(c syscall.Conn, do func(fd uintptr) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	if outer := raw.Control(func(fd uintptr) { err = do(fd) }); outer != nil {
		return outer
	}
	return err
}
