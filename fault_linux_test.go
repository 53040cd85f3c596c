//go:build !interleave

package bytering

import (
	"io"
	"runtime/debug"
	"syscall"
	"testing"
)

// A fault in the caller's memory that is recovered leaves the half as any panic
// does: nothing was moved, and it can go on.
func TestFaultsInTheCallersMemory(t *testing.T) {
	bad, err := syscall.Mmap(-1, 0, 1<<12, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(bad)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, opts := range [][]Option{nil, {Prefault()}} {
		p, cs := cast(t, 1<<12, 2, opts...)
		c := cs[0]
		panics(t, "Write", func() { p.Write(bad[:2]) }, "memory address")
		panics(t, "TryWrite", func() { p.TryWrite(bad[:2]) }, "memory address")
		fill(t, p, 3)
		panics(t, "Read", func() { c.Read(bad[:2]) }, "memory address")
		panics(t, "TryRead", func() { c.TryRead(bad[:2]) }, "memory address")
		state(t, p, c, 3, nil, nil)
		p.Close()
		drain(t, c, stream(0, 3), io.EOF)
		c.Close()
		if cs[0].Limits() {
			t.Error("a closed consumer still holds its bytes")
		}
		cs[1].Close()
	}
}
