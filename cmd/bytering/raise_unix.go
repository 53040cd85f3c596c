//go:build unix && !linux

package main

import (
	"os/signal"
	"syscall"
)

// raise ends the process by the signal, so that its parent sees that.
// It returns where Go's runtime has a default of its own for it.
func raise(sig syscall.Signal) {
	if sig == syscall.SIGQUIT {
		return
	}
	signal.Reset(sig)
	syscall.Kill(syscall.Getpid(), sig)
	select {}
}

// echoes does not look whether the terminal shows what is typed.
func echoes(int) bool { return true }
