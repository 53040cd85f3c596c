// Package vectored reads into several slices, and writes out of several, with
// one system call: readv and writev, which Go's standard library doesn't have
// for reading (https://go.dev/issue/17607) and has for writing on some network
// connections only ([net.Buffers]).
//
//	r, err := vectored.NewReader(conn) // once
//	n, err := r.Readv([][]byte{header, body})
//
// It goes through Go's poller as conn's own Read does: a call that waits parks
// its goroutine and not a thread, and obeys deadlines and Close. It doesn't
// touch the descriptor's O_NONBLOCK, and neither Readv nor Writev allocates.
//
// # What gets it
//
// [NewReader] and [NewWriter] take anything that has a file descriptor:
// *net.TCPConn, *net.UnixConn and *os.File, be it a file, a pipe, a terminal or
// a device. A value that has one but overrides Read is passed by; so they are
// for values that you know. [ReaderOf] and [WriterOf] are for those that you
// were given: they take nothing but what the standard library itself made, and
// whatever says that it can, by implementing [Reader] or [Writer].
//
// Linux, FreeBSD, NetBSD and DragonFly have readv and writev here. Elsewhere
// a Reader reads into the first slice that is not empty and a Writer writes the
// first, by the value's own Read and Write: the same contract with more calls. On
// macOS, OpenBSD, Solaris, illumos, AIX and Windows a Writer writes several
// slices to a connection of package net if the program imports package
// vectored/netbuffers, as package pump does. [Supported] tells which.
//
// # Your own connections
//
// A type that wraps a net.Conn hides its descriptor, on purpose: its Read
// counts, encrypts or limits. Give it a Readv or Writev beside Read and Write
// that does the same to several slices and passes them on, and everything that
// knows this package finds it. The example of Reader shows a counting one.
package vectored
