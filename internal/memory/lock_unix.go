//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package memory

import (
	"fmt"
	"math"
	"syscall"
)

// lock is mlock with an error that names the limit.
func lock(b []byte) error {
	err := system.lock(b)
	if err == nil {
		return nil
	}
	var limit syscall.Rlimit
	allowed := "unknown"
	if syscall.Getrlimit(rlimitMemlock(), &limit) == nil {
		allowed = fmt.Sprint(limit.Cur)
		if uint64(limit.Cur) >= math.MaxInt64 { // the systems' infinities
			allowed = "unlimited"
		}
	}
	return fmt.Errorf("%w: %d bytes, RLIMIT_MEMLOCK is %s: %w", ErrLock, len(b), allowed, err)
}
