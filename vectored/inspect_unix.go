//go:build unix

package vectored

import "syscall"

// kind tells whether a descriptor is of the usual kind, or why it can't be used.
func kind(fd uintptr) (usual bool, err error) {
	socket, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE)
	if err == nil {
		if socket != syscall.SOCK_STREAM {
			return false, errNoStream
		}
		return true, nil
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(int(fd), &st); err != nil {
		return false, err
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG, syscall.S_IFIFO, syscall.S_IFBLK:
		return true, nil
	}
	return false, nil
}
