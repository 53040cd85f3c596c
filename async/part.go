package async

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/bytering/bytering/internal/seam"
)

// A PartWriter takes the parts of a stream.
type PartWriter interface {
	// WritePart writes a part. Several goroutines call it at once, for different
	// parts, and it is called again for a part that failed if [Retry] says so. It
	// should return soon after ctx has ended.
	//
	// Every reader that WritePart opens must be closed, because DrainParts waits for
	// that. It may be closed after WritePart has returned, by others that are still
	// reading: net/http may read a request body after RoundTrip has returned.
	WritePart(ctx context.Context, part *Part) error
}

// A Part is a piece of the stream, in the ring's memory.
type Part struct {
	Index  int   // of the part, from 0 on
	Offset int64 // of its first byte, including [Offset]
	Len    int64
	Last   bool // the stream ends with this part

	lease *lease
}

// Open returns a new reader at the beginning of the part. Each attempt to write the
// part should open a reader of its own. Any goroutine may call Open. Once the part's
// memory has been given back, Open returns a closed reader.
func (p *Part) Open() *PartReader {
	r := &PartReader{lease: p.lease}
	r.open = p.lease.open()
	return r
}

// A lease is the right to use the memory of a part. It ends when WritePart has returned
// for the last time and no reader uses the memory any more.
type lease struct {
	mem      span
	size     int64
	progress func()
	back     func() // gives the memory back

	mu    seam.Mutex
	users int // WritePart, open readers, and calls of readers
}

// open adds a user. It reports whether the lease has not ended yet.
func (l *lease) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 {
		return false
	}
	l.users++
	return true
}

// close removes a user. The last one ends the lease.
func (l *lease) close() {
	l.mu.Lock()
	l.users--
	last := l.users == 0
	l.mu.Unlock()
	if last {
		l.back()
	}
}

// A PartReader reads a part. One goroutine at a time may call Read, Seek, Len and
// WriteTo. Any goroutine may call ReadAt and Close at any time. Calls that are running
// when Close is called finish; later ones return an error that wraps [ErrReleased] and
// fs.ErrClosed.
type PartReader struct {
	lease *lease
	at    int64

	mu   seam.Mutex
	open bool
}

var _ interface {
	io.ReadSeekCloser
	io.ReaderAt
	io.WriterTo
} = (*PartReader)(nil)

var errReleased = errors.Join(ErrReleased, fs.ErrClosed)

// enter begins a call that uses the memory. The call is a user of its own.
func (r *PartReader) enter() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.open || !r.lease.open() {
		return errReleased
	}
	return nil
}

// Len returns how many bytes are left to read.
func (r *PartReader) Len() int { return int(max(0, r.lease.size-r.at)) }

// Read implements io.Reader.
func (r *PartReader) Read(b []byte) (int, error) {
	n, err := r.ReadAt(b, r.at)
	r.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (r *PartReader) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("async: read of a part at a negative offset")
	}
	if err := r.enter(); err != nil {
		return 0, err
	}
	defer r.lease.close()
	for n < len(b) && off < r.lease.size {
		m := copy(b[n:], r.lease.mem.from(off))
		n, off = n+m, off+int64(m)
	}
	if n > 0 {
		r.lease.progress()
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

// WriteTo implements io.WriterTo. It passes the ring's memory to w, which must neither
// modify nor retain it, as for any io.Writer.
func (r *PartReader) WriteTo(w io.Writer) (total int64, err error) {
	if err := r.enter(); err != nil {
		return 0, err
	}
	defer r.lease.close()
	for r.at < r.lease.size {
		b := r.lease.mem.from(r.at)
		n, err := w.Write(b[:len(b):len(b)])
		if n < 0 || n > len(b) {
			return total, errors.Join(invalidCount(n, len(b)), err)
		}
		if n > 0 {
			r.lease.progress()
		}
		r.at += int64(n)
		total += int64(n)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Seek implements io.Seeker.
func (r *PartReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.lease.size
	default:
		return 0, errors.New("async: seek in a part with an invalid whence")
	}
	if offset < 0 {
		return 0, errors.New("async: seek in a part to a negative offset")
	}
	r.at = offset
	return offset, nil
}

// Close closes the reader. It does not wait for calls of the reader that are running;
// the part's memory stays until they have returned. A second Close does nothing. Close
// always returns nil.
func (r *PartReader) Close() error {
	r.mu.Lock()
	open := r.open
	r.open = false
	r.mu.Unlock()
	if open {
		r.lease.close()
	}
	return nil
}

// part writes a block with WritePart.
func (w *worker) part(b *block, pw PartWriter) {
	size := b.to - b.from
	l := &lease{mem: b.mem, size: size, progress: w.watch.progress, users: 1}
	l.back = func() { w.giveBack(b) }
	defer l.close()
	w.mu.Lock()
	last := b.to == w.window.end
	w.mu.Unlock()
	part := &Part{Index: int(b.from / w.window.size), Offset: w.offset + b.from, Len: size, Last: last, lease: l}
	for attempt := 1; w.wanted(); attempt++ {
		w.begin()
		err := pw.WritePart(w.ctx, part)
		w.watch.end()
		if err == nil {
			w.moved(b, int(size))
			return
		}
		if err = w.again(err, attempt); err != nil {
			w.fail(b, err)
			return
		}
	}
}
