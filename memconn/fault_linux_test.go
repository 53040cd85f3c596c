//go:build !interleave

package memconn

import (
	"runtime/debug"
	"syscall"
	"testing"
)

// A fault in the caller's memory that the program turns into a panic leaves no turn
// taken.
func TestFault(t *testing.T) {
	bad, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(bad)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for name, call := range map[string]func(*Conn){
		"Write":  func(c *Conn) { c.Write(bad) },
		"Writev": func(c *Conn) { c.Writev([][]byte{bad}) },
		"Read":   func(c *Conn) { c.Read(bad) },
		"Readv":  func(c *Conn) { c.Readv([][]byte{bad}) },
	} {
		a, b := ends(t)
		b.Write([]byte("x"))
		if caught(func() { call(a) }) == nil {
			t.Fatalf("%s: no panic", name)
		}
		if w, r := a.writing.n.Load(), a.reading.n.Load(); w != 0 || r != 0 {
			t.Errorf("%s: the turns are taken: %d, %d", name, w, r)
		}
	}
}
