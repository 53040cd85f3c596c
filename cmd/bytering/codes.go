package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// The exit codes, on which scripts rely.
const (
	exitDone    = 0
	exitRefused = 1
	exitSink    = 3
	exitReader  = 4
	exitSource  = 5
	exitEarly   = 6
	exitDiffers = 7
	exitTimeout = 8
	exitSignal  = 128 // plus the number of the signal, which it then raises
)

// exits are the codes as --help, the man page and docs/command.md show them.
var exits = []struct {
	code  string
	means string
	more  string
}{
	{"0", "done", ""},
	{"1", "could not begin", "wrong usage, or something is missing; nothing was moved"},
	{"2", "", "never used: Go's runtime ends a process with it"},
	{"3", "sink failed", "a write, or the close of an output"},
	{"4", "reader gone", "nothing reads standard output any more, which is noticed at once, even while nothing moves; called as pv the code is 0, as pv's own"},
	{"5", "source failed", "a read; called as pv also a FILE that could not be opened"},
	{"6", "source ended early", "before the end of --count or --skip, or before the length that an HTTP server gave"},
	{"7", "bytes differ", "the input of --resume differs from what the upload has; nothing of it was overwritten"},
	{"8", "timeout", "an end moved nothing for as long as -W says"},
	{"9–12", "", "reserved"},
	{"128+n", "signal n", "the command raises the signal for itself, so that a shell's loop ends too: 129 HUP, 130 INT, 131 QUIT, 143 TERM"},
}

// A failure is an error with its exit code.
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

// A signalled is a signal that has ended the run.
type signalled struct{ os.Signal }

func (s signalled) Error() string { return "stopped by signal: " + s.String() }

// stopped returns the failure for a context that has ended because of why.
func stopped(why error, what string) error {
	code := exitSignal
	var sig signalled
	var f *failure
	if errors.As(why, &f) {
		code = f.code
	} else if errors.As(why, &sig) {
		if n, ok := sig.Signal.(syscall.Signal); ok {
			code += int(n)
		}
	}
	return fail(code, "%w; %s", why, what)
}

// sinkFailed returns the failure for err. safe says how many bytes are safe, or
// is empty.
func sinkFailed(sink *end, err error, safe string) error {
	var sig signalled
	var f *failure
	if errors.As(err, &sig) || errors.As(err, &f) {
		return stopped(err, safe) // while it was closed
	}
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

// cause returns err without the file and the call that it names, because the
// message names them anyway.
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
