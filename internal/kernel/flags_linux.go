package kernel

import "syscall"

// What Fcntl does with the size of a pipe, which package syscall has no names for.
const (
	SetPipeSize = 1031 // F_SETPIPE_SZ
	GetPipeSize = 1032 // F_GETPIPE_SZ
)

// Fcntl makes the system call on a descriptor.
var Fcntl = fcntl

func fcntl(fd uintptr, cmd, arg int) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, uintptr(cmd), uintptr(arg))
	return int(n), errno
}
