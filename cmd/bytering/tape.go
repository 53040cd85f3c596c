package main

import (
	"errors"
	"io"
	"syscall"
)

// errVolume is for bytes that do not fit on a volume of the size of -D.
var errVolume = errors.New("end of volume")

// A tapeSink is a writer that ends as a tape does.
type tapeSink struct {
	*layer
	tape
	written int64
}

// onTape returns a writer to w that follows the flags for tapes.
func onTape(w io.Writer, t tape) io.Writer {
	if t == (tape{}) {
		return w
	}
	return &tapeSink{layer: around(w), tape: t}
}

func (s *tapeSink) Writev(bufs [][]byte) (n int, err error) {
	if s.volume > 0 {
		if s.written == s.volume {
			return 0, errVolume
		}
		bufs = cut(bufs, s.volume-s.written)
	}
	n, err = s.writev(bufs)
	// A tape near its end fails only every other call.
	if s.aware && errors.Is(err, syscall.ENOSPC) {
		if n == 0 {
			n, err = s.writev(bufs)
		} else {
			err = nil
		}
	}
	s.written += int64(n)
	return n, err
}

func (s *tapeSink) Write(b []byte) (int, error) { return writeAll(s, b) }
