//go:build unix

package main

import (
	"errors"
	"os/signal"
	"syscall"
)

// survivePipe makes a write to a pipe that nobody reads an error. Else it
// kills the process before that can say how far it came.
func survivePipe() { signal.Ignore(syscall.SIGPIPE) }

// readerGone tells whether a write failed because nobody reads any more; of a
// socket that may have closed with something unread.
func readerGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
