//go:build linux

// This file is unsafe because ioctl takes an address as a number. What keeps it
// safe: the conversion stands in the call itself, so that its target stays alive
// and in place until the call returns, and the kernel reads and writes an int
// there, whatever the size in the call's number says.

package memory

import (
	"runtime"
	"syscall"
	"unsafe"
)

// noCopyOnWrite is FS_NOCOW_FL of linux/fs.h.
const noCopyOnWrite = 0x800000

// inPlace turns copy-on-write off for an empty file, for btrfs. Other file systems
// refuse: they do not copy on write, or always do. With the latter a disk that
// fills up later is a fault.
func inPlace(fd uintptr) error {
	const long = unsafe.Sizeof(uintptr(0)) << 16
	// _IOR('f', 1, long) and _IOW('f', 2, long), as most machines have them.
	get, set := uintptr(2<<30|long|'f'<<8|1), uintptr(1<<30|long|'f'<<8|2)
	switch runtime.GOARCH {
	case "mips", "mipsle", "mips64", "mips64le", "ppc64", "ppc64le":
		get, set = 2<<29|long|'f'<<8|1, 4<<29|long|'f'<<8|2
	}
	var flags int32
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, get, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return errno
	}
	flags |= noCopyOnWrite
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, set, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return errno
	}
	return nil
}
