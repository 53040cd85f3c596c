// Package kernel is the system calls that the other packages make on
// descriptors, behind variables, so that tests can put a scripted kernel there.
package kernel

import "syscall"

// Control runs do with the descriptor of c, which stays open meanwhile. Unlike
// an os.File's Fd it leaves the descriptor as it is.
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
