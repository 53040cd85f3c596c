package memconn

import (
	"io"
	"net"
	"os"
	"time"

	"github.com/bytering/bytering/internal/atomics"
	"github.com/bytering/bytering/vectored"
)

// A Conn is one end of a connection in memory. Any goroutine may call any
// method at any time. Calls in the same direction take turns, so each Write and
// each Writev is whole: what several goroutines write is not mixed. [Pipe] and
// [Listener] make them; the zero Conn is not usable.
//
// Errors are those that package net gives: io.EOF at the end of the stream,
// and otherwise a [*net.OpError] that wraps net.ErrClosed after Close, and
// os.ErrDeadlineExceeded, whose Timeout is true, after a deadline. Only a write
// that can never succeed, because the peer has closed or either end has shut
// this direction, returns io.ErrClosedPipe as it is, like that of net.Pipe.
type Conn struct {
	in, out       *stream
	local, remote net.Addr
	closed        atomics.Uint32 // 1 from the beginning of Close on
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

// Read reads up to len(b) bytes and blocks while there are none. An empty b
// never blocks, also while another goroutine is in a Read: it gets the error
// that another b would get at once, if there is one.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.result("read", err, c.in.c, io.EOF, nil)
}

// Readv reads into bufs, in their order, what one Read of as many bytes would
// return, and blocks while there is nothing to read. Without room, in no slice
// or in empty ones, it returns 0 and nil and does nothing. It neither changes
// nor keeps bufs. See [vectored.Reader]; unlike others, a Conn may be called by
// any goroutine.
func (c *Conn) Readv(bufs [][]byte) (int, error) {
	n, err := c.in.readv(bufs)
	return n, c.result("readv", err, c.in.c, io.EOF, nil)
}

// Write writes b and blocks while there is no room. If it fails it returns how
// many bytes were written. An empty b never blocks, also while another
// goroutine is in a Write: it gets the error that another b would get at once,
// if there is one.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.result("write", err, c.out.p, io.ErrClosedPipe, nil)
}

// Writev writes bufs, in their order, as one Write of all their bytes would, and
// like that blocks while there is no room: it returns fewer bytes only with an
// error. Without a byte to write it returns 0 and nil and does nothing. It
// neither changes nor keeps bufs. See [vectored.Writer]; unlike others, a Conn
// may be called by any goroutine.
func (c *Conn) Writev(bufs [][]byte) (int, error) {
	n, err := c.out.writev(bufs)
	return n, c.result("writev", err, c.out.p, io.ErrClosedPipe, nil)
}

// ReadFrom lets src read into the ring itself until src returns io.EOF. Other
// writers wait until ReadFrom returns, or their deadline passes. It checks the
// deadline when it starts and before it blocks for room. It can't interrupt
// src, not even on Close. An error of src is returned as it is.
//
// ReadFrom may be ahead of the ring by up to 512 bytes of a stream, or 64 KiB of
// a source of messages: see [bytering.Producer.ReadFrom]. After a deadline the
// next write sends them first.
func (c *Conn) ReadFrom(src io.Reader) (int64, error) {
	var foreign error
	n, err := c.out.readFrom(watchSource(src, &foreign))
	return n, c.result("readfrom", err, c.out.p, io.ErrClosedPipe, foreign)
}

// WriteTo lets dst write from the ring itself until the end of the stream,
// which is not an error here. Other readers wait until WriteTo returns, or
// their deadline passes. It checks the deadline when it starts and before it
// blocks for bytes. It can't interrupt dst, not even on Close. An error of dst,
// io.EOF too, is returned as it is.
func (c *Conn) WriteTo(dst io.Writer) (int64, error) {
	var foreign error
	n, err := c.in.writeTo(watchSink(dst, &foreign))
	return n, c.result("writeto", err, c.in.c, nil, foreign)
}

// Close ends both directions. The peer reads what was written before, then
// io.EOF; its writes fail. What lies unread on this side is lost, and nothing
// that the peer writes after it has seen the Close is read here. Calls that
// block return. Close may be called again; it never fails and never blocks.
func (c *Conn) Close() error {
	c.closed.Store(1)
	// The peer sees the end of its own reading last, so that an answer to that
	// finds this end closed.
	c.in.closeRead()
	c.out.closeWrite()
	return nil
}

// CloseWrite ends this direction alone: the peer reads what was written
// before, then io.EOF. After Close it fails with net.ErrClosed.
func (c *Conn) CloseWrite() error {
	if c.isClosed() {
		return c.opError("close", net.ErrClosed)
	}
	c.out.closeWrite()
	return nil
}

// CloseRead ends the other direction alone: the peer's writes fail, reads here
// return io.EOF, and what lies unread is lost. After Close it fails with
// net.ErrClosed.
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

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time after which reads fail instead of blocking,
// including those that block already. The zero time clears it. After Close it
// fails with net.ErrClosed.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.isClosed() {
		return c.opError("set", net.ErrClosed)
	}
	c.in.r.set(t, c.in.c.SetReadDeadline)
	return nil
}

// SetWriteDeadline sets the time after which writes fail instead of blocking,
// including those that block already. The zero time clears it. A Write that
// fails so may have written a part. After Close it fails with net.ErrClosed.
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
