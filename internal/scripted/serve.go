//go:build linux || dragonfly || freebsd || netbsd

package scripted

import (
	"maps"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/kernel"
)

// A Handler makes a system call instead of the system. It is like [kernel.Call].
type Handler func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno)

// Real is the Handler that calls the system.
var Real Handler

// served has the descriptors with a Handler. A change replaces the map, so that calls
// on other descriptors look it up without a lock or an allocation.
var (
	served   atomic.Pointer[map[uintptr]Handler]
	changing sync.Mutex
)

// The kernel is replaced once, before any goroutine calls it. Replacing it for each
// test would race with goroutines that a test has left behind.
func init() {
	Real = kernel.Call
	served.Store(new(map[uintptr]Handler))
	kernel.Call = func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		if h := (*served.Load())[fd]; h != nil {
			return h(op, fd, vec, off)
		}
		return Real(op, fd, vec, off)
	}
}

// Serve makes h handle the system calls on fd until the test ends. fd must stay open
// until then.
func Serve(t testing.TB, fd uintptr, h Handler) {
	set(fd, h)
	t.Cleanup(func() { set(fd, nil) })
}

func set(fd uintptr, h Handler) {
	changing.Lock()
	defer changing.Unlock()
	m := maps.Clone(*served.Load())
	if m == nil {
		m = make(map[uintptr]Handler)
	}
	m[fd] = h
	if h == nil {
		delete(m, fd)
	}
	served.Store(&m)
}
