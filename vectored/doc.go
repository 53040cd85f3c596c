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
// [NewReader] takes anything that has a file descriptor: a connection of package
// net or an *os.File, be it a file, a pipe, a terminal or a device. [NewWriter]
// takes the same, except for sockets that keep messages apart. A value that has one but overrides Read is passed by; so they are
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
// # Messages and records
//
// A read of a stream can stop anywhere. A read of a datagram, of a message of a
// SEQPACKET socket or of a packet of a pipe is a read of all of it, and what it
// has no room for is lost. A device that has records fails with EINVAL if there
// is no room for one in a slice. [BoundaryOf] says what a value has and
// [Boundary.Room] how much room a read needs.
//
// A message of a socket that has no room is an error that wraps [ErrTruncated],
// where Read would cut it without an error. A packet of a pipe is cut, as the
// system doesn't say so.
//
// # Your own connections
//
// A type that wraps a net.Conn hides its descriptor, on purpose: its Read
// counts, encrypts or limits. Give it a Readv or Writev beside Read and Write
// that does the same to several slices and passes them on, and everything that
// knows this package finds it. The example of Reader shows a counting one.
package vectored
