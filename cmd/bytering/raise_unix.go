//go:build unix && !linux

package main

import (
	"os/signal"
	"syscall"
)

// raise ends the process with the signal, so that its parent sees that. It
// returns if Go's runtime handles the signal itself.
func raise(sig syscall.Signal) {
	if sig == syscall.SIGQUIT {
		return
	}
	signal.Reset(sig)
	syscall.Kill(syscall.Getpid(), sig)
	select {}
}

// echoes returns true: whether the terminal shows what is typed is not checked
// here.
func echoes(int) bool { return true }
