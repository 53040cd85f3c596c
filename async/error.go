package async

import (
	"errors"
	"fmt"
)

// Errors of this package. They are wrapped: test with [errors.Is].
var (
	// ErrInvalidOption is for an option that is out of range, and for parts that the
	// ring cannot hold.
	ErrInvalidOption = errors.New("async: invalid option")
	// ErrStalled is for an operation that moved nothing for the time of [Stall].
	ErrStalled = errors.New("async: operation stalled")
	// ErrReleased is for a call of a [PartReader] that is closed.
	ErrReleased = errors.New("async: the part's memory has been given back")
)

// An Error is the failure of an operation.
type Error struct {
	// Op is "read", "write" or "part".
	Op string
	// Offset is where it failed in the source or sink, including [Offset].
	// Everything before it is safe. The offset of a part is that of its first byte.
	Offset int64
	// Err is the error of the source or sink, or one of these: io.ErrUnexpectedEOF
	// if the stream ended before its [Length], io.ErrNoProgress, io.ErrShortWrite,
	// an error that wraps bytering.ErrInvalidCount or [ErrStalled].
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("async: %s at byte %d: %v", e.Op, e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }
