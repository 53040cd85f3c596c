//go:build !linux && !dragonfly && !freebsd && !netbsd

package vectored

import (
	"io"
	"syscall"
)

func newReader(c syscall.Conn) (Reader, error) {
	raw, _, err := inspect(c)
	if err != nil {
		return nil, err
	}
	r, ok := c.(io.Reader)
	if !ok {
		return nil, refuse(c, "it has no Read")
	}
	return &oneReader{r, raw}, nil
}

func newWriter(c syscall.Conn) (Writer, error) {
	raw, _, err := inspect(c)
	if err != nil {
		return nil, err
	}
	w, ok := c.(io.Writer)
	if !ok {
		return nil, refuse(c, "it has no Write")
	}
	return &oneWriter{w, raw}, nil
}

func readerOf(syscall.Conn) Reader { return nil }
func writerOf(syscall.Conn) Writer { return nil }

// A oneReader reads into one slice a call.
type oneReader struct {
	io.Reader
	raw syscall.RawConn
}

func (r *oneReader) Readv(bufs [][]byte) (int, error) {
	b := first(bufs)
	if len(b) == 0 {
		return 0, nil
	}
	n, err := r.Read(b)
	return n, closedAsOS(r.raw, err)
}

// A oneWriter writes one slice a call.
type oneWriter struct {
	io.Writer
	raw syscall.RawConn
}

func (w *oneWriter) Writev(bufs [][]byte) (int, error) {
	b := first(bufs)
	if len(b) == 0 {
		return 0, nil
	}
	n, err := w.Write(b)
	return n, closedAsOS(w.raw, err)
}

func closedAsOS(raw syscall.RawConn, err error) error {
	if err != nil && err != io.EOF && isClosed(raw) {
		return &closedError{err}
	}
	return err
}
