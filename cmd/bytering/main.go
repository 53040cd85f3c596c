// Command bytering is a pipe buffer: it copies its input to its output through
// a ring in memory, so that a source and a sink that are fast and slow by turns
// don't wait for each other.
//
//	zfs send tank@now | bytering | ssh host zfs receive tank
//	bytering -i disk.img -o /mnt/disk.img
//
// Every read can be written at once: nothing waits for a full block, but with
// --direct. The flags:
//
//	-i, --input FILE    the source (default -, standard input)
//	-o, --output FILE   the sink (default -, standard output)
//	-m, --memory SIZE   memory of the ring (default 4M)
//	-s, --block SIZE    the most that one read or write moves (default 1M); more
//	                    than 1M, or than half of -m, is cut to that
//	    --direct        read and write files past the page cache, on Linux; the
//	                    ring is rounded up to a multiple of 64K, -s to one of 4K
//	-f, --force         overwrite a file that exists
//	-q, --quiet         no bar and no summary, only errors
//	-h, --help          print the usage
//	    --version       print the version
//
// A SIZE is a whole number of bytes, also written with a fraction and K, M, G or
// T, in powers of 1024: 1.5K is 1536. Case does not matter, nor a B or iB behind
// it: 4m, 4MB and 4MiB are 4M.
//
// While it runs in the foreground, a bar on standard error shows how far it is,
// if that is a terminal and the sink is none. At the end, when both ends are
// closed, a line there says what was done, terminal or not. An error, which -q
// does not keep back, is one line that names what failed and the cause, and how
// many bytes the output has where it has any; a partial output stays where it is.
// A wrong flag has a hint in a second line.
//
// A standard input or output that is closed is /dev/null: Go's runtime puts that
// there, and nothing tells it from one that was meant.
//
// On Linux a reader that leaves a pipe or a Unix socket is noticed at once, also
// while nothing moves.
//
// Exit codes:
//
//	0      done
//	1      could not begin: wrong usage, or something is missing; nothing was moved
//	3      sink failed
//	4      reader of standard output gone
//	5      source failed
//	128+n  signal n, which it raises itself at the end, without a core dump:
//	       129 HUP, 130 INT, 131 QUIT, 143 TERM
//
// 2 is none of them: it is Go's runtime that ends a process with it.
package main

import (
	"os"
	"path/filepath"
	"syscall"
)

func main() {
	surviveSignals()
	code := run(called(filepath.Base(os.Args[0])), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if code > exitSignal {
		raise(syscall.Signal(code - exitSignal))
	}
	os.Exit(code)
}
