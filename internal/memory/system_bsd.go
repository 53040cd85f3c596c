//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package memory

import (
	"fmt"
	"os"
	"syscall"
)

// place maps what package syscall can map. It asks for more than it needs to find
// an aligned address in it; the rest is never touched, so it costs addresses only.
func place(p plan, o Options) (whole, area []byte, err error) {
	switch {
	case o.Mirror:
		return nil, nil, unsupported("mirrored memory")
	case o.File != nil && p.align > os.Getpagesize():
		return nil, nil, unsupported(fmt.Sprintf("a file aligned to %d", p.align))
	case o.File != nil:
		whole, err = mapFile(o.File, p.span)
		return whole, whole, err
	}
	whole, err = system.mmap(-1, 0, p.room, readWrite, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, noMemory(p.size, o.Align, err)
	}
	at := -Misalignment(whole, p.align) & (p.align - 1)
	return whole, whole[at : at+p.total : at+p.total], nil
}

// inPlace does nothing: these systems have no such request.
func inPlace(uintptr) error { return nil }

func allocate(fd int, at, n int64) error { return syscall.EOPNOTSUPP }

// wantHuge does nothing: these systems have no such request. FreeBSD joins pages
// by itself if memory is aligned for it.
func wantHuge(b []byte) {}

func huge(b []byte) (int, bool) { return 0, false }

// rlimitMemlock returns a number that package syscall does not have.
func rlimitMemlock() int { return 6 }

func populate(b []byte) error {
	touch(b)
	return nil
}
