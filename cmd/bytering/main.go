// Command bytering is a pipe buffer: it copies its input to its output through
// a ring in memory, so that a source and a sink that are fast and slow by turns
// don't wait for each other.
//
//	zfs send tank@now | bytering | ssh host zfs receive tank
//	bytering -i disk.img -o /mnt/disk.img
//
// Every read can be written at once: nothing waits for a full block.
//
// Exit codes: 0 done, 1 usage, 2 the source failed, 3 the sink failed, 4 the
// reader of standard output went away, 128+n signal n.
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

const (
	exitDone   = 0
	exitUsage  = 1
	exitSource = 2
	exitSink   = 3
	exitReader = 4
	exitSignal = 128 // and the number of the signal
)

// version is the release that this is.
const version = "0.1.0-dev"

func main() {
	// Without this a write to a pipe that nobody reads kills the process before
	// it can say how far it came.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(os.Args[1:], os.Stderr))
}

// run is the command: it says what went wrong on stderr, in one line, and
// returns the exit code.
func run(args []string, stderr *os.File) int {
	cfg, err := parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		io.WriteString(os.Stdout, usage())
		return exitDone
	case err != nil:
		fmt.Fprintf(stderr, "bytering: %v (see bytering --help)\n", err)
		return exitUsage
	case cfg.version:
		fmt.Println("bytering", version)
		return exitDone
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	report, err := transfer(cfg, signals, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "bytering: %v\n", err)
		var f *failure
		if errors.As(err, &f) {
			return f.code
		}
		return exitUsage
	}
	if !cfg.quiet {
		fmt.Fprintf(stderr, "bytering: %s\n", report)
	}
	return exitDone
}
