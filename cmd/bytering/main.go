// Command bytering is a pipe buffer: it copies its input to its output through
// a ring in memory, so that a source and a sink that are fast and slow by turns
// don't wait for each other.
//
//	zfs send tank@now | bytering | ssh host zfs receive tank
//	bytering -i disk.img -o /mnt/disk.img
//
// Every read can be written at once: nothing waits for a full block, but with
// --direct, which reads and writes files past the page cache. On a
// terminal a bar shows how far it is, and a line at the end what was done.
// Errors are one line that names the file, the operation and the cause, and
// says how many bytes the output has; a partial output stays where it is.
//
// Exit codes: 0 done, 1 usage, 2 the source failed, 3 the sink failed, 4 the
// reader of standard output went away, 128+n signal n: 129 HUP, 130 INT, 131
// QUIT, 143 TERM.
package main

import "os"

func main() {
	survivePipe()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
