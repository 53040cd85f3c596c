//go:build !linux && !dragonfly && !freebsd && !netbsd

package vectored

import (
	"errors"
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
		return nil, refuse(c, errors.New("it has no Read"))
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
		return nil, refuse(c, errors.New("it has no Write"))
	}
	return &oneWriter{w, raw}, nil
}

func readerOf(syscall.Conn) Reader { return nil }
func writerOf(syscall.Conn) Writer { return nil }
