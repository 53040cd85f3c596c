package memconn

import (
	"io"
	"net"
	"os"
	"time"

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
	in, out       *stream
	local, remote net.Addr
	closed        seam.Uint32 // 1 from the beginning of Close on
}

var _ interface {
	net.Conn
	io.ReaderFrom
	io.WriterTo
	vectored.Reader
	vectored.Writer
} = (*Conn)(nil)

// Pipe returns the two ends of a connection. It panics if an option is out of
// range, or if there is not enough memory for the buffers.
func Pipe(opts ...Option) (*Conn, *Conn) {
	cfg := configure(opts)
	return pair(cfg.buffer, cfg.address(), cfg.address())
}

func pair(buffer int, x, y net.Addr) (a, b *Conn) {
	there, back := newStream(buffer), newStream(buffer)
	return &Conn{in: back, out: there, local: x, remote: y},
		&Conn{in: there, out: back, local: y, remote: x}
}

// Read reads up to len(b) bytes. It blocks while there are none. If b is empty,
// Read never blocks, even while another goroutine is in a Read. It then returns 0
// and the error that a Read of more would return at once, if there is one.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.result("read", err, c.in.c, io.EOF, nil)
}

// Readv reads into bufs, in order, what one Read of their total size would
// return. It blocks while there is nothing to read. If bufs has no room, because
// it is empty or all its slices are, Readv returns 0 and nil. It neither changes
// nor keeps bufs. Readv implements [vectored.Reader], but may be called by any
// goroutine.
func (c *Conn) Readv(bufs [][]byte) (int, error) {
	n, err := c.in.readv(bufs)
	return n, c.result("readv", err, c.in.c, io.EOF, nil)
}

// Write writes b. It blocks while there is no room. If it fails it returns the
// number of bytes written. If b is empty, Write never blocks, even while another
// goroutine is in a Write. It then returns 0 and the error that a Write of more
// would return at once, if there is one.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.result("write", err, c.out.p, io.ErrClosedPipe, nil)
}

// Writev writes bufs, in order, as one Write of all their bytes would, and like
// Write it blocks while there is no room: it writes fewer bytes only if it
// returns an error. If bufs has no bytes, Writev returns 0 and nil. It neither
// changes nor keeps bufs. Writev implements [vectored.Writer], but may be called
// by any goroutine.
func (c *Conn) Writev(bufs [][]byte) (int, error) {
	n, err := c.out.writev(bufs)
	return n, c.result("writev", err, c.out.p, io.ErrClosedPipe, nil)
}

// ReadFrom lets src read directly into the ring until src returns io.EOF. Other
// writers block until ReadFrom returns or their deadline passes. ReadFrom checks
// the deadline when it starts and before it blocks for room. It can't interrupt
// src, not even on Close. It returns an error of src unchanged.
//
// ReadFrom may have read more than fits in the ring: up to 512 bytes of a stream,
// or 64 KiB of a source of messages. See [bytering.Producer.ReadFrom]. If a
// deadline ends it, the next write sends those bytes first.
func (c *Conn) ReadFrom(src io.Reader) (int64, error) {
	var foreign error
	n, err := c.out.readFrom(watchSource(src, &foreign))
	return n, c.result("readfrom", err, c.out.p, io.ErrClosedPipe, foreign)
}

// WriteTo lets dst write directly from the ring until the end of the stream, for
// which it returns a nil error. Other readers block until WriteTo returns or
// their deadline passes. WriteTo checks the deadline when it starts and before it
// blocks for bytes. It can't interrupt dst, not even on Close. It returns an
// error of dst unchanged, even io.EOF.
func (c *Conn) WriteTo(dst io.Writer) (int64, error) {
	var foreign error
	n, err := c.in.writeTo(watchSink(dst, &foreign))
	return n, c.result("writeto", err, c.in.c, nil, foreign)
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
	c.in.closeRead()
	c.out.closeWrite()
	return nil
}

// CloseWrite closes the direction to the peer only. The peer reads what was
// written before, then io.EOF. After Close, CloseWrite fails with an error that
// wraps net.ErrClosed.
func (c *Conn) CloseWrite() error {
	if c.isClosed() {
		return c.opError("close", net.ErrClosed)
	}
	c.out.closeWrite()
	return nil
}

// CloseRead closes the direction from the peer only. The peer's writes fail,
// reads on this end return io.EOF, and unread bytes are lost. After Close,
// CloseRead fails with an error that wraps net.ErrClosed.
func (c *Conn) CloseRead() error {
	if c.isClosed() {
		return c.opError("close", net.ErrClosed)
	}
	c.in.closeRead()
	return nil
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
	c.in.r.set(t, c.in.c.SetReadDeadline)
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
	c.out.w.set(t, c.out.p.SetWriteDeadline)
	return nil
}

// result returns what the caller of op gets for err. The errors that a half h
// has for itself are translated: io.ErrClosedPipe becomes net.ErrClosed after
// Close and ended before it. All others are those of a source or a sink, and so
// is one that is equal to foreign.
func (c *Conn) result(op string, err error, h half, ended, foreign error) error {
	switch {
	case err != os.ErrDeadlineExceeded && err != io.ErrClosedPipe, err == foreign:
		return err
	case err == os.ErrDeadlineExceeded:
		return c.opError(op, err)
	case h.Err() != err:
		return err // of a descriptor, which is not watched
	case c.isClosed():
		return c.opError(op, net.ErrClosed)
	}
	return ended
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: network, Source: c.local, Addr: c.remote, Err: err}
}
