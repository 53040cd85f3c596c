package vectored

import (
	"github.com/bytering/bytering/internal/netwrite"
)

// maxAll is how many bytes an allWriter hands over at once, though it is asked
// to write more. All of them are written before it returns, and only then can
// the caller give back the memory.
const maxAll = 1 << 20

// An allWriter writes several slices a call through package net, to a
// connection of that package.
type allWriter struct {
	oneWriter
	bufs [][]byte // the slices of the running call
	rest [][]byte // what is not written
}

func (w *allWriter) Writev(bufs [][]byte) (int, error) {
	// Copies, as net sets the slices that it has written to nil.
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
	// Nothing of the caller's is kept.
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
