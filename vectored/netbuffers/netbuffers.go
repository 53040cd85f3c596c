// Package netbuffers lets package vectored write several slices with one call
// to connections of package net on systems where it has no writev of its own:
// macOS, iOS, OpenBSD, Solaris, illumos, AIX and Windows. It is imported for that
// alone:
//
//	import _ "github.com/bytering/bytering/vectored/netbuffers"
//
// Package vectored can't do so itself without putting package net into every
// program that has a ring. On the other systems it changes nothing.
//
// The calls are those of [net.Buffers]: a Writev waits until all of at most
// 1 MiB is written, as Write of a connection does, and not only until one call
// has taken something.
package netbuffers
