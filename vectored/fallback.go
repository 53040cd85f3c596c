//go:build !linux && !dragonfly && !freebsd && !netbsd

package vectored

import (
	"errors"
	"io"
	"syscall"

	"github.com/bytering/bytering/internal/netwrite"
)

func newReader(c syscall.Conn) (Reader, error) {
	raw, err := look(c)
	if err != nil {
		return nil, err
	}
	r, ok := c.(io.Reader)
	if !ok {
		return nil, refuse(c, errors.New("it has no Read"))
	}
	one := oneReader{r, raw}
	if BoundaryOf(c) == Message {
		return &messageReader{oneReader: one}, nil
	}
	return &one, nil
}

func newWriter(c syscall.Conn) (Writer, error) {
	raw, err := look(c)
	if err != nil {
		return nil, err
	}
	w, ok := c.(io.Writer)
	if !ok {
		return nil, refuse(c, errors.New("it has no Write"))
	}
	if BoundaryOf(c) == Message {
		return nil, refuse(c, errNoStream)
	}
	one := oneWriter{w, raw}
	if netwrite.All != nil && declaredIn(c, "net") {
		return &allWriter{oneWriter: one}, nil
	}
	return &one, nil
}

// readerOf returns nil: no Reader makes fewer calls than Read.
func readerOf(syscall.Conn) Reader { return nil }

func writerOf(c syscall.Conn) Writer {
	w, err := newWriter(c)
	if all, ok := w.(*allWriter); ok && err == nil {
		return all
	}
	return nil
}
