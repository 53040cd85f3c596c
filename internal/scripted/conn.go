//go:build linux || dragonfly || freebsd || netbsd

package scripted

import (
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/kernel"
)

// A conn is the syscall.Conn of a descriptor that only the script reads or writes. It
// is the descriptor of a real file, so that it has a number of its own and can be
// inspected.
type conn struct {
	carrier *os.File
	waitErr atomic.Pointer[error] // of the last attempt
}

func (c *conn) open(t testing.TB, do func(bufs [][]byte) (int, Step)) {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.carrier = f
	t.Cleanup(func() { f.Close() })
	Serve(t, f.Fd(), func(_ kernel.Op, _ uintptr, vec []syscall.Iovec, _ int64) (int, syscall.Errno) {
		n, step := do(Slices(vec))
		if step.Lie != 0 {
			return n, 0
		}
		c.waitErr.Store(&step.Wait)
		return n, step.Errno
	})
}

// SyscallConn returns itself.
func (c *conn) SyscallConn() (syscall.RawConn, error) { return rawConn{c}, nil }

type rawConn struct{ *conn }

func (c rawConn) Control(f func(fd uintptr)) error {
	raw, err := c.carrier.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(f)
}

func (c rawConn) Read(f func(fd uintptr) bool) error  { return c.wait(f) }
func (c rawConn) Write(f func(fd uintptr) bool) error { return c.wait(f) }

// wait calls f until it returns true. Every descriptor here is always ready.
func (c rawConn) wait(f func(fd uintptr) bool) (err error) {
	done := false
	for !done && err == nil {
		err = c.Control(func(fd uintptr) { done = f(fd) })
		if p := c.waitErr.Load(); err == nil && !done && p != nil {
			err = *p
			runtime.Gosched()
		}
	}
	return err
}
