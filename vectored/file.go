package vectored

import (
	"errors"
	"fmt"
	"os"
)

// A File reads and writes at offsets of an *os.File, several slices with one
// call, and leaves the file's own offset alone. Several goroutines may use it
// at once, as the calls of one don't concern those of another.
//
// Linux has preadv and pwritev for this. Elsewhere it reads and writes the first
// slice that is not empty.
type File struct{ positioned }

var (
	errAppend = errors.New("it was opened with O_APPEND, which writes at the end whatever the offset")
	errOffset = errors.New("negative offset")
)

// NewFile returns a File over f, which keeps the descriptor. It is an error that
// wraps [ErrUnsupported] if f is closed or no file with offsets: a pipe, a
// socket.
func NewFile(f *os.File) (*File, error) {
	file := new(File)
	if err := file.open(f); err != nil {
		return nil, err
	}
	return file, nil
}

// Preadv fills bufs in their order with the bytes from off on and returns how
// many those were: all there is room for, or fewer where the system gave fewer;
// 0 and io.EOF at the end of the file or beyond. Without room it returns 0 and
// nil.
func (f *File) Preadv(bufs [][]byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, &os.PathError{Op: "preadv", Path: f.name, Err: errOffset}
	}
	return f.preadv(bufs, off)
}

// Pwritev writes bufs in their order from off on and returns how many bytes the
// system took, all or fewer. On a file that was opened with O_APPEND it is an
// error that wraps [ErrUnsupported], because Linux would ignore the offset.
func (f *File) Pwritev(bufs [][]byte, off int64) (n int, err error) {
	switch {
	case off < 0:
		return 0, &os.PathError{Op: "pwritev", Path: f.name, Err: errOffset}
	case f.append:
		return 0, &os.PathError{Op: "pwritev", Path: f.name, Err: fmt.Errorf("%w: %w", ErrUnsupported, errAppend)}
	}
	return f.pwritev(bufs, off)
}
