// Package memory makes the memory that a ring lies in: on Go's heap or, where
// more is asked for than an alignment, in a mapping of its own.
package memory

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// Errors of [New], which wraps them. What a system lacks altogether is an
// [errors.ErrUnsupported].
var (
	// ErrNoMemory is for memory that the system does not give.
	ErrNoMemory = errors.New("not enough memory")
	// ErrInvalid is for a size or options that no system could follow.
	ErrInvalid = errors.New("invalid memory")
	// ErrLock is for memory that the system does not lock.
	ErrLock = errors.New("memory cannot be locked")
	// ErrFile is for a file that cannot be mapped or made large enough.
	ErrFile = errors.New("file cannot hold a ring")
)

// HugePage is what the option HugePages goes by: the size of a huge page on
// most machines, and a multiple of every page.
const HugePage = 2 << 20

// Options says what [New] makes. Without any the memory lies on the heap, with
// Align alone too; any other makes it a mapping.
type Options struct {
	// Align is what the address is a multiple of, a power of two. 0 is 1.
	Align int

	// Map makes it a mapping and asks for nothing else.
	Map bool

	// Mirror maps the memory a second time right behind itself, so that any
	// run of up to its size has one piece. Rounds the size up to pages, on
	// some machines to several, and begins at a multiple of that.
	Mirror bool

	// HugePages asks for huge pages and begins at a multiple of [HugePage],
	// to which it rounds the size up. That the system gives none is no error:
	// see [Memory.Huge].
	HugePages bool

	// Lock keeps the memory from being swapped out. Mirrored memory counts
	// once against the limit.
	Lock bool

	// Prefault has the system provide every page now, so that no page fault
	// comes later. Not with File, whose pages the system writes out and
	// watches anew at any time.
	Prefault bool

	// File is what the memory is a shared mapping of, from offset 0 on. It
	// must be a regular file, opened for reading and writing, and empty: what
	// it held would be overwritten, and a second ring in it would share the
	// first one's bytes. It grows to the memory's size with all its blocks, so
	// that a full disk shows now, not as a fault later. It may be closed
	// afterwards, but nobody may shorten it as long as it is mapped. It keeps
	// its size and contents after that, and is empty again if New fails.
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
		return fmt.Errorf("%w: alignment %d is no power of two", ErrInvalid, o.Align)
	case o.Prefault && o.File != nil:
		return fmt.Errorf("%w: prefault of the file %s, whose pages are written out at any time", ErrInvalid, o.File.Name())
	}
	return nil
}

// A Memory is what a ring lies in. Its methods may be called by any goroutine.
type Memory struct {
	mapped bool

	// Under mu. Nil once the memory is unmapped: the collector ends a process in
	// which it finds a pointer to where it may put its own memory, and has not.
	mu    sync.Mutex
	bytes []byte
	twice []byte // if mirrored
	whole []byte // if mapped: what to unmap
	err   error  // of unmapping
}

// New makes at least n bytes of zeroed memory: n exactly unless an option
// rounds it up.
//
// Its errors wrap one of this package's or [errors.ErrUnsupported]. After an
// error nothing is left of the attempt.
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

// Bytes returns the memory, clipped to its length, and nil after Free.
func (m *Memory) Bytes() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// Twice returns mirrored memory and its second mapping in one slice of twice
// the size, and nil for other memory and after Free.
func (m *Memory) Twice() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.twice
}

// Mapped tells whether the memory is a mapping, which [Memory.Free] must end,
// and not the garbage collector's.
func (m *Memory) Mapped() bool { return m.mapped }

// Huge returns how many bytes lie in huge pages now. Untouched memory lies in
// no pages at all, so the answer means something after Prefault, or use. False
// means that it is not known: on the heap, after Free, or on this system.
func (m *Memory) Huge() (bytes int, ok bool) {
	m.mu.Lock() // so that nobody unmaps it meanwhile
	defer m.mu.Unlock()
	if m.whole == nil {
		return 0, false
	}
	return huge(m.bytes)
}

// Free unmaps the memory, and with it unlocks it. After that a touch of it is
// a fault that ends the process, or hits what was mapped there since: call it
// when nobody has any of it any more, the kernel included, nor points to it.
// Further calls wait for the first, do nothing and return the same. Memory of
// the heap is left to the garbage collector.
func (m *Memory) Free() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.whole != nil {
		m.err = unmap(m.whole)
		m.bytes, m.twice, m.whole = nil, nil, nil
	}
	return m.err
}
