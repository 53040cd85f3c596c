package vectored

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// A oneReader reads into one slice with each call, with the Read of a value that has
// no readv.
type oneReader struct {
	r   io.Reader
	raw syscall.RawConn
}

func (r *oneReader) Readv(bufs [][]byte) (int, error) {
	b := first(bufs)
	if len(b) == 0 {
		return 0, nil
	}
	return r.Read(b)
}

func (r *oneReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	return n, closedAsOS(r.raw, err)
}

// source returns the value that BoundaryOf examines.
func (r *oneReader) source() any { return r.r }

// A oneWriter writes one slice with each call.
type oneWriter struct {
	w   io.Writer
	raw syscall.RawConn
}

func (w *oneWriter) Writev(bufs [][]byte) (int, error) {
	b := first(bufs)
	if len(b) == 0 {
		return 0, nil
	}
	return w.Write(b)
}

func (w *oneWriter) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	return n, closedAsOS(w.raw, err)
}

// closedAsOS makes an error of a closed descriptor os.ErrClosed too.
func closedAsOS(raw syscall.RawConn, err error) error {
	if err != nil && err != io.EOF && !errors.Is(err, os.ErrClosed) && isClosed(raw) {
		return &closedError{err}
	}
	return err
}
