package main

import (
	"os"
	"syscall"
)

// setPipeSize sets the number of bytes that a pipe holds.
func setPipeSize(f *os.File, size int) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	const setPipeSize = 1031 // F_SETPIPE_SZ
	var errno syscall.Errno
	if err := raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, uintptr(size))
	}); err != nil {
		return err
	}
	if errno != 0 {
		return os.NewSyscallError("fcntl", errno)
	}
	return nil
}
