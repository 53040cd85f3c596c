//go:build !linux

package vectored

import (
	"errors"
	"fmt"
	"os"
)

type positioned struct {
	name   string
	append bool
	file   *os.File
}

func (p *positioned) open(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return refuse(f, err)
	}
	if info.Mode()&(os.ModeNamedPipe|os.ModeSocket|os.ModeCharDevice) != 0 {
		return refuse(f, errNoOffsets)
	}
	p.name, p.file = f.Name(), f
	return nil
}

// source returns the value that BoundaryOf examines.
func (p *positioned) source() any { return p.file }

func (p *positioned) preadv(bufs [][]byte, off int64) (int, error) {
	b := first(bufs)
	if len(b) == 0 {
		return 0, nil
	}
	n, err := p.file.ReadAt(b, off)
	if n > 0 {
		err = nil // the next call returns it again
	}
	return n, err
}

func (p *positioned) pwritev(bufs [][]byte, off int64) (int, error) {
	b := first(bufs)
	if len(b) == 0 {
		return 0, nil
	}
	n, err := p.file.WriteAt(b, off)
	if err != nil && !errors.As(err, new(*os.PathError)) {
		// It is the error for O_APPEND, which package os does not export.
		err = &os.PathError{Op: "pwritev", Path: p.name, Err: fmt.Errorf("%w: %w", ErrUnsupported, err)}
	}
	return n, err
}
