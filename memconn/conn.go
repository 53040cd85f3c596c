package memconn

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// A Conn is one end of a connection in memory. Any goroutine may call any
// method at any time. Each Write is whole: what several goroutines write is
// not mixed. [Pipe] and [Listener] make them; the zero Conn is not usable.
//
// Errors are those that package net gives: io.EOF at the end of the stream,
// and otherwise a [*net.OpError] that wraps net.ErrClosed after Close, and
// os.ErrDeadlineExceeded, whose Timeout is true, after a deadline. Only a write
// for which there is no way any more, because the peer has closed or either
// end has shut this direction, returns io.ErrClosedPipe as it is, like that of
// net.Pipe.
type Conn struct {
	in, out       *stream
	local, remote net.Addr
	closed        atomic.Bool
}

var _ interface {
	net.Conn
	io.ReaderFrom
	io.WriterTo
} = (*Conn)(nil)

// Pipe returns the two ends of a connection. Both are of type [*Conn].
func Pipe(opts ...Option) (net.Conn, net.Conn) {
	cfg := configure(opts)
	return pair(cfg.buffer, cfg.address(), cfg.address())
}

func pair(buffer int, x, y net.Addr) (a, b *Conn) {
	there, back := newStream(buffer), newStream(buffer)
	return &Conn{in: back, out: there, local: x, remote: y},
		&Conn{in: there, out: back, local: y, remote: x}
}

// Read reads up to len(b) bytes and waits while there are none. An empty b
// never waits.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	if err != nil {
		err = c.readError("read", err)
	}
	return n, err
}

// Write writes b and waits while there is no room. If it fails it returns how
// many bytes were written. An empty b never waits.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	if err != nil {
		err = c.writeError("write", err)
	}
	return n, err
}

// ReadFrom lets src read into the ring itself, until it returns io.EOF. Other
// writers wait until ReadFrom is done, or their deadline has passed. It looks at
// the deadline when it begins, and when it has to wait for room, and it can't
// break off src, also not because of Close.
func (c *Conn) ReadFrom(src io.Reader) (int64, error) {
	n, err := c.out.readFrom(src)
	if err != nil {
		err = c.writeError("readfrom", err)
	}
	return n, err
}

// WriteTo lets dst write from the ring itself, until the end of the stream.
// Other readers wait until WriteTo is done, or their deadline has passed. It
// looks at the deadline when it begins, and when it has to wait for bytes, and
// it can't break off dst, also not because of Close.
func (c *Conn) WriteTo(dst io.Writer) (int64, error) {
	n, err := c.in.writeTo(dst)
	if err != nil {
		if err = c.readError("writeto", err); err == io.EOF {
			err = nil
		}
	}
	return n, err
}

// Close ends both directions. The peer reads what was written before, then
// io.EOF; its writes fail. What lies unread on this side is lost. Calls that
// wait return. A Close after the first does nothing; it never fails and never
// waits.
func (c *Conn) Close() error {
	if !c.closed.Swap(true) {
		c.out.closeWrite()
		c.in.closeRead()
	}
	return nil
}

// CloseWrite ends this direction alone: the peer reads what was written
// before, then io.EOF. After Close it fails with net.ErrClosed.
func (c *Conn) CloseWrite() error {
	if c.closed.Load() {
		return c.opError("close", net.ErrClosed)
	}
	c.out.closeWrite()
	return nil
}

// CloseRead ends the other direction alone: the peer's writes fail, reads here
// return io.EOF, and what lies unread is lost. After Close it fails with
// net.ErrClosed.
func (c *Conn) CloseRead() error {
	if c.closed.Load() {
		return c.opError("close", net.ErrClosed)
	}
	c.in.closeRead()
	return nil
}

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

// SetReadDeadline sets the moment from which on reads fail in place of waiting,
// also those that wait already. The zero time takes it away. After Close it
// fails with net.ErrClosed.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.closed.Load() {
		return c.opError("set", net.ErrClosed)
	}
	c.in.r.set(t, c.in.c.SetReadDeadline)
	return nil
}

// SetWriteDeadline sets the moment from which on writes fail in place of
// waiting, also those that wait already. The zero time takes it away. A Write
// that fails so may have written a part. After Close it fails with
// net.ErrClosed.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.closed.Load() {
		return c.opError("set", net.ErrClosed)
	}
	c.out.w.set(t, c.out.p.SetWriteDeadline)
	return nil
}

// readError returns what a reader gets for err. The half says io.ErrClosedPipe
// for its own end only, but so may a destination for its own.
func (c *Conn) readError(op string, err error) error {
	switch {
	case err == os.ErrDeadlineExceeded:
		return c.opError(op, err)
	case err == io.ErrClosedPipe && c.in.c.Err() == err:
		if c.closed.Load() {
			return c.opError(op, net.ErrClosed)
		}
		return io.EOF
	}
	return err
}

// writeError returns what a writer gets for err.
func (c *Conn) writeError(op string, err error) error {
	switch {
	case err == os.ErrDeadlineExceeded:
		return c.opError(op, err)
	case err == io.ErrClosedPipe && c.closed.Load():
		return c.opError(op, net.ErrClosed)
	}
	return err
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: network, Source: c.local, Addr: c.remote, Err: err}
}
