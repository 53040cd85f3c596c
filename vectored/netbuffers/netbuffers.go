// Package netbuffers lets package vectored write several slices with one call to
// connections of package net on systems where it has no writev of its own: macOS,
// iOS, OpenBSD, Solaris, illumos, AIX and Windows. Import it for that effect
// alone:
//
//	import _ "github.com/bytering/bytering/vectored/netbuffers"
//
// Package vectored can't do so itself without linking package net into every
// program that has a ring. On other systems the import changes nothing.
//
// The calls are those of [net.Buffers]: a Writev blocks until all of its bytes
// are written, at most 1 MiB, as Write of a connection does. It does not return
// as soon as one system call has written some.
package netbuffers
