package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// The exit codes, on which scripts rely. 2 is none of them: with it Go's runtime
// ends a process in which something is fatally wrong.
const (
	exitDone    = 0
	exitRefused = 1   // wrong usage, or it could not begin: nothing was moved
	exitSink    = 3   // the sink failed
	exitReader  = 4   // the reader of standard output is gone
	exitSource  = 5   // the source failed
	exitSignal  = 128 // plus the number of the signal, which it then raises
)

// A failure is an error with the exit code that it makes.
type failure struct {
	code int
	error
}

func (f *failure) Unwrap() error { return f.error }

func fail(code int, format string, args ...any) error {
	return &failure{code, fmt.Errorf(format, args...)}
}

// exitCode returns the code for what ended the run.
func exitCode(err error) int {
	var f *failure
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &f):
		return f.code
	}
	return exitRefused
}

// A signalled is a signal as the cause of an end.
type signalled struct{ os.Signal }

func (s signalled) Error() string { return "stopped by signal: " + s.String() }

// stopped returns the failure for a context that has ended because of why.
func stopped(why error, what string) error {
	code := exitSignal
	var sig signalled
	if errors.As(why, &sig) {
		if n, ok := sig.Signal.(syscall.Signal); ok {
			code += int(n)
		}
	}
	return fail(code, "%w; %s", why, what)
}

// sinkFailed returns the failure for err, with what is safe if that is said.
func sinkFailed(sink *end, err error, safe string) error {
	if safe != "" {
		safe = "; " + safe
	}
	if sink.std != nil && readerGone(err) {
		return fail(exitReader, "write %s: its reader went away%s", sink.name, safe)
	}
	op := "write"
	var pe *fs.PathError
	if errors.As(err, &pe) {
		op = pe.Op
	}
	return fail(exitSink, "%s %s: %w%s", op, sink.name, cause(err), safe)
}

// cause is what is left of an error without what it says of a file and a call
// that are named anyway.
func cause(err error) error {
	var pe *fs.PathError
	var se *os.SyscallError
	switch {
	case errors.As(err, &pe):
		return pe.Err
	case errors.As(err, &se):
		return se.Err
	}
	return err
}
