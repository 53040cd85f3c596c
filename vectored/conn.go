//go:build linux || dragonfly || freebsd || netbsd

package vectored

import (
	"io"
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

const (
	// maxVec is IOV_MAX on all these systems.
	maxVec = 1024
	// maxCall keeps a count within the ssize_t of a 32-bit machine.
	maxCall = 1 << 30
)

// A call holds what a system call needs, its closure and its vector, and is reused. A
// plain use of RawConn would allocate both for each call.
type call struct {
	op     kernel.Op
	owner  syscall.Conn // the value whose descriptor conn is
	conn   syscall.RawConn
	try    func(fd uintptr) bool // attempt, made a func value once
	direct func(fd uintptr)      // the same for Control, which a File uses
	empty  bool                  // 0 bytes are a message, not the end

	// Of the running call.
	vec     []syscall.Iovec
	off     int64
	offered int
	fd      uintptr
	n       int
	errno   syscall.Errno

	two [2]syscall.Iovec // enough for most calls
	one [1][]byte        // for Read and Write
}

// open makes c a call on the descriptor of owner.
func (c *call) open(op kernel.Op, owner syscall.Conn) (kind, error) {
	raw, k, err := inspect(owner)
	c.prepare(op, owner, raw)
	return k, err
}

func (c *call) prepare(op kernel.Op, owner syscall.Conn, conn syscall.RawConn) {
	c.op, c.owner, c.conn = op, owner, conn
	c.vec = c.two[:0]
	c.try = c.attempt
}

// load fills the vector with as much of bufs as one call takes.
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

// attempt makes the system call. RawConn calls it; if it returns false, RawConn waits
// until the descriptor is ready. RawConn cannot wait for a regular file, which never
// returns EAGAIN.
func (c *call) attempt(fd uintptr) bool {
	c.fd = fd
	for {
		if c.n, c.errno = kernel.Call(c.op, fd, c.vec, c.off); c.errno != syscall.EINTR {
			return c.errno != syscall.EAGAIN
		}
	}
}

// do makes the system call, and waits if it must. Calls with an offset do not wait, and
// do not exclude each other as Read and Write do.
func (c *call) do() error {
	switch c.op {
	case kernel.Readv, kernel.Recvmsg:
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
	return c.result(c.do(), bufs)
}

// result returns what has come of a call that RawConn ended with err.
func (c *call) result(err error, bufs [][]byte) (int, error) {
	// No reference to the caller's memory is kept, not even in a vector that was
	// outgrown.
	clear(c.vec)
	clear(c.two[:])
	switch {
	case err != nil:
		return 0, c.interrupted(err)
	case c.op == kernel.Recvmsg && (c.errno == syscall.EMSGSIZE || c.n > c.offered):
		touchWrite(bufs, c.offered)
		return 0, c.failed(truncated(c.n, c.offered))
	case c.errno != 0:
		return 0, c.failed(c.errno)
	case c.n < 0 || c.n > c.offered:
		return 0, invalidCount(c.n, c.offered, nil)
	case c.n == 0 && !c.reads():
		return 0, c.failed(io.ErrUnexpectedEOF) // as in os and net
	case c.n == 0 && !c.empty:
		return 0, io.EOF
	}
	return c.n, nil
}

// source returns the value that BoundaryOf examines.
func (c *call) source() any { return c.owner }

// reads reports whether it is a read of any kind.
func (c *call) reads() bool { return c.op != kernel.Writev && c.op != kernel.Pwritev }

type reader struct {
	call
	poll func(fd uintptr) bool // attemptOffer as a value, made when it is first needed

	// Of the running ReadvFunc.
	offer   func() [][]byte
	blocked func()
	bufs    [][]byte
}

func (r *reader) Readv(bufs [][]byte) (int, error) {
	n, err := r.run(bufs)
	touchWrite(bufs, n)
	return n, err
}

func (r *reader) Read(b []byte) (int, error) {
	r.one[0] = b
	n, err := r.Readv(r.one[:])
	r.one[0] = nil
	return n, err
}

// ReadvFunc is documented at PollReader.
func (r *reader) ReadvFunc(offer func() [][]byte, blocked func()) (n int, err error) {
	if r.poll == nil {
		r.poll = r.attemptOffer
	}
	r.offer, r.blocked = offer, blocked
	defer func() { r.offer, r.blocked, r.bufs = nil, nil, nil }()
	r.n, r.errno = 0, 0
	err = r.conn.Read(r.poll)
	if err == nil && len(r.vec) == 0 {
		return 0, nil
	}
	n, err = r.result(err, r.bufs)
	touchWrite(r.bufs, n)
	return n, err
}

// attemptOffer makes the system call on what is offered, and is what RawConn
// calls.
func (r *reader) attemptOffer(fd uintptr) bool {
	r.bufs = r.offer()
	r.load(r.bufs)
	if len(r.vec) == 0 || r.attempt(fd) {
		return true
	}
	clear(r.vec)
	r.blocked()
	return false
}

// polls reports whether the descriptor is in non-blocking mode.
func (c *call) polls() bool {
	var flags uintptr
	var errno syscall.Errno
	err := c.conn.Control(func(fd uintptr) {
		flags, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
	})
	return err == nil && errno == 0 && flags&syscall.O_NONBLOCK != 0
}

func newReader(c syscall.Conn) (Reader, error) {
	r, _, err := openReader(c)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func readerOf(c syscall.Conn) Reader {
	r, k, err := openReader(c)
	if err != nil || !k.usual {
		return nil
	}
	return r
}

func openReader(c syscall.Conn) (r *reader, k kind, err error) {
	r = new(reader)
	if k, err = r.open(kernel.Readv, c); err == nil && k.boundary == Message {
		r.op = kernel.Recvmsg
		r.empty = k.empty && declaredIn(r.conn, "net") // as in net and os
	}
	return r, k, err
}
