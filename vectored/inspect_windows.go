package vectored

import "syscall"

// soType is SO_TYPE, which package syscall does not have here.
const soType = 0x1008

// kindOf distinguishes sockets. Other handles have no such option.
func kindOf(fd uintptr) (kind, error) {
	if typ, err := syscall.GetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, soType); err == nil {
		return socket(typ), nil
	}
	return kind{usual: true}, nil
}
