package main

import (
	"errors"
	"os"
	"syscall"
)

// statusRequests returns that there is no signal for that.
func statusRequests() <-chan os.Signal { return nil }

// surviveSignals has nothing to do where no signal comes of a broken pipe.
func surviveSignals() {}

// stopInBackground has nothing to do where there is no background.
func stopInBackground() {}

// raise returns: no signal ends a process here.
func raise(syscall.Signal) {}

// What Windows says of a pipe whose reader has ended or is ending.
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

// untilReady fails: no call asks for it here.
func untilReady(*os.File, bool) error { return errors.ErrUnsupported }

// mayDraw reports that the terminal is this process's to draw on.
func mayDraw(*os.File) bool { return true }
