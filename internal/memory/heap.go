package memory

import (
	"fmt"
	"math"
)

// probeFrom is the size from which probe is called before an allocation, because
// Go's runtime ends the process if the system refuses memory to it. The probe
// costs two system calls. If the system refuses less than this, the process is
// about to fail elsewhere.
const probeFrom = 1 << 20

// Alloc returns n zeroed bytes on the heap whose address is a multiple of align,
// a power of two.
//
// Alloc returns an error for memory that the system would refuse. It cannot know
// of memory that the system promises but does not have, or that is taken between
// the probe and the allocation.
func Alloc(n, align int) (b []byte, err error) {
	if n > math.MaxInt-(align-1) {
		return nil, noMemory(n, align, nil)
	}
	size := n + align - 1
	if size >= probeFrom {
		if err := probe(size); err != nil {
			return nil, noMemory(n, align, err)
		}
	}
	defer func() {
		// make panics if the length is beyond the address space.
		if v := recover(); v != nil {
			cause, _ := v.(error)
			b, err = nil, noMemory(n, align, cause)
		}
	}()
	b = make([]byte, size)
	skip := -Misalignment(b, align) & (align - 1)
	return b[skip : skip+n : skip+n], nil
}

// noMemory returns an ErrNoMemory. It names the alignment unless that is 1, which
// is what callers pass that want none.
func noMemory(n, align int, cause error) error {
	err := fmt.Errorf("%w for %d bytes", ErrNoMemory, n)
	if align > 1 {
		err = fmt.Errorf("%w aligned to %d", err, align)
	}
	if cause != nil {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
