package vectored

import (
	"github.com/bytering/bytering/internal/netwrite"
)

// maxAll is the most bytes that one Writev of an allWriter writes. It returns only
// after all of them are written, so a larger call would keep the caller from releasing
// memory for longer.
const maxAll = 1 << 20

// An allWriter writes several slices with one call of package net, to a connection of
// that package.
type allWriter struct {
	oneWriter
	bufs [][]byte // the slices of the running call
	rest [][]byte // what is not written
}

func (w *allWriter) Writev(bufs [][]byte) (int, error) {
	// These are copies, because net sets the slices that it has written to nil.
	offered := 0
	for _, b := range bufs {
		b = b[:min(len(b), maxAll-offered)]
		if len(b) > 0 {
			w.bufs = append(w.bufs, b)
			offered += len(b)
		}
	}
	if offered == 0 {
		return 0, nil
	}
	w.rest = w.bufs
	n, err := w.all(offered)
	// No reference to the caller's memory is kept.
	clear(w.bufs)
	w.bufs = w.bufs[:0]
	touchRead(bufs, n)
	return n, err
}

func (w *allWriter) writeAll(bufs [][]byte, size int) (int, error) {
	touchRead(bufs, size) // before net sets them to nil
	w.rest = bufs
	return w.all(size)
}

// all writes all size bytes of rest.
func (w *allWriter) all(size int) (int, error) {
	n, err := netwrite.All(w.w, &w.rest)
	w.rest = nil
	if n < 0 || n > int64(size) {
		return 0, invalidCount(int(n), size, err)
	}
	return int(n), closedAsOS(w.raw, err)
}
