package memconn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/vectored"
)

// A Conn is one end of a connection in memory. Its methods may be called by any
// goroutine at any time. Calls in the same direction take turns, so each Write
// and each Writev is atomic: the bytes of several writers are not interleaved.
// [Pipe] and [Listener] make Conns; the zero Conn is not usable.
//
// Errors are those of package net: io.EOF at the end of the stream, and otherwise
// a [*net.OpError]. It wraps net.ErrClosed after Close. After a deadline it wraps
// os.ErrDeadlineExceeded and its Timeout method returns true. The exception is a
// write that can never succeed, because the peer has closed or either end has
// shut this direction down: it returns io.ErrClosedPipe itself, as net.Pipe does.
type Conn struct {
	local, remote net.Addr
	closed        seam.Uint32 // 1 from the beginning of Close on

	_        [line]byte
	writing  turn
	producer *bytering.Producer

	_        [line]byte
	reading  turn
	consumer *bytering.Consumer

	_ [line]byte
}

// line keeps apart what two processors write. It is two cache lines of 64 bytes,
// because processors fetch them in pairs.
const line = 128

var _ interface {
	net.Conn
	vectored.Reader
	vectored.Writer
} = (*Conn)(nil)

// Pipe returns the two ends of a connection. It panics if an option is out of
// range, or if there is not enough memory for the buffers.
func Pipe(opts ...Option) (*Conn, *Conn) {
	cfg := configure(opts)
	return newPair(cfg.buffer, newAddr(cfg.name), newAddr(cfg.name))
}

func newPair(buffer int, x, y net.Addr) (a, b *Conn) {
	a, b = &Conn{local: x, remote: y}, &Conn{local: y, remote: x}
	connect(a, b, buffer)
	connect(b, a, buffer)
	return a, b
}

// connect makes the direction from w to r.
func connect(w, r *Conn, buffer int) {
	p, c, err := bytering.New(buffer)
	if err != nil {
		panic(fmt.Sprintf("memconn: Buffer of %d bytes: %v", buffer, err))
	}
	w.producer, w.writing.pass = p, seam.NewToken()
	r.consumer, r.reading.pass = c, seam.NewToken()
}

// Read reads up to len(b) bytes. It blocks while there are none. If b is empty,
// Read never blocks, even while another goroutine is in a Read. It then returns 0
// and the error that a Read of more would return at once, if there is one.
func (c *Conn) Read(b []byte) (n int, err error) {
	if len(b) > 0 {
		c.reading.lock()
	} else if !c.reading.tryLock() {
		return 0, c.result("read", c.consumer.Err(), io.EOF)
	}
	defer c.reading.unlock() // also if b can't be written
	n, err = c.consumer.Read(b)
	return n, c.result("read", err, io.EOF)
}

// Readv reads into bufs, in order, what one Read of their total size would
// return. It blocks while there is nothing to read. If bufs has no room, because
// it is empty or all its slices are, Readv returns 0 and nil. It neither changes
// nor keeps bufs. Readv implements [vectored.Reader], but may be called by any
// goroutine.
func (c *Conn) Readv(bufs [][]byte) (n int, err error) {
	first := slices.IndexFunc(bufs, func(b []byte) bool { return len(b) > 0 })
	if first < 0 {
		return 0, nil
	}
	c.reading.lock()
	defer c.reading.unlock()
	n, err = c.consumer.Read(bufs[first])
	if n < len(bufs[first]) {
		return n, c.result("readv", err, io.EOF)
	}
	for _, b := range bufs[first+1:] {
		m, _ := c.consumer.TryRead(b) // an error is final, so the next call returns it
		if n += m; m < len(b) {
			break
		}
	}
	return n, nil
}

// Write writes b. It blocks while there is no room. If it fails it returns the
// number of bytes written. If b is empty, Write never blocks, even while another
// goroutine is in a Write. It then returns 0 and the error that a Write of more
// would return at once, if there is one.
func (c *Conn) Write(b []byte) (n int, err error) {
	if len(b) > 0 {
		c.writing.lock()
	} else if !c.writing.tryLock() {
		return 0, c.result("write", c.producer.Err(), io.ErrClosedPipe)
	}
	defer c.writing.unlock() // also if b can't be read
	n, err = c.producer.Write(b)
	return n, c.result("write", err, io.ErrClosedPipe)
}

