//go:build linux

// This file is unsafe because mremap, which package syscall does not have,
// takes addresses as numbers. What keeps it safe: both are addresses of mappings
// that this package has not handed out yet, the new one lies inside its
// reservation, and nothing that Go allocated is ever replaced.

package memory

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

const (
	mremapMayMove = 1
	mremapFixed   = 2
)

// duplicate and protect are replaced by tests.
var (
	duplicate = mremap
	protect   = syscall.Mprotect
)

// mremap maps the pages of from, a shared mapping, a second time over to: that is
// what an old size of 0 means. Unlike a memfd this takes no descriptor, works
// before Linux 3.17 and under limits on files and on memfds, and the system
// refuses a size that it could never give.
func mremap(from, to []byte) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_MREMAP,
		uintptr(unsafe.Pointer(unsafe.SliceData(from))), 0, uintptr(len(to)), mremapMayMove|mremapFixed,
		uintptr(unsafe.Pointer(unsafe.SliceData(to))), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// place reserves address space and puts the memory in the middle of it. The rest
// on either side, at least a page, stays inaccessible. It faults on an access
// beyond the memory, and keeps the system from merging the mapping with a
// neighbour, so that what smaps lists is this mapping alone.
func place(p plan, o Options) (whole, area []byte, err error) {
	whole, err = system.mmap(-1, 0, p.room, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, noMemory(p.size, o.Align, err)
	}
	at := os.Getpagesize()
	at += -Misalignment(whole[at:], p.align) & (p.align - 1)
	area = whole[at : at+p.total : at+p.total]
	if o.Mirror || o.File != nil {
		err = share(area, p, o)
	} else if err = protect(area, readWrite); err != nil {
		err = noMemory(p.size, o.Align, err)
	}
	if err != nil {
		unmap(whole)
		return nil, nil, err
	}
	return whole, area, nil
}

// share fills area with mappings of o's file, or of the same anonymous memory,
// one after the other.
func share(area []byte, p plan, o Options) error {
	var b []byte
	var err error
	if o.File != nil {
		b, err = mapFile(o.File, p.span)
	} else if b, err = system.mmap(-1, 0, p.span, readWrite, syscall.MAP_ANON|syscall.MAP_SHARED); err != nil {
		err = noMemory(p.size, o.Align, err)
	}
	if err != nil {
		return err
	}
	defer unmap(b)
	for at := 0; at < len(area); at += p.span {
		if err := duplicate(b, area[at:at+p.span]); err != nil {
			return fmt.Errorf("%w, mapping %d of them again", noMemory(p.size, o.Align, err), p.span)
		}
	}
	return nil
}
