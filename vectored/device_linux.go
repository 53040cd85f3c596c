package vectored

import (
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

const ofPipes = Packet

// The memory devices, such as /dev/zero, have no records, except for /dev/kmsg.
const (
	memMajor  = 1
	kmsgMinor = 11
)

func ofDevice(fd uintptr, st *syscall.Stat_t) Boundary {
	memory := st.Rdev>>8 == memMajor && st.Rdev&0xff != kmsgMinor
	if memory || kernel.Terminal(fd) {
		return Stream
	}
	return Record
}

// ofFile returns what a regular file or a block device is.
func ofFile(fd uintptr) Boundary {
	if flags, err := kernel.Fcntl(fd, syscall.F_GETFL, 0); err == 0 && flags&syscall.O_DIRECT != 0 {
		return Block
	}
	return Stream
}
