// Command bytering is a pipe buffer: it copies its input to its output through
// a ring in memory, so that a source and a sink that are fast and slow by turns
// don't wait for each other.
//
//	zfs send tank@now | bytering | ssh host zfs receive tank
//	bytering -i disk.img -o /mnt/disk.img
//
// Called as mbuffer or pv, it takes that program's flags; bytering links makes the
// links for that. docs/command.md describes the flags, the exit codes and the
// messages, and --help summarizes them.
//
// A standard input or output that is closed is /dev/null, because Go's runtime
// opens that in its place. The command can't distinguish it from a /dev/null
// that was meant.
package main

import (
	"io"
	"log"
	"os"
	"syscall"
)

func main() {
	log.SetOutput(io.Discard) // package net/http logs what servers do wrong
	surviveSignals()
	code := run(called(os.Args[0]), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if code > exitSignal {
		raise(syscall.Signal(code - exitSignal))
	}
	os.Exit(code)
}
