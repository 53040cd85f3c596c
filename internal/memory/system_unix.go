//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package memory

import "syscall"

// wantHuge has nothing to ask: FreeBSD joins pages by itself where memory is
// aligned for it.
func wantHuge(b []byte) {}

func populate(b []byte) error {
	touch(b)
	return nil
}

func allocate(fd int, at, n int64) error { return syscall.EOPNOTSUPP }

// rlimitMemlock is the number that package syscall does not have.
func rlimitMemlock() int { return 6 }
