//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"os"
	"syscall"
)

// statusSignals ask how far it is: a user, and ^T on a terminal.
var statusSignals = []os.Signal{syscall.SIGUSR1, syscall.SIGINFO}
