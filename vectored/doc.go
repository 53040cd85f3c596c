// Package vectored reads into several slices, and writes out of several, with one
// system call: readv and writev. Go's standard library has no readv
// (https://go.dev/issue/17607), and has writev for some network connections only
// ([net.Buffers]).
//
//	r, err := vectored.NewReader(conn) // once
//	n, err := r.Readv([][]byte{header, body})
//
// Calls go through Go's poller, as those of conn's own Read do: a call that
// blocks parks its goroutine without occupying a thread, and obeys deadlines and
// Close. The package does not change the descriptor's O_NONBLOCK, and neither
// Readv nor Writev allocates.
//
// # What it works on
//
// [NewReader] takes anything that has a file descriptor: a connection of package
// net, or an *os.File that is a file, a pipe, a terminal or a device. [NewWriter]
// takes the same, except for sockets of messages. Both bypass a Read or Write
// that the value overrides, so use them only on types you know. For values you
// were handed, use [ReaderOf] and [WriterOf]: they accept only types of the
// standard library, and values that implement [Reader] or [Writer] themselves.
//
// Linux, FreeBSD, NetBSD and DragonFly have readv and writev here. Elsewhere a
// Reader reads into the first slice that is not empty, and a Writer writes the
// first, with the value's own Read and Write: the same contract with more calls.
// On macOS, OpenBSD, Solaris, illumos, AIX and Windows a Writer writes several
// slices to a connection of package net if the program imports package
// vectored/netbuffers, as package pump does. [Supported] reports which calls take
// several slices.
//
// # Messages and records
//
// A read of a stream can stop anywhere. A read of a datagram, of a message of a
// SEQPACKET socket or of a packet of a pipe reads all of it, and loses what it
// has no room for. A device that has records fails with EINVAL if no slice has
// room for one. [BoundaryOf] reports which of these a value is, and
// [Boundary.Room] how much room a read needs.
//
// If a message of a socket does not fit, the error wraps [ErrTruncated], where
// Read would truncate it without an error. A packet of a pipe is truncated
// silently, because the system does not report it.
//
// # Your own connections
//
// A type that wraps a net.Conn hides its descriptor, on purpose: its Read counts,
// encrypts or limits. Give the type a Readv or Writev that does the same to
// several slices and passes them on, and every caller of ReaderOf and WriterOf
// uses it. The example of Reader shows a connection that counts.
package vectored
