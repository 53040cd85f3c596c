package bytering

import (
	"errors"
	"fmt"

	"github.com/bytering/bytering/internal/memory"
	"github.com/bytering/bytering/vectored"
)

// Errors that say what was wrong with an argument or an option. They are
// wrapped: test for them with [errors.Is]. What a system lacks altogether is an
// [errors.ErrUnsupported].
var (
	// ErrInvalidCapacity reports a capacity below 1 or above 1<<61 bytes.
	ErrInvalidCapacity = errors.New("bytering: invalid capacity")
	// ErrRange reports a number of bytes to wait for, or to look for, that is
	// negative or more than the ring can ever hold.
	ErrRange = errors.New("bytering: number of bytes out of range")
	// ErrInvalidAlignment reports an alignment that is not a power of two.
	ErrInvalidAlignment = errors.New("bytering: invalid alignment")
	// ErrInvalidConsumers reports a number of consumers below 1 or above 1<<20.
	ErrInvalidConsumers = errors.New("bytering: invalid number of consumers")
	// ErrInvalidCount reports a count returned by a callback, a reader or a
	// writer that is negative or above what it was offered.
	ErrInvalidCount = vectored.ErrInvalidCount
	// ErrInvalidReset reports a Reset of halves that are not a whole ring,
	// closed and at rest.
	ErrInvalidReset = errors.New("bytering: invalid reset")
	// ErrNoMemory reports memory that the system does not provide.
	ErrNoMemory = memory.ErrNoMemory
	// ErrInvalidMemory reports options that conflict.
	ErrInvalidMemory = memory.ErrInvalid
	// ErrLock reports memory that the system does not lock.
	ErrLock = memory.ErrLock
	// ErrFile reports a file that cannot hold a ring.
	ErrFile = memory.ErrFile
)

// checkCount checks a count from outside against what was offered (I7).
func checkCount(source string, n, offered int) error {
	if n < 0 || n > offered {
		return invalidCount(source, n, offered)
	}
	return nil
}

func invalidCount(source string, n, offered int) error {
	return fmt.Errorf("bytering: %s returned %d for %d bytes: %w", source, n, offered, ErrInvalidCount)
}

// checkRange returns an error if the ring can never hold n bytes.
func (r *ring) checkRange(n int) error {
	if n < 0 || n > r.size {
		return fmt.Errorf("%w: %d in a ring of %d", ErrRange, n, r.size)
	}
	return nil
}

// joinErrors joins first and second. If second is nil it returns first itself,
// for callers that compare it.
func joinErrors(first, second error) error {
	if second == nil {
		return first
	}
	return errors.Join(first, second)
}
