//go:build unix && !linux

package vectored

import "syscall"

const ofPipes = Stream

// ofDevice takes all devices for ones with records, because it cannot tell. Reading a
// stream as records does no harm.
func ofDevice(uintptr, *syscall.Stat_t) Boundary { return Record }

// ofFile returns what a regular file or a block device is.
func ofFile(uintptr) Boundary { return Stream }
