package main

import (
	"errors"
	"os"
	"syscall"
)

// statusRequests returns nil: there is no signal for that.
func statusRequests() <-chan os.Signal { return nil }

// surviveSignals does nothing: here a broken pipe sends no signal.
func surviveSignals() {}

// stopInBackground does nothing: there is no background here.
func stopInBackground() {}

// raise does nothing: here no signal ends a process.
func raise(syscall.Signal) {}

// The errors of Windows for a pipe whose reader has ended or is ending.
const (
	errBrokenPipe = syscall.Errno(109)
	errNoData     = syscall.Errno(232)
)

// errRefused is for a port that nothing listens on: WSAECONNREFUSED.
const errRefused = syscall.Errno(10061)

// readerGone reports whether a write failed because the reader has gone away.
func readerGone(err error) bool {
	return errors.Is(err, errBrokenPipe) || errors.Is(err, errNoData)
}

// untilReady is never called here.
func untilReady(*os.File, bool) error { return errors.ErrUnsupported }

// mayDraw returns true: here the process may always draw on the terminal.
func mayDraw(*os.File) bool { return true }
