//go:build unix && !(darwin || dragonfly || freebsd || netbsd || openbsd)

package main

import (
	"os"
	"syscall"
)

// statusSignals ask for the status. There is no SIGINFO here.
var statusSignals = []os.Signal{syscall.SIGUSR1}
