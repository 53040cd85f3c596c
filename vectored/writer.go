//go:build linux || dragonfly || freebsd || netbsd

package vectored

import (
	"io"
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

// A writer writes with one system call, or with as many as it takes to write everything.
// These are made in one call of RawConn, which holds the descriptor's write lock, so no
// write of another goroutine comes between them.
type writer struct {
	call

	// Of the running call.
	rest [][]byte // what is not written yet
	done int      // how many bytes were written before rest
	left int      // how many bytes rest has, or 0 if one system call is enough
	once bool     // do not wait
}

func newWriter(c syscall.Conn) (Writer, error) {
	w, _, err := openWriter(c)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func writerOf(c syscall.Conn) Writer {
	w, k, err := openWriter(c)
	if err != nil || !k.usual {
		return nil
	}
	return w
}

func openWriter(c syscall.Conn) (w *writer, k kind, err error) {
	w = new(writer)
	if k, err = w.open(kernel.Writev, c); err == nil && k.boundary == Message {
		err = refuse(c, errNoStream)
	}
	w.try = w.push
	return w, k, err
}

func (w *writer) Writev(bufs [][]byte) (int, error) { return w.write(bufs, 0) }

// TryWritev is documented at PollWriter.
func (w *writer) TryWritev(bufs [][]byte) (int, error) {
	w.once = true
	n, err := w.write(bufs, 0)
	w.once = false
	if w.errno == syscall.EAGAIN {
		return 0, nil
	}
	return n, err
}

func (w *writer) Write(b []byte) (int, error) {
	w.one[0] = b
	n, err := w.writeAll(w.one[:], len(b))
	w.one[0] = nil
	return n, err
}

// writeAll writes all size bytes of bufs, and cuts the slices in it.
func (w *writer) writeAll(bufs [][]byte, size int) (int, error) { return w.write(bufs, size) }

func (w *writer) write(bufs [][]byte, left int) (int, error) {
	w.rest, w.done, w.left = bufs, 0, left
	n, err := w.run(bufs)
	touchRead(w.rest, n)
	if err != nil && w.errno == syscall.EPIPE && (w.fd == 1 || w.fd == 2) {
		n, err = w.writeStandard(err)
	}
	w.rest = nil
	return w.done + n, err
}

// push makes system calls until enough is written. RawConn calls it; if it returns false,
// RawConn waits until the descriptor is ready and calls push again for the rest.
// With once it never does.
func (w *writer) push(fd uintptr) bool {
	for w.attempt(fd) {
		if w.n <= 0 || w.n > w.offered || w.n >= w.left {
			return true
		}
		touchRead(w.rest, w.n)
		w.done += w.n
		w.left -= w.n
		w.rest = skip(w.rest, w.n)
		clear(w.vec)
		w.load(w.rest)
	}
	return w.once
}

// writeStandard repeats a write to standard output or standard error that has failed
// with err, a broken pipe. It uses the file's own Write, which ends the process with
// SIGPIPE unless the program catches or ignores that signal.
func (w *writer) writeStandard(err error) (n int, _ error) {
	f, ok := standard(w.owner).(io.Writer)
	if !ok {
		return 0, err
	}
	for _, b := range w.rest {
		var m int
		m, err = f.Write(b)
		n += m
		if err != nil || w.left == 0 && m > 0 {
			break
		}
	}
	return n, err
}
