package vectored

import (
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

// These devices of memory have bytes and no records.
const (
	memMajor  = 1
	kmsgMinor = 11 // the one among them that has records
)

// boundary is BoundaryOf for a descriptor, if the system says what that is.
func boundary(fd uintptr) (b Boundary, known bool) {
	if typ, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE); err == nil {
		return ofSocket(typ), true
	}
	var st syscall.Stat_t
	if syscall.Fstat(int(fd), &st) != nil {
		return Stream, false
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFIFO:
		return Packet, true
	case syscall.S_IFCHR:
		if memory := st.Rdev>>8 == memMajor && st.Rdev&0xff != kmsgMinor; !memory && !kernel.Terminal(fd) {
			return Record, true
		}
	case 0: // an anonymous inode
		return Record, true
	}
	return Stream, true
}
