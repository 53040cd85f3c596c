package vectored

import (
	"fmt"
	"io/fs"
	"os"
)

// truncated returns the error for a message that did not fit. If the size is not above
// the room, the system did not report it.
func truncated(size, room int) error {
	if size <= room {
		return fmt.Errorf("%w: more than the %d bytes of room", ErrTruncated, room)
	}
	return fmt.Errorf("%w: %d bytes, with room for %d", ErrTruncated, size, room)
}

// A messageReader reads messages on systems without recvmsg in package kernel, with the
// value's own Read. That truncates a message silently, so it gets a buffer that is
// larger than the room.
type messageReader struct {
	oneReader
	buf []byte
}

// maxRoom is the size of the largest message that a messageReader can read.
const maxRoom = 1 << 20

func (r *messageReader) Readv(bufs [][]byte) (int, error) {
	room, err := size(bufs)
	if err != nil || room == 0 {
		return 0, err
	}
	if need := max(MaxMessage, min(room, maxRoom)) + 1; len(r.buf) < need {
		r.buf = make([]byte, need)
	}
	n, err := r.oneReader.Read(r.buf)
	switch {
	case n < 0 || n > len(r.buf):
		return 0, invalidCount(n, len(r.buf), err)
	case n == len(r.buf):
		return 0, r.failed(truncated(0, n-1))
	case n > room:
		return 0, r.failed(truncated(n, room))
	}
	rest := r.buf[:n]
	for _, b := range bufs {
		rest = rest[copy(b, rest):]
	}
	return n, err
}

func (r *messageReader) Read(b []byte) (int, error) { return r.Readv([][]byte{b}) }

// failed returns err as the error of the value's own Read.
func (r *messageReader) failed(err error) error {
	if f, ok := r.r.(*os.File); ok {
		return &fs.PathError{Op: "read", Path: f.Name(), Err: err}
	}
	return &connError{"read", r.r, err}
}
