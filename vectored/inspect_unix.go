//go:build unix

package vectored

import "syscall"

func kindOf(fd uintptr) (kind, error) {
	if typ, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE); err == nil {
		return socket(typ), nil
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(int(fd), &st); err != nil {
		return kind{}, err
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG, syscall.S_IFBLK:
		return kind{boundary: ofFile(fd), usual: true}, nil
	case syscall.S_IFIFO:
		return kind{boundary: ofPipes, usual: true}, nil
	case syscall.S_IFCHR:
		return kind{boundary: ofDevice(fd, &st)}, nil
	case syscall.S_IFDIR:
		return kind{}, nil
	}
	return kind{boundary: Record}, nil // an anonymous inode
}
