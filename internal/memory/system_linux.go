package memory

import (
	"runtime"
	"strings"
	"syscall"
)

// madvPopulateWrite is MADV_POPULATE_WRITE, which Linux has since 5.14.
const madvPopulateWrite = 23

// madvise and allocate are replaced by tests.
var (
	madvise  = syscall.Madvise
	allocate = func(fd int, at, n int64) error { return syscall.Fallocate(fd, 0, at, n) }
)

// wantHuge ignores the refusal of a system without huge pages.
func wantHuge(b []byte) { _ = madvise(b, syscall.MADV_HUGEPAGE) }

func populate(b []byte) error {
	for {
		switch err := madvise(b, madvPopulateWrite); err {
		case nil:
			return nil
		case syscall.EINTR, syscall.EAGAIN:
		case syscall.EINVAL, syscall.ENOSYS:
			touch(b)
			return nil
		default:
			return err
		}
	}
}

func mlock(b []byte) error { return syscall.Mlock(b) }

// rlimitMemlock returns a number that package syscall does not have.
func rlimitMemlock() int {
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		return 9
	}
	return 8
}
