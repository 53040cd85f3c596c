//go:build linux

// This file is unsafe because the alignment of memory is a property of its
// address. What keeps it safe: the address is looked at and never turned back
// into a pointer.

package pump

import (
	"syscall"
	"unsafe"
)

// misplaced reports whether v does not consist of whole blocks.
func misplaced(v syscall.Iovec, block int) bool {
	return uintptr(unsafe.Pointer(v.Base))%uintptr(block) != 0 || int(v.Len)%block != 0
}
