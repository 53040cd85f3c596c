//go:build unix || windows

package vectored

import "syscall"

// socket returns the kind of a socket of the type.
func socket(typ int) kind {
	k := kind{usual: true}
	if typ != syscall.SOCK_STREAM {
		k.boundary = Message
		k.empty = typ == syscall.SOCK_DGRAM || typ == syscall.SOCK_RAW
	}
	return k
}
