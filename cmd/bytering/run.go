package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// version returns the version of the module that the command was built from, as
// the go command knows it: that of a release, or one that names the commit.
// Without either it is "(devel)".
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// endings are the signals that end a transfer, which then says how far it came.
var endings = []os.Signal{syscall.SIGHUP, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM}

// run is the command: it says what went wrong on stderr, in one line, and
// returns the exit code. Reads and writes that are blocked when a signal comes
// may be left behind, so the process has to end after it.
func run(as program, args []string, stdin, stdout, stderr *os.File) int {
	// First, since all that follows takes threads and memory.
	if err := enough(); err != nil {
		tell(stderr, err.Error())
		return exitCode(err)
	}
	cfg, err := parse(as, args)
	switch {
	case err != nil:
		tell(stderr, err.Error()+"\nTry 'bytering --help'.")
		return exitRefused
	case cfg.help:
		return show(stdout, stderr, help(as))
	case cfg.version:
		return show(stdout, stderr, "bytering "+version()+"\n")
	}

	signals := make(chan os.Signal, 1)
	for _, s := range endings {
		// What nohup or a shell's & has set to be ignored stays so.
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	ctx, stop := stopOn(signals)
	defer stop()
	report, hide, err := transfer(ctx, cfg, stdin, stdout, stderr)
	if err != nil {
		report = err.Error()
	}
	promptly(ctx, func() {
		hide()
		if err != nil || !cfg.show.quiet {
			tell(stderr, report)
		}
	})
	return exitCode(err)
}

// stopOn returns a context that the first of the signals ends.
func stopOn(signals <-chan os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		select {
		case sig := <-signals:
			cancel(signalled{sig})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// promptly calls f, which may block for as long as a terminal is stopped or a
// pipe is full. In a process that was told to end it is left behind after a
// second.
func promptly(ctx context.Context, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// show prints what was asked for.
func show(stdout, stderr *os.File, text string) int {
	sink := &end{file: stdout, name: stdoutName, std: stdout}
	if _, err := io.WriteString(sink.writer(), text); err != nil {
		err = sinkFailed(sink, err, "")
		tell(stderr, err.Error())
		return exitCode(err)
	}
	return exitDone
}

// tell writes a message to stderr, in one write, so that it stays in one piece
// between the lines of others. There is no place for an error of that.
func tell(stderr *os.File, message string) {
	io.WriteString(newPatient(stderr), "bytering: "+message+"\n")
}
