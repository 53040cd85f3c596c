//go:build linux || dragonfly || freebsd || netbsd

package vectored

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

const (
	// maxVec is IOV_MAX of all these systems.
	maxVec = 1024
	// maxCall keeps a count within the ssize_t of a machine of 32 bits.
	maxCall = 1 << 30
)

// A call is a system call under way or to come. It is made once and kept: the
// closure and the vector that each would need are what makes a plain use of
// RawConn allocate.
type call struct {
	op     kernel.Op
	conn   syscall.RawConn
	try    func(fd uintptr) bool // attempt as a value
	direct func(fd uintptr)      // the same for Control, of a File's calls

	// Of the running call.
	vec     []syscall.Iovec
	off     int64
	offered int
	n       int
	errno   syscall.Errno

	two [2]syscall.Iovec // what vec usually needs
	one [1][]byte        // for Read and Write
}

// open makes c a call on the descriptor of conn, and tells whether that is one
// of the usual kind.
func (c *call) open(op kernel.Op, conn syscall.Conn) (usual bool, err error) {
	raw, usual, err := inspect(conn)
	c.prepare(op, raw)
	return usual, err
}

func (c *call) prepare(op kernel.Op, conn syscall.RawConn) {
	c.op, c.conn = op, conn
	c.vec = c.two[:0]
	c.try = c.attempt
}

// load puts bufs into the vector, as much of them as one call takes.
func (c *call) load(bufs [][]byte) {
	c.vec, c.offered = c.vec[:0], 0
	for _, b := range bufs {
		b = b[:min(len(b), maxCall-c.offered)]
		if len(b) == 0 {
			continue
		}
		if len(c.vec) == maxVec {
			break
		}
		v := syscall.Iovec{Base: &b[0]}
		v.SetLen(len(b))
		c.vec = append(c.vec, v)
		c.offered += len(b)
	}
}

// attempt makes the system call, and is what RawConn calls. False asks it to
// wait until the descriptor is ready. A regular file, for which it can't wait,
// never says EAGAIN.
func (c *call) attempt(fd uintptr) bool {
	for {
		if c.n, c.errno = kernel.Call(c.op, fd, c.vec, c.off); c.errno != syscall.EINTR {
			return c.errno != syscall.EAGAIN
		}
	}
}

// do attempts it until it is through. A call with an offset neither waits nor
// excludes others as Read and Write do.
func (c *call) do() error {
	switch c.op {
	case kernel.Readv:
		return c.conn.Read(c.try)
	case kernel.Writev:
		return c.conn.Write(c.try)
	}
	return c.conn.Control(c.direct)
}

// run reads or writes bufs.
func (c *call) run(bufs [][]byte) (int, error) {
	c.load(bufs)
	if len(c.vec) == 0 {
		return 0, nil
	}
	c.n, c.errno = 0, 0
	err := c.do()
	// Nothing of the caller's is kept, not even in what the vector has outgrown.
	clear(c.vec)
	clear(c.two[:])
	switch {
	case err != nil:
		return 0, c.interrupted(err)
	case c.errno != 0:
		return 0, os.NewSyscallError(c.op.String(), c.errno)
	case c.n < 0 || c.n > c.offered:
		return 0, invalidCount(c.n, c.offered, nil)
	}
	return c.n, nil
}

// interrupted returns the error for a call that RawConn ended with err. That
// outranks what the last attempt said, which is EAGAIN.
func (c *call) interrupted(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case isClosed(c.conn):
		return &closedError{err}
	case c.errno == syscall.EAGAIN:
		// In blocking mode when it was opened, and so without the poller; now
		// somebody who shares it has set O_NONBLOCK.
		return os.NewSyscallError(c.op.String(), c.errno)
	}
	return err
}

type reader struct{ call }

func (r *reader) Readv(bufs [][]byte) (int, error) {
	n, err := r.run(bufs)
	if n > 0 {
		touchWrite(bufs, n)
	} else if err == nil && r.offered > 0 {
		err = io.EOF
	}
	return n, err
}

func (r *reader) Read(b []byte) (int, error) {
	r.one[0] = b
	n, err := r.Readv(r.one[:])
	r.one[0] = nil
	return n, err
}

type writer struct{ call }

func (w *writer) Writev(bufs [][]byte) (int, error) {
	n, err := w.run(bufs)
	if n > 0 {
		touchRead(bufs, n)
	} else if err == nil && w.offered > 0 {
		err = io.ErrUnexpectedEOF // as os and net have it
	}
	return n, err
}

func (w *writer) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		w.one[0] = b[n:]
		m, err = w.Writev(w.one[:])
		n += m
	}
	w.one[0] = nil
	return n, err
}

func newReader(c syscall.Conn) (Reader, error) {
	r := new(reader)
	if _, err := r.open(kernel.Readv, c); err != nil {
		return nil, err
	}
	return r, nil
}

func newWriter(c syscall.Conn) (Writer, error) {
	w := new(writer)
	if _, err := w.open(kernel.Writev, c); err != nil {
		return nil, err
	}
	return w, nil
}

func readerOf(c syscall.Conn) Reader {
	r := new(reader)
	if usual, err := r.open(kernel.Readv, c); err != nil || !usual {
		return nil
	}
	return r
}

func writerOf(c syscall.Conn) Writer {
	w := new(writer)
	if usual, err := w.open(kernel.Writev, c); err != nil || !usual {
		return nil
	}
	return w
}
