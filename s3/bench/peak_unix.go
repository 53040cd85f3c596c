//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns the most that was resident of a process that has ended.
// It is not less than what was resident of this process when it began that one, about 15
// MiB, because the system counts from before the exec.
func peak(s *os.ProcessState) int64 {
	n := int64(s.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return n
	}
	return n << 10
}
