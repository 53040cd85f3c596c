package main

import (
	"errors"
	"io"
	"syscall"
)

// errVolume is for what does not fit on a volume of the size that -D says.
var errVolume = errors.New("end of volume")

// A tapeSink is a sink that ends as a tape does.
type tapeSink struct {
	*layer
	tape
	written int64
}

// onTape returns what writes to w as the flags about tapes say.
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
	// A tape that nears its end says so for every other call only.
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
