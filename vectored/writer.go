//go:build linux || dragonfly || freebsd || netbsd

package vectored

import (
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

type writer struct{ call }

func newWriter(c syscall.Conn) (Writer, error) {
	w := new(writer)
	if _, err := w.open(kernel.Writev, c); err != nil {
		return nil, err
	}
	return w, nil
}

func writerOf(c syscall.Conn) Writer {
	w := new(writer)
	if usual, err := w.open(kernel.Writev, c); err != nil || !usual {
		return nil
	}
	return w
}

func (w *writer) Writev(bufs [][]byte) (int, error) {
	n, err := w.run(bufs)
	touchRead(bufs, n)
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
