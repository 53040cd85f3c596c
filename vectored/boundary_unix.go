//go:build unix && !linux

package vectored

import "syscall"

// boundary is BoundaryOf for a descriptor, if the system says what that is.
// Which of the devices have records is not known, and reading a stream as records
// does no harm.
func boundary(fd uintptr) (b Boundary, known bool) {
	if typ, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE); err == nil {
		return ofSocket(typ), true
	}
	var st syscall.Stat_t
	if syscall.Fstat(int(fd), &st) != nil {
		return Stream, false
	}
	if st.Mode&syscall.S_IFMT == syscall.S_IFCHR {
		return Record, true
	}
	return Stream, true
}
