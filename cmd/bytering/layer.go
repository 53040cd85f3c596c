package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/bytering/bytering/vectored"
)

// A layer wraps an end and delays its calls. It has the end's methods, and a wait
// that the end's deadlines interrupt.
type layer struct {
	end any // a reader or a writer
	r   vectored.Reader
	w   vectored.Writer

	mu       sync.Mutex
	deadline time.Time
	changed  chan struct{} // closed when the deadline is set again
}

func around(end any) *layer {
	l := &layer{end: end, changed: make(chan struct{})}
	if r, ok := end.(io.Reader); ok {
		l.r = vectored.ReaderOf(r)
	}
	if w, ok := end.(io.Writer); ok {
		l.w = vectored.WriterOf(w)
	}
	return l
}

// Boundary returns where one read of the end ends.
func (l *layer) Boundary() vectored.Boundary {
	b := vectored.BoundaryOf(l.end)
	if l.r == nil && b != vectored.Stream {
		return vectored.Record // with its room in one slice
	}
	return b
}

func (l *layer) readv(bufs [][]byte) (int, error) {
	if l.r != nil {
		return l.r.Readv(bufs)
	}
	return l.end.(io.Reader).Read(bufs[0])
}

func (l *layer) writev(bufs [][]byte) (int, error) {
	if l.w != nil {
		return l.w.Writev(bufs)
	}
	return l.end.(io.Writer).Write(bufs[0])
}

// wait blocks until ready is closed or the deadline passes.
func (l *layer) wait(ready <-chan struct{}) error {
	for {
		l.mu.Lock()
		deadline, changed := l.deadline, l.changed
		l.mu.Unlock()
		var passed <-chan time.Time
		if !deadline.IsZero() {
			passed = time.After(time.Until(deadline))
		}
		select {
		case <-ready:
			return nil
		case <-passed:
			return os.ErrDeadlineExceeded
		case <-changed:
		}
	}
}

func (l *layer) set(deadline time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = deadline
	close(l.changed)
	l.changed = make(chan struct{})
}

// The deadlines interrupt a wait, and a call where the end can be interrupted.
func (l *layer) SetReadDeadline(t time.Time) error {
	l.set(t)
	if d, ok := l.end.(interface{ SetReadDeadline(time.Time) error }); ok {
		return d.SetReadDeadline(t)
	}
	return os.ErrNoDeadline
}

func (l *layer) SetWriteDeadline(t time.Time) error {
	l.set(t)
	if d, ok := l.end.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return d.SetWriteDeadline(t)
	}
	return os.ErrNoDeadline
}

// readOne is Read by one Readv.
func readOne(r vectored.Reader, b []byte) (int, error) { return r.Readv([][]byte{b}) }

// writeAll is Write by as many Writev as it takes.
func writeAll(w vectored.Writer, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = w.Writev([][]byte{b[n:]})
		n += m
	}
	return n, err
}

// cut returns the first n bytes of bufs. It does not change bufs.
func cut(bufs [][]byte, n int64) (first [][]byte) {
	for _, b := range bufs {
		if n <= 0 {
			break
		}
		b = b[:min(int64(len(b)), n)]
		first = append(first, b)
		n -= int64(len(b))
	}
	return first
}
