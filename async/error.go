package async

import (
	"errors"
	"fmt"
)

var (
	// ErrInvalidOption is for an option that can't be, and for parts that the
	// ring can't hold. It is wrapped: test with [errors.Is].
	ErrInvalidOption = errors.New("async: invalid option")
	// ErrStalled is for an operation that moved nothing for the time of [Stall].
	// It is wrapped.
	ErrStalled = errors.New("async: operation stalled")
	// ErrReleased is for a [PartReader] that is closed, or that was opened when
	// the part was over.
	ErrReleased = errors.New("async: the part's memory is given back")
)

// An Error says which operation failed, and where.
type Error struct {
	// Op is "read", "write" or "part".
	Op string
	// Offset is where in the source or sink it failed, [Offset] included:
	// everything before it is safe. For a part it is where that begins.
	Offset int64
	// Err is what the source or sink returned; io.ErrUnexpectedEOF if the stream
	// ended before its [Length], io.ErrNoProgress, io.ErrShortWrite, or an error
	// that wraps bytering.ErrInvalidCount or [ErrStalled].
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("async: %s at byte %d: %v", e.Op, e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }
