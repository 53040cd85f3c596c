// Package memory makes the memory that a ring lies in: on Go's heap or, if more
// than an alignment is asked for, in a mapping of its own.
package memory

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// The part that all systems share is in this file and heap.go. The suffix of any
// other file names the systems that it is for:
//
//	_unix   those that map memory: Linux, Darwin, FreeBSD, NetBSD, OpenBSD and
//	        DragonFly
//	_linux  Linux
//	_bsd    those of _unix except Linux
//	_other  all others
//
// Each system must define the following functions:
//
// func newMapping(n int, o Options) (*Memory, error)
//     Map at least n bytes of zeroed memory as o says, or return an error that
//     wraps errors.ErrUnsupported.
//
// func unmap(whole []byte) error
//     Unmap what newMapping has put in Memory.whole.
//
// func huge(b []byte) (bytes int, ok bool)
//     Report how many bytes of the mapping b lie in huge pages. ok is false if
//     the system does not say.
//
// func probe(size int) error
//     Return an error if the system would now refuse size bytes of heap.
//
// Those of _unix share newMapping, unmap and probe, in map_unix.go. For these,
// each must define:
//
// func place(p plan, o Options) (whole, area []byte, err error)
//     Map p.total bytes, aligned to p.align. area is these bytes, and whole is
//     what to unmap.
//
// func inPlace(fd uintptr) error
//     Make the file system write the empty file to the blocks it has been given.
//
// func allocate(fd int, at, n int64) error
//     Give the file n bytes of disk space at offset at, or return an error that
//     is errors.ErrUnsupported.
//
// func wantHuge(b []byte)
//     Ask for huge pages.
//
// func mlock(b []byte) error
//     Lock b in memory.
//
// func rlimitMemlock() int
//     Return the number of RLIMIT_MEMLOCK.
//
// func populate(b []byte) error
//     Make the system provide all pages of b.

// Errors of [New], which wraps them. What a system lacks altogether is an
// [errors.ErrUnsupported].
var (
	// ErrNoMemory is for memory that the system does not give.
	ErrNoMemory = errors.New("bytering: not enough memory")
	// ErrInvalid is for a size or options that no system could follow.
	ErrInvalid = errors.New("bytering: invalid memory")
	// ErrLock is for memory that the system does not lock.
	ErrLock = errors.New("bytering: memory cannot be locked")
	// ErrFile is for a file that cannot be mapped or made large enough.
	ErrFile = errors.New("bytering: file cannot hold a ring")
)

// HugePage is the unit of the option HugePages: the size of a huge page on most
// machines, and a multiple of every page.
const HugePage = 2 << 20

// Options says what [New] makes. Without any option, and with Align alone, the
// memory lies on the heap. Any other option makes it a mapping.
type Options struct {
	// Align is a power of two that the address is a multiple of. 0 means 1.
	Align int

	// Map makes the memory a mapping and asks for nothing else.
	Map bool

	// Mirror maps the memory a second time right behind itself, so that any run
	// of up to its size is one slice. It rounds the size up to a multiple of the
	// page size, or on some machines of several pages, and aligns the address to
	// the same.
	Mirror bool

	// HugePages asks for huge pages. It rounds the size up to a multiple of
	// [HugePage] and aligns the address to it. It is not an error if the system
	// gives none: see [Memory.Huge].
	HugePages bool

	// Lock keeps the memory from being swapped out. Mirrored memory counts once
	// against the limit.
	Lock bool

	// Prefault makes the system provide every page now, so that no page fault
	// comes later. It cannot be combined with File, because the system may write
	// the pages of a file out at any time and then faults on the next write.
	Prefault bool

	// File makes the memory a shared mapping of File, from offset 0 on. File must
	// be a regular file, opened for reading and writing, and empty: its contents
	// would be overwritten, and a second ring in it would share the bytes of the
	// first. It grows to the size of the memory with all its blocks, so that a
	// full disk is an error now and not a fault later. It may be closed after New
	// has returned, but must not be shortened while it is mapped. After Free it
	// keeps its size and contents. If New fails it is empty again.
	File *os.File
}

func (o Options) mapped() bool {
	return o.Map || o.Mirror || o.HugePages || o.Lock || o.Prefault || o.File != nil
}

func (o Options) check(n int) error {
	switch {
	case n < 1:
		return fmt.Errorf("%w: %d bytes", ErrInvalid, n)
	case o.Align < 0 || o.Align&(o.Align-1) != 0:
		return fmt.Errorf("%w: alignment %d is not a power of two", ErrInvalid, o.Align)
	case o.Prefault && o.File != nil:
		return fmt.Errorf("%w: prefault of the file %s, whose pages are written out at any time", ErrInvalid, o.File.Name())
	}
	return nil
}

// A Memory is what a ring lies in. Its methods may be called by any goroutine.
type Memory struct {
	mapped bool

	// The slices are nil once the memory is unmapped, because the garbage
	// collector ends a process in which it finds a pointer into address space
	// that it could use for the heap but does not.
	mu    sync.Mutex
	bytes []byte
	twice []byte // if mirrored
	whole []byte // if mapped: what to unmap
	err   error  // of unmapping
}

// New makes at least n bytes of zeroed memory: exactly n unless an option rounds
// the size up.
//
// Its errors wrap one of this package's or [errors.ErrUnsupported]. After an
// error nothing of the attempt remains.
func New(n int, o Options) (*Memory, error) {
	if err := o.check(n); err != nil {
		return nil, err
	}
	o.Align = max(1, o.Align)
	if o.mapped() {
		return newMapping(n, o)
	}
	b, err := Alloc(n, o.Align)
	if err != nil {
		return nil, err
	}
	return &Memory{bytes: b}, nil
}

// Bytes returns the memory, clipped to its length, or nil after Free.
func (m *Memory) Bytes() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// Twice returns mirrored memory and its second mapping as one slice of twice the
// size. It returns nil for other memory and after Free.
func (m *Memory) Twice() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.twice
}

// Mapped reports whether the memory is a mapping, which only [Memory.Free] ends.
// Other memory is the garbage collector's.
func (m *Memory) Mapped() bool { return m.mapped }

// Huge returns how many bytes lie in huge pages now. Memory that was never
// touched has no pages yet, so the result is meaningful only after Prefault or
// use. ok is false if the number is not known: on the heap, after Free, or on this
// system.
func (m *Memory) Huge() (bytes int, ok bool) {
	m.mu.Lock() // keeps Free from unmapping it meanwhile
	defer m.mu.Unlock()
	if m.whole == nil {
		return 0, false
	}
	return huge(m.bytes)
}

// Free unmaps the memory, which also unlocks it. Further calls wait for the
// first, do nothing and return the same error. For memory on the heap Free does
// nothing.
//
// Precondition: nothing uses the memory or points into it, the kernel included. A
// later access is a fault that ends the process, or reaches what has been mapped
// there since.
func (m *Memory) Free() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.whole != nil {
		m.err = unmap(m.whole)
		m.bytes, m.twice, m.whole = nil, nil, nil
	}
	return m.err
}
