package memory

import (
	"fmt"
	"math"
)

// probeFrom is the size from which the system is asked whether it would give
// the memory at all, because for the runtime of Go a refusal is fatal. Asking
// costs two system calls, and below this size a process that is refused is
// about to die of something else.
const probeFrom = 1 << 20

// Alloc returns n zeroed bytes whose address is a multiple of align, a power
// of two. The garbage collector frees them.
//
// Memory that cannot be had is an error where that can be known beforehand.
// It cannot where the system promises memory that it does not have, or where
// somebody else takes it between the question and the allocation.
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
		// A length beyond the address space is a panic of make.
		if v := recover(); v != nil {
			cause, _ := v.(error)
			b, err = nil, noMemory(n, align, cause)
		}
	}()
	b = make([]byte, size)
	skip := Misalignment(b, align)
	if skip != 0 {
		skip = align - skip
	}
	return b[skip : skip+n : skip+n], nil
}

// noMemory names align where somebody asked for it, which nobody does for 1.
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
