package main

import (
	"errors"
	"syscall"
)

// survivePipe has nothing to do where no signal comes of a broken pipe.
func survivePipe() {}

// What Windows says of a pipe whose reader has ended or is ending.
const (
	errBrokenPipe = syscall.Errno(109)
	errNoData     = syscall.Errno(232)
)

// readerGone tells whether a write failed because nobody reads any more.
func readerGone(err error) bool {
	return errors.Is(err, errBrokenPipe) || errors.Is(err, errNoData)
}
