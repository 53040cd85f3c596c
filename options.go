package bytering

import (
	"fmt"
	"os"
	"time"

	"github.com/bytering/bytering/internal/memory"
)

// An Option changes how a ring is made. When options conflict, such as two of
// [File], or [Park] and [Spin], the last one wins.
type Option func(*config)

type config struct {
	memory memory.Options
	inFile bool
	start  uint64        // initial value of the cursors
	spin   time.Duration // how long a half spins before it parks
}

// newConfig applies opts and checks what memory.New does not check, or checks
// differently.
func newConfig(opts []Option) (*config, error) {
	c := &config{memory: memory.Options{Align: 1}}
	for _, o := range opts {
		o(c)
	}
	switch n := c.memory.Align; {
	case n < 1 || n&(n-1) != 0:
		return nil, fmt.Errorf("%w: %d is not a power of two", ErrInvalidAlignment, n)
	case c.inFile && c.memory.File == nil:
		return nil, fmt.Errorf("%w: the file is nil", ErrFile)
	}
	return c, nil
}

// Align makes the address of the ring's memory a multiple of n bytes, a power
// of two. Direct I/O needs the block size of the device, for example. Leave it
// out where any address will do: large rings start on a page anyway.
func Align(n int) Option {
	return func(c *config) { c.memory.Align = n }
}

// Mirror maps the memory twice in a row, so that nothing wraps: empty and
// filled space are always one slice, and [Consumer.Peek] never copies. It
// rounds the capacity up to a multiple of the page size, which is 4 KiB on most
// machines and more on some. Only Linux supports it.
func Mirror() Option {
	return func(c *config) { c.memory.Mirror = true }
}

// Mapped takes the memory from the system instead of Go's heap, without
// rounding the capacity. Memory that the system refuses is then an
// [ErrNoMemory], even where failing to grow the heap would end the program.
func Mapped() Option {
	return func(c *config) { c.memory.Map = true }
}

// HugePages asks for huge pages, which save work at every touch of a large
// ring. It rounds the capacity up to a multiple of 2 MiB. It is not an error if
// the system provides none: [Producer.HugePages] reports what there is.
func HugePages() Option {
	return func(c *config) { c.memory.HugePages = true }
}

// Lock keeps the memory from being swapped out until it is unmapped. An error
// that wraps [ErrLock] says how much the system lets the process lock,
// RLIMIT_MEMLOCK.
func Lock() Option {
	return func(c *config) { c.memory.Lock = true }
}

// Prefault makes the system provide all of the memory now, so that page faults
// do not slow the first round down. It cannot be combined with [File].
func Prefault() Option {
	return func(c *config) { c.memory.Prefault = true }
}

// File backs the ring with f, so that it can be larger than physical memory;
// the kernel writes back what does not fit. f must be an empty regular file,
// open for reading and writing. It grows to the capacity at once, with all its
// blocks, so that a full disk is an error now and not a fault later, which would
// end the process. File systems that write to a new place each time, such as
// ZFS and bcachefs, cannot promise that, nor can btrfs under snapshots: use
// another.
//
// f may be closed once the ring is made. No process may shorten the file or
// touch its contents while the ring lives; note that [os.Create] of the same
// name, for the next ring, shortens it. The file keeps its size and contents
// afterwards, and they mean nothing: remove it, even right after the ring is
// made where the system allows that. If the ring cannot be made, the file is
// empty again. Errors wrap [ErrFile].
func File(f *os.File) Option {
	return func(c *config) { c.memory.File, c.inFile = f, true }
}

// Park makes halves park when they have to wait. A consumer that has taken turns
// with its producer first lets other goroutines run, once; with one processor, either
// half does, unless others keep the processor busy. A consumer at the heels of a
// producer of small chunks waits up to 2.5 µs for more of them. Park is the default. For
// copies it is the fastest by far, since the data stay in one processor's cache,
// and it takes the least processor time everywhere. A round trip takes half as
// long with [Spin].
func Park() Option {
	return Spin(0)
}

// Spin makes halves that have to wait check again and again for up to budget
// before they park. It is for latency, where each half can keep a processor busy
// for that long. With GOMAXPROCS at 1 nothing spins. A budget of 0 or less is
// [Park].
func Spin(budget time.Duration) Option {
	return func(c *config) { c.spin = max(0, budget) }
}
