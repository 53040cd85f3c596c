package kernel

import "syscall"

// Fcntl makes the system call on a descriptor.
var Fcntl = fcntl

func fcntl(fd uintptr, cmd, arg int) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, uintptr(cmd), uintptr(arg))
	return int(n), errno
}
