//go:build unix && !(darwin || dragonfly || freebsd || netbsd || openbsd)

package main

import (
	"os"
	"syscall"
)

// statusSignals ask how far it is. There is no SIGINFO here.
var statusSignals = []os.Signal{syscall.SIGUSR1}
