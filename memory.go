package bytering

import (
	"fmt"
	"os"
	"runtime"

	"github.com/bytering/bytering/internal/memory"
)

// Errors of the options that map memory. They are wrapped: test with
// [errors.Is]. What a system lacks altogether is an [errors.ErrUnsupported].
var (
	// ErrNoMemory is for memory that the system does not give.
	ErrNoMemory = memory.ErrNoMemory
	// ErrInvalidMemory is for options that contradict each other.
	ErrInvalidMemory = memory.ErrInvalid
	// ErrLock is for memory that the system does not lock.
	ErrLock = memory.ErrLock
	// ErrFile is for a file that cannot hold a ring.
	ErrFile = memory.ErrFile
)

// Mirror maps the memory twice in a row, so that nothing wraps: empty and
// filled space are always one slice, and [Consumer.Peek] never copies. It
// rounds the capacity up to a multiple of the page size, 4 KiB on most
// machines and more on some. Only Linux has it.
func Mirror() Option { return func(c *config) { c.memory.Mirror = true } }

// Mapped takes the memory from the system instead of Go's heap, without rounding
// the capacity. What the system does not give is then an [ErrNoMemory] also
// where the heap could not grow, which ends a Go program.
func Mapped() Option { return func(c *config) { c.memory.Map = true } }

// HugePages asks for huge pages, which save work at every touch of a large
// ring. It rounds the capacity up to a multiple of 2 MiB. That the system gives
// none is not an error: [Producer.HugePages] says what was had.
func HugePages() Option { return func(c *config) { c.memory.HugePages = true } }

// Lock keeps the memory from being swapped out, until it is unmapped. An error
// that wraps [ErrLock] tells how much the system lets the process lock,
// RLIMIT_MEMLOCK.
func Lock() Option { return func(c *config) { c.memory.Lock = true } }

// Prefault has the system provide all of the memory now, so that no page fault
// slows the first round down. It can't be combined with [File].
func Prefault() Option { return func(c *config) { c.memory.Prefault = true } }

// File has the ring lie in f, for one that is larger than memory: the system
// writes out what it has no room for. f must be a regular file, opened for
// reading and writing, and empty. It grows to the capacity at once, with all
// its blocks, so that a full disk is an error now and not a fault later: a fault
// ends the process. File systems that write to a new place each time, such as
// ZFS and bcachefs, can't promise that, and btrfs not under snapshots: take
// another.
//
// f may be closed when the ring is made, but nobody, in this process or another,
// may shorten it or touch its contents while the ring lives: [os.Create] of the
// same name, for the next ring, shortens it. Its size and contents stay after
// that, and mean nothing: remove it, also right after the ring is made where
// the system lets you. It is empty again if the ring could not be made. Errors
// wrap [ErrFile].
func File(f *os.File) Option {
	return func(c *config) { c.memory.File, c.inFile = f, true }
}

// check refuses options that memory.New does not know, or knows otherwise.
func (c *config) check() error {
	switch n := c.memory.Align; {
	case n < 1 || n&(n-1) != 0:
		return fmt.Errorf("%w: %d is no power of two", ErrInvalidAlignment, n)
	case c.inFile && c.memory.File == nil:
		return fmt.Errorf("bytering: %w: there is none", ErrFile)
	}
	return nil
}

// A mapping is memory that somebody has to unmap.
type mapping interface {
	Free() error
	Huge() (bytes int, ok bool)
}

// own makes the ring unmap m when all halves are released.
func (r *ring) own(m mapping) {
	r.memory, r.mapped, r.guarded = m, true, true
	r.users.Store(int32(1 + len(r.readers)))
}

// ownUntilAbandoned is own that also unmaps m if nobody can reach the ring any
// more, unless something of it was handed out: of that nobody knows where it
// is. No call is running then: each ends with a use of its half, by leave, and
// from a half the ring is reached.
func (r *ring) ownUntilAbandoned(m *memory.Memory) {
	r.own(m)
	r.cleanup = runtime.AddCleanup(r, func(m *memory.Memory) { m.Free() }, m)
}

// release counts off a half that was released. The last one unmaps. What the
// system fails to unmap stays, and is nobody's.
func (r *ring) release() {
	if r.mapped && r.users.Add(-1) == 0 {
		r.mem, r.reach = nil, nil
		r.memory.Free()
	}
}

// handOut is called before a half's owner gets slices of a mapped ring. The
// half is used after that, so that the ring can be reached meanwhile.
func (r *ring) handOut(before *bool) {
	if !*before {
		*before = true
		r.cleanup.Stop()
	}
}

// HugePages returns how many bytes of the ring's memory lie in huge pages now.
// Memory that was never touched lies in no pages at all, so ask after
// [Prefault] or when the ring was used. False means that it is not known:
// without an option that maps the memory, after it was unmapped, or on this
// system. Any goroutine may call it. It reads what the system tells of the
// process, which takes a while, for which a Close that unmaps waits.
func (p *Producer) HugePages() (bytes int, ok bool) {
	if !p.ring.mapped {
		return 0, false
	}
	return p.ring.memory.Huge()
}
