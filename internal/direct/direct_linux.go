package direct

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

// Supported returns nil, or why no file can be direct on this system.
func Supported() error { return nil }

// look reads the size of the block and the flags.
func (d *File) look() (appends bool, err error) {
	err = kernel.Control(d.file, func(fd uintptr) error {
		flags, errno := kernel.Fcntl(fd, syscall.F_GETFL, 0)
		if errno != 0 {
			return os.NewSyscallError("fcntl", errno)
		}
		appends = flags&syscall.O_APPEND != 0
		d.found = flags&syscall.O_DIRECT != 0
		d.on = d.found
		d.block = usualBlock
		if memory, offset, known := kernel.DirectAlign(fd); known {
			d.block = int(min(max(memory, offset), 1<<30)) // which fits in an int on every machine
		}
		return nil
	})
	return appends, err
}

// set changes only that flag. The others may have changed since look, because
// every process that shares the file can change them.
func (d *File) set(on bool) error {
	return kernel.Control(d.file, func(fd uintptr) error {
		flags, errno := kernel.Fcntl(fd, syscall.F_GETFL, 0)
		if errno == 0 {
			flags &^= syscall.O_DIRECT
			if on {
				flags |= syscall.O_DIRECT
			}
			_, errno = kernel.Fcntl(fd, syscall.F_SETFL, flags)
		}
		if errno != 0 {
			return os.NewSyscallError("fcntl", errno)
		}
		d.on = on
		return nil
	})
}

func isRefusal(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EOPNOTSUPP)
}

// again opens a file once more, with the flag.
func again(f *os.File, mode int) (past *os.File, err error) {
	err = kernel.Control(f, func(fd uintptr) error {
		for {
			own, err := syscall.Open(fmt.Sprintf("/proc/self/fd/%d", fd), mode|syscall.O_DIRECT|syscall.O_CLOEXEC, 0)
			if err == syscall.EINTR {
				continue
			}
			if err == nil {
				past = os.NewFile(uintptr(own), f.Name())
			}
			return os.NewSyscallError("open", err)
		}
	})
	return past, err
}
