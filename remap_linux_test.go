//go:build !interleave

package bytering

import (
	"os"
	"reflect"
	"sync"
	"syscall"
)

// remaps tries the system call with which this package maps memory twice, and
// files. An emulator of Linux, such as qemu-user, may refuse it.
var remaps = sync.OnceValue(func() error {
	size := os.Getpagesize()
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	defer syscall.Munmap(b)
	const mayMove = 1
	again, _, errno := syscall.Syscall6(syscall.SYS_MREMAP, reflect.ValueOf(b).Pointer(), 0, uintptr(size), mayMove, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("mremap with an old size of 0", errno)
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_MUNMAP, again, uintptr(size), 0); errno != 0 {
		return os.NewSyscallError("munmap", errno)
	}
	return nil
})
