package main

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/bytering/bytering/vectored"
)

// A patient is a file that was inherited in blocking mode. A process that shares
// it may set it to non-blocking mode at any time. If a call would then block,
// patient waits and repeats it.
type patient struct {
	file *os.File
	r    vectored.Reader
	w    vectored.Writer
}

func newPatient(f *os.File) *patient {
	return &patient{f, vectored.ReaderOf(f), vectored.WriterOf(f)}
}

// reader returns the reader of the end.
func (e *end) reader() io.Reader {
	switch {
	case e.remote != nil:
		return e.remote
	case e.shared():
		return newPatient(e.file)
	}
	return e.file
}

// writer returns the writer of the end.
func (e *end) writer() io.Writer {
	if e.shared() {
		return newPatient(e.file)
	}
	return e.file
}

// shared reports whether other processes may change the mode of the end, and
// that mode matters.
func (e *end) shared() bool {
	if e.file != e.std {
		return false
	}
	info, err := e.file.Stat()
	return err == nil && !onDisk(info)
}

// Boundary returns where one read of the file ends.
func (p *patient) Boundary() vectored.Boundary {
	b := vectored.BoundaryOf(p.file)
	if p.r == nil && b != vectored.Stream {
		return vectored.Record // with its room in one slice
	}
	return b
}

func (p *patient) Readv(bufs [][]byte) (n int, err error) {
	for again := true; again; again, err = p.again(n, err, false) {
		if p.r != nil {
			n, err = p.r.Readv(bufs)
		} else {
			n, err = p.file.Read(bufs[0])
		}
	}
	return n, err
}

func (p *patient) Writev(bufs [][]byte) (n int, err error) {
	for again := true; again; again, err = p.again(n, err, true) {
		if p.w != nil {
			n, err = p.w.Writev(bufs)
		} else {
			n, err = p.file.Write(bufs[0])
		}
	}
	return n, err
}

// The deadlines interrupt a call where the file can be interrupted.
func (p *patient) SetReadDeadline(t time.Time) error  { return p.file.SetReadDeadline(t) }
func (p *patient) SetWriteDeadline(t time.Time) error { return p.file.SetWriteDeadline(t) }

func (p *patient) Read(b []byte) (int, error) { return p.Readv([][]byte{b}) }

func (p *patient) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = p.Writev([][]byte{b[n:]})
		n += m
	}
	return n, err
}

// whyBuffered returns why an end was not direct. err is the reason of package
// pump, which sees only that the end is not a file, and not what wraps it.
func whyBuffered(end any, err error) error {
	if err == nil {
		return nil
	}
	switch end.(type) {
	case *os.File:
		return err
	case *patient:
		return errNotFile
	}
	return errors.New("a flag holds it back, or it has several inputs")
}

// again reports whether a call that returned n and err is to be repeated. If
// so, it has waited until the file is ready. It returns the error that remains.
func (p *patient) again(n int, err error, toWrite bool) (bool, error) {
	switch {
	case !errors.Is(err, syscall.EAGAIN):
		return false, err
	case n > 0:
		return false, nil
	case untilReady(p.file, toWrite) != nil:
		return false, err
	}
	return true, nil
}
