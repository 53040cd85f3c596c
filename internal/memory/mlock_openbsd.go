package memory

import (
	"errors"
	"fmt"
)

// mlock is not available: the system accepts system calls from its C library
// only, and package syscall does not have this one. lock names the package and
// what failed.
func mlock(b []byte) error { return fmt.Errorf("%w on openbsd", errors.ErrUnsupported) }
