package vectored

import (
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

const ofPipes = Packet

// The devices of memory have bytes and no records, except for one.
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
