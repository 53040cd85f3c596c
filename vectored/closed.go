package vectored

import (
	"os"
	"syscall"
)

// isClosed reports whether a descriptor was closed: then it refuses everything.
// What it says is not os.ErrClosed, and for a file not even an exported error.
// Where there is no way to ask it, raw is nil.
func isClosed(raw syscall.RawConn) bool {
	return raw != nil && raw.Control(func(uintptr) {}) != nil
}

// A closedError is os.ErrClosed with the text of the error that the closed value
// returned.
type closedError struct{ error }

func (e *closedError) Is(target error) bool { return target == os.ErrClosed }
func (e *closedError) Unwrap() error        { return e.error }
