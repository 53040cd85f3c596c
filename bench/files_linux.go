package main

import "syscall"

// allowFiles lets the process have n descriptors, or as many as the system allows,
// and returns how many.
func allowFiles(n int) int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return n // if it is too low, a connection fails
	}
	want := syscall.Rlimit{Cur: max(l.Cur, uint64(n)), Max: max(l.Max, uint64(n))}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want); err == nil {
		return n
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return n
	}
	return int(min(l.Max, uint64(n)))
}
