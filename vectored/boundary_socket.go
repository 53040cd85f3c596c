//go:build unix || windows

package vectored

import "syscall"

// ofSocket is the boundary of a socket of that type.
func ofSocket(typ int) Boundary {
	if typ == syscall.SOCK_STREAM {
		return Stream
	}
	return Message
}
