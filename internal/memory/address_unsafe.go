// This file is unsafe because the alignment of memory is a property of its
// address, which Go shows only through an unsafe.Pointer. What keeps it safe:
// the address is never turned back into a pointer, and Go's collector does not
// move what lies on the heap.

package memory

import "unsafe"

// Misalignment returns how far the first byte of b lies past a multiple of
// align, a power of two. b must not be empty.
func Misalignment(b []byte, align int) int {
	return int(address(b) & uintptr(align-1))
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
