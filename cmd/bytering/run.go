package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"
)

// version is the release that this is.
const version = "0.1.0-dev"

// The exit codes, on which scripts rely.
const (
	exitDone   = 0
	exitUsage  = 1
	exitSource = 2
	exitSink   = 3
	exitReader = 4   // the reader of standard output went away
	exitSignal = 128 // and the number of the signal
)

// endings are the signals that end a transfer, which then says how far it came.
var endings = []os.Signal{syscall.SIGHUP, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM}

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
	return exitUsage
}

// run is the command: it says what went wrong on stderr, in one line, and
// returns the exit code. Reads and writes that are blocked when a signal comes
// may be left behind, so the process has to end after it.
func run(args []string, stdin, stdout, stderr *os.File) int {
	cfg, err := parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return say(stdout, stderr, usage)
	case err != nil:
		fmt.Fprintf(stderr, "bytering: %v\nTry 'bytering --help'.\n", err)
		return exitUsage
	case cfg.version:
		return say(stdout, stderr, "bytering "+version+"\n")
	}

	signals := make(chan os.Signal, 1)
	for _, s := range endings {
		// What nohup or a shell's & has set to be ignored stays so.
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)

	ctx, stop := stopOn(signals)
	defer stop()

	report, err := transfer(ctx, cfg, stdin, stdout, stderr)
	if err != nil {
		report = err.Error()
	}
	if err != nil || !cfg.quiet {
		promptly(ctx, func() { fmt.Fprintf(stderr, "bytering: %s\n", report) })
	}
	return exitCode(err)
}

// say prints what was asked for.
func say(stdout, stderr *os.File, text string) int {
	if _, err := io.WriteString(stdout, text); err != nil {
		err = sinkFailed(&end{file: stdout, name: stdoutName, std: true}, err, "")
		fmt.Fprintf(stderr, "bytering: %v\n", err)
		return exitCode(err)
	}
	return exitDone
}
