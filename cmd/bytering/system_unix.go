//go:build unix

package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// statusRequests returns a channel of the signals that ask for the status.
func statusRequests() <-chan os.Signal {
	asked := make(chan os.Signal, 1)
	for _, s := range statusSignals {
		if !signal.Ignored(s) {
			signal.Notify(asked, s)
		}
	}
	return asked
}

// surviveSignals makes a write to a pipe without a reader an error. By default it
// would kill the process before the process can say how many bytes are safe. It
// also lets the process write to its terminal from the background, even if tostop
// is set.
func surviveSignals() { signal.Ignore(syscall.SIGPIPE, syscall.SIGTTOU) }

// stopInBackground undoes that for SIGTTOU, for a process that writes data to
// the terminal.
func stopInBackground() { signal.Reset(syscall.SIGTTOU) }

// readerGone reports whether a write failed because its reader is gone. The
// reader of a socket may have closed it with unread bytes.
func readerGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// untilReady blocks until f may have something to read, or room to write to.
func untilReady(f *os.File, toWrite bool) error {
	return control(f, func(fd uintptr) error {
		poll := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		if toWrite {
			poll.Events = unix.POLLOUT
		}
		_, err := unix.Poll([]unix.PollFd{poll}, -1)
		if err == unix.EINTR {
			return nil // the caller tries again
		}
		return err
	})
}

// mayDraw reports whether the process may draw on the terminal: its group is in
// the foreground, and the echo is on. A program that asks for a password, or
// shows pages, turns the echo off.
func mayDraw(terminal *os.File) (may bool) {
	control(terminal, func(fd uintptr) error {
		group, err := unix.IoctlGetInt(int(fd), unix.TIOCGPGRP)
		own, _ := unix.Getpgid(0)
		may = err == nil && group == own && echoes(int(fd))
		return err
	})
	return may
}

// errRefused is for a port that nothing listens on.
const errRefused = syscall.ECONNREFUSED
