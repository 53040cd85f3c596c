package vectored

import (
	"errors"
	"fmt"
	"os"
)

// A File reads and writes several slices at an offset of an *os.File with one
// call. It does not use or change the file's own offset. It may be used by
// several goroutines at once.
//
// On Linux it uses preadv and pwritev. Elsewhere each call reads or writes the
// first slice that is not empty.
type File struct{ positioned }

var (
	errAppend = errors.New("it was opened with O_APPEND, which writes at the end whatever the offset")
	errOffset = errors.New("negative offset")
)

// NewFile returns a File that uses the descriptor of f, which keeps it. The error
// wraps [ErrUnsupported] if f is closed or has no offsets, as a pipe or a socket
// has none.
func NewFile(f *os.File) (*File, error) {
	file := new(File)
	if err := file.open(f); err != nil {
		return nil, err
	}
	return file, nil
}

// Preadv fills bufs in order with the bytes from offset off on, and returns the
// number of bytes read, which may be less than there is room for. At the end of
// the file or beyond it returns 0 and io.EOF. If bufs has no room it returns 0
// and nil. A negative offset is an error.
func (f *File) Preadv(bufs [][]byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, &os.PathError{Op: "preadv", Path: f.name, Err: errOffset}
	}
	return f.preadv(bufs, off)
}

// Pwritev writes bufs in order from offset off on, and returns the number of
// bytes written, which may be less than there are, with a nil error. A negative
// offset is an error. If the file was opened with O_APPEND the error wraps
// [ErrUnsupported], because Linux would ignore the offset.
func (f *File) Pwritev(bufs [][]byte, off int64) (n int, err error) {
	switch {
	case off < 0:
		return 0, &os.PathError{Op: "pwritev", Path: f.name, Err: errOffset}
	case f.append:
		return 0, &os.PathError{Op: "pwritev", Path: f.name, Err: fmt.Errorf("%w: %w", ErrUnsupported, errAppend)}
	}
	return f.pwritev(bufs, off)
}
