package vectored

import "syscall"

// soType is SO_TYPE, which package syscall does not have here.
const soType = 0x1008

// kind refuses sockets that are no streams. What is no socket has no such
// option.
func kind(fd uintptr) (usual bool, err error) {
	socket, err := syscall.GetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, soType)
	if err == nil && socket != syscall.SOCK_STREAM {
		return false, errNoStream
	}
	return true, nil
}

// boundary is BoundaryOf for a descriptor, if that is a socket.
func boundary(fd uintptr) (b Boundary, known bool) {
	typ, err := syscall.GetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, soType)
	return ofSocket(typ), err == nil
}