var errTooLong = errors.New("memconn: Writev of more bytes than an int counts")

// Writev writes bufs, in order, as one Write of all their bytes would, and like
// Write it blocks while there is no room: it writes fewer bytes only if it
// returns an error. If bufs has no bytes, Writev returns 0 and nil. It neither
// changes nor keeps bufs. Writev implements [vectored.Writer], but may be called
// by any goroutine.
func (c *Conn) Writev(bufs [][]byte) (n int, err error) {
	total := 0
	for _, b := range bufs {
		if total += len(b); total < 0 {
			return 0, errTooLong
		}
	}
	if total == 0 {
		return 0, nil
	}
	c.writing.lock()
	defer c.writing.unlock()
	for _, b := range bufs {
		if len(b) == 0 {
			continue // it could only fail
		}
		m, err := c.producer.Write(b)
		if n += m; err != nil {
			return n, c.result("writev", err, io.ErrClosedPipe)
		}
	}
	return n, nil
}

// Close closes both directions. The peer reads what was written before the Close,
// then io.EOF, and its writes fail. Bytes that this end has not read are lost,
// and this end reads nothing that the peer writes after it has seen the Close.
// Calls that block return. Close may be called more than once. It never fails and
// never blocks.
func (c *Conn) Close() error {
	c.closed.Store(1)
	// The peer sees the end of its own reading last, so that an answer to that
	// finds this end closed.
	c.consumer.Close()
	return c.producer.Close()
}

// CloseWrite closes the direction to the peer only. The peer reads what was
// written before, then io.EOF. After Close, CloseWrite fails with an error that
// wraps net.ErrClosed.
func (c *Conn) CloseWrite() error {
	if c.isClosed() {
		return c.opError("close", net.ErrClosed)
	}
	return c.producer.Close()
}

// CloseRead closes the direction from the peer only. The peer's writes fail,
// reads on this end return io.EOF, and unread bytes are lost. After Close,
// CloseRead fails with an error that wraps net.ErrClosed.
func (c *Conn) CloseRead() error {
	if c.isClosed() {
		return c.opError("close", net.ErrClosed)
	}
	return c.consumer.Close()
}

func (c *Conn) isClosed() bool { return c.closed.Load() != 0 }

// LocalAddr returns this end's [Addr].
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the peer's [Addr].
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets the read and the write deadline, as SetReadDeadline and
// SetWriteDeadline do.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time after which reads fail instead of blocking. It
// also applies to reads that are already blocked. The zero time removes the
// deadline. After Close, SetReadDeadline fails with an error that wraps
// net.ErrClosed.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.isClosed() {
		return c.opError("set", net.ErrClosed)
	}
	c.consumer.SetReadDeadline(t) // fails only after CloseRead, when it has no meaning
	return nil
}

// SetWriteDeadline sets the time after which writes fail instead of blocking. It
// also applies to writes that are already blocked. The zero time removes the
// deadline. A Write that fails with a deadline may have written some of its
// bytes. After Close, SetWriteDeadline fails with an error that wraps
// net.ErrClosed.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.isClosed() {
		return c.opError("set", net.ErrClosed)
	}
	c.producer.SetWriteDeadline(t) // fails only after CloseWrite, when it has no meaning
	return nil
}

// result returns what the caller of op gets for err, which is the error of a
// half. io.ErrClosedPipe becomes net.ErrClosed after Close, and ended before it.
func (c *Conn) result(op string, err, ended error) error {
	switch {
	case err == io.ErrClosedPipe && c.isClosed():
		return c.opError(op, net.ErrClosed)
	case err == io.ErrClosedPipe:
		return ended
	case err == os.ErrDeadlineExceeded:
		return c.opError(op, err)
	}
	return err
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: network, Source: c.local, Addr: c.remote, Err: err}
}
