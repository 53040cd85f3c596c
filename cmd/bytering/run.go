package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// version returns the version of the module that the command was built from, as
// the go command recorded it: that of a release, or one that names the commit.
// If there is neither, it is "(devel)".
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// endings are the signals that end a transfer. The error then says how many
// bytes are safe.
var endings = []os.Signal{syscall.SIGHUP, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM}

// run is the command. It prints each error on stderr, as a line, and returns
// the exit code. Reads and writes that are blocked when a signal comes may be
// left behind, so the process must end after run returns.
func run(as program, args []string, stdin, stdout, stderr *os.File) int {
	v := &voice{as: as, level: sayFatal, stderr: stderr}
	// First, because everything that follows takes threads and memory.
	if err := enough(); err != nil {
		v.tell(sayFatal, err.Error())
		return exitCode(err)
	}
	cfg, err := parse(as, args)
	switch {
	case err != nil:
		v.tell(sayFatal, err.Error())
		return exitRefused
	case cfg.help:
		return show(v, stdout, help(as))
	case cfg.version:
		return show(v, stdout, versionText(as))
	case slices.Contains(cfg.hashes, "list"):
		return show(v, stdout, strings.Join(hashNames(), "\n")+"\n")
	case len(cfg.inputs) == 0: // a subcommand has done everything
		return exitDone
	}
	v.level = cfg.level
	if cfg.log != "" {
		if v.log, err = os.OpenFile(cfg.log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666); err != nil {
			v.tell(sayFatal, named(err).Error())
			return exitRefused
		}
	}
	if cfg.showPid {
		v.tell(sayNothing, fmt.Sprintf("PID is %d", os.Getpid()))
	}

	signals := make(chan os.Signal, 1)
	for _, s := range endings {
		// A signal that nohup or a shell's & has set to be ignored stays ignored.
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	ctx, stop := stopOn(signals)
	defer stop()
	report, hide, errs := transfer(ctx, cfg, v, stdin, stdout)
	if as == asPv {
		// Nothing reads any more. pv just ends then.
		errs = slices.DeleteFunc(errs, func(err error) bool { return exitCode(err) == exitReader })
	}
	promptly(ctx, func() {
		hide()
		for _, err := range errs {
			v.tell(sayFatal, err.Error())
		}
		if len(errs) == 0 {
			v.report(&cfg, report)
		}
	})
	if len(errs) == 0 {
		return exitDone
	}
	return exitCode(errs[0])
}

// versionText is the text of --version.
func versionText(as program) string {
	if as == asBytering {
		return "bytering " + version() + "\n"
	}
	return fmt.Sprintf("%v (bytering %s)\n", as, version())
}

// stopOn returns a context that ends with the first signal.
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

// promptly calls f, which may block while a terminal is stopped or a pipe is
// full. A second after ctx has ended, f is left behind.
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

// show prints text on stdout.
func show(v *voice, stdout *os.File, text string) int {
	sink := &end{file: stdout, name: stdoutName, std: stdout}
	if _, err := io.WriteString(sink.writer(), text); err != nil {
		err = sinkFailed(sink, err, "")
		v.tell(sayFatal, err.Error())
		return exitCode(err)
	}
	return exitDone
}
