//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package memory

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

// refuse returns an ErrFile that says why f cannot hold a ring.
func refuse(f *os.File, why string, cause error) error {
	if cause == nil {
		return fmt.Errorf("%w: %s %s", ErrFile, f.Name(), why)
	}
	return fmt.Errorf("%w: %s %s: %w", ErrFile, f.Name(), why, cause)
}

// claim returns an error unless f is an empty regular file.
func claim(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return refuse(f, "cannot be looked at", err)
	case info.IsDir():
		return refuse(f, "is a directory", nil)
	case !info.Mode().IsRegular():
		return refuse(f, fmt.Sprintf("is not a regular file (%v)", info.Mode().Type()), nil)
	case info.Size() != 0:
		return refuse(f, fmt.Sprintf("is not empty, but has %d bytes", info.Size()), nil)
	}
	return nil
}

func mapFile(f *os.File, length int) (b []byte, err error) {
	err = kernel.Control(f, func(fd uintptr) (err error) {
		b, err = system.mmap(int(fd), 0, length, readWrite, syscall.MAP_SHARED)
		return err
	})
	switch {
	case err == syscall.EACCES:
		return nil, refuse(f, "is not open for both reading and writing", err)
	case err == syscall.ENOMEM:
		return nil, noMemory(length, 1, err)
	case err != nil:
		return nil, refuse(f, "cannot be mapped", err)
	}
	return b, nil
}

// grow gives f, which is empty, size bytes with disk space for each. It checks the
// limit on the size of files first, because the system enforces that with a signal
// that ends the process.
func grow(f *os.File, size int) error {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit) == nil && uint64(size) > uint64(limit.Cur) {
		return refuse(f, fmt.Sprintf("cannot have %d bytes, RLIMIT_FSIZE is %d", size, limit.Cur), syscall.EFBIG)
	}
	err := kernel.Control(f, func(fd uintptr) error {
		err := inSteps(int(fd), int64(size), 64<<20, allocate)
		if errors.Is(err, errors.ErrUnsupported) {
			zeros := make([]byte, min(size, 1<<20))
			return inSteps(int(fd), int64(size), int64(len(zeros)), func(fd int, at, n int64) error {
				return writeAll(fd, at, zeros[:n])
			})
		}
		return err
	})
	if err != nil {
		return refuse(f, fmt.Sprintf("cannot have %d bytes", size), err)
	}
	return nil
}

// inSteps calls do for size bytes in steps, so that a signal undoes one step at
// most.
func inSteps(fd int, size, step int64, do func(fd int, at, n int64) error) error {
	for at := int64(0); at < size; {
		n := min(step, size-at)
		switch err := do(fd, at, n); err {
		case nil:
			at += n
		case syscall.EINTR:
		default:
			return err
		}
	}
	return nil
}

// writeAll writes b at offset at, which is the end of the file: so it also works
// if that was opened for appending.
func writeAll(fd int, at int64, b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Pwrite(fd, b, at)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return io.ErrShortWrite
		}
		at, b = at+int64(n), b[n:]
	}
	return nil
}
