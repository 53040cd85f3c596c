//go:build !race

package vectored

import (
	"io"
	"syscall"
	"testing"
)

// noAllocs fails the test if f allocates.
func noAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(200, f); n != 0 {
		t.Errorf("%s allocates %v times", what, n)
	}
}

func TestFileDoesNotAllocate(t *testing.T) {
	_, file := create(t, "0123456789")
	bufs := [][]byte{make([]byte, 2), make([]byte, 3), make([]byte, 1), make([]byte, 1)}
	noAllocs(t, "Preadv", func() { file.Preadv(bufs, 1<<33) })
	noAllocs(t, "Preadv with bytes", func() { file.Preadv(bufs, 1) })
	noAllocs(t, "Pwritev", func() { file.Pwritev(bufs, 2) })
}

func TestStreamsDoNotAllocate(t *testing.T) {
	f, _ := create(t, "")
	r, w := must2(NewReader(f))(t), must2(NewWriter(f))(t)
	bufs := [][]byte{make([]byte, 2), make([]byte, 3), make([]byte, 4)}
	noAllocs(t, "Writev and Readv of a file", func() {
		w.Writev(bufs)
		f.Seek(-9, io.SeekCurrent)
		r.Readv(bufs)
	})
	onLinks(t, func(t *testing.T, l *link) {
		out := [][]byte{make([]byte, 2), make([]byte, 3), make([]byte, 4)}
		in := [][]byte{make([]byte, 4), make([]byte, 4), make([]byte, 4)}
		noAllocs(t, "Writev and Readv", func() {
			l.w.Writev(out)
			l.r.Readv(in)
		})
		noAllocs(t, "Write and Read", func() {
			l.w.Write(out[2])
			l.r.Read(in[2])
		})
	})
}

func TestMessagesDoNotAllocate(t *testing.T) {
	onMessages(t, func(t *testing.T, src, dst end, r Reader, _ error) {
		fd := int(descriptor(t, dst))
		in := [][]byte{make([]byte, 4), make([]byte, 4), make([]byte, 4)}
		out := make([]byte, 9)
		noAllocs(t, "Readv and Read", func() {
			syscall.Sendto(fd, out, 0, nil)
			r.Readv(in)
			syscall.Sendto(fd, out[:3], 0, nil)
			r.Read(in[0])
		})
	})
}
