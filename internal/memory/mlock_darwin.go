package memory

import "syscall"

func mlock(b []byte) error { return syscall.Mlock(b) }
