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

// A Handler makes a system call in place of the system, as [kernel.Call] does.
type Handler func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno)

// Real is the system itself.
var Real Handler

// served are the descriptors that have a Handler. A new map takes the place of
// the old one, so that the calls on all the others look it up without a lock
// and without an allocation.
var (
	served   atomic.Pointer[map[uintptr]Handler]
	changing sync.Mutex
)

// The kernel is replaced once, before any goroutine may call it, and not for
// each test: a goroutine that a test has left behind would race with that.
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

// Serve has h make the system calls on fd until the test ends. fd must be open
// that long.
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
