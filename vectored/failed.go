//go:build linux || dragonfly || freebsd || netbsd

package vectored

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// failed returns the error that the owner's own Read or Write gives if the
// system call fails with err.
func (c *call) failed(err error) error {
	op := "write"
	if c.reads() {
		op = "read"
	}
	if f, ok := c.owner.(interface{ Name() string }); ok && declaredIn(c.conn, "os") {
		return &fs.PathError{Op: op, Path: f.Name(), Err: err}
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	}
	if declaredIn(c.conn, "net") {
		return &connError{op, c.owner, err}
	}
	return err
}

// interrupted returns the error for a call that RawConn has ended with err. err takes
// precedence over that of the last attempt, which is EAGAIN.
func (c *call) interrupted(err error) error {
	if declaredIn(c.conn, "net") {
		err = cmp.Or(errors.Unwrap(err), err) // without the net.OpError of RawConn
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
	case isClosed(c.conn) && declaredIn(c.conn, "os"):
		err = os.ErrClosed
	case isClosed(c.conn):
		return &closedError{c.failed(err)}
	case c.errno == syscall.EAGAIN:
		// The descriptor is not in the poller, because it was in blocking mode when
		// it was opened. Another process has set O_NONBLOCK since.
		err = c.errno
	}
	return c.failed(err)
}
