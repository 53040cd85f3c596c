package vectored

import (
	"os"
	"syscall"
)

// isClosed reports whether a descriptor was closed: then Control fails. Its error does
// not tell, because it is not os.ErrClosed, and for a file not even exported. If raw is
// nil, as on systems without a descriptor to ask, isClosed returns false.
func isClosed(raw syscall.RawConn) bool {
	return raw != nil && raw.Control(func(uintptr) {}) != nil
}

// A closedError is the error of a closed value. It is os.ErrClosed too.
type closedError struct{ error }

func (e *closedError) Is(target error) bool { return target == os.ErrClosed }
func (e *closedError) Unwrap() error        { return e.error }
