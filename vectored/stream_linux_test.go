package vectored

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/pattern"
)

func TestOneCallForAllSlices(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		reads, writes := watch(t, l.src), watch(t, l.dst)
		n, err := l.w.Writev([][]byte{nil, []byte("head"), {}, []byte("er and bo"), []byte("dy"), nil})
		want(t, "Writev", n, err, 15, nil)
		a, b, c := make([]byte, 6), make([]byte, 1), make([]byte, 20)
		n, err = l.r.Readv([][]byte{{}, a, nil, b, c})
		want(t, "Readv", n, err, 15, nil)
		if got := string(a) + string(b) + string(c[:8]); got != "header and body" {
			t.Errorf("got %q", got)
		}
		if !bytes.Equal(c[8:], make([]byte, 12)) {
			t.Error("bytes beyond the count were changed")
		}
		if r, w := reads.calls.Load(), writes.calls.Load(); r != 1 || w != 1 {
			t.Errorf("%d reads and %d writes, want one of each", r, w)
		}
	})
}

func TestNothingToDoIsNoCall(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		reads, writes := watch(t, l.src), watch(t, l.dst)
		for _, bufs := range [][][]byte{nil, {}, {nil}, {{}, nil, {}}} {
			n, err := l.r.Readv(bufs) // would wait if it made a call
			want(t, "Readv", n, err, 0, nil)
			n, err = l.w.Writev(bufs)
			want(t, "Writev", n, err, 0, nil)
		}
		n, err := l.r.Read(nil)
		want(t, "Read", n, err, 0, nil)
		n, err = l.w.Write(nil)
		want(t, "Write", n, err, 0, nil)
		if r, w := reads.calls.Load(), writes.calls.Load(); r != 0 || w != 0 {
			t.Errorf("%d reads and %d writes", r, w)
		}
	})
}

func TestLongStream(t *testing.T) {
	const size = 3 << 20
	onLinks(t, func(t *testing.T, l *link) {
		all := pattern.Bytes(0, size)
		wrote := soon(t, "WriteAll", func() (int, error) {
			defer l.dst.Close()
			return WriteAll(l.w, all[:7], nil, all[7:size/2], all[size/2:])
		})
		got := make([]byte, size)
		n, err := ReadFull(l.r, got[:size/3], got[size/3:size-1], got[size-1:])
		want(t, "ReadFull", n, err, size, nil)
		n, err = wrote()
		want(t, "WriteAll", n, err, size, nil)
		if !bytes.Equal(got, all) {
			t.Error("the bytes differ from those written")
		}
		for range 2 {
			n, err = l.r.Readv([][]byte{got})
			want(t, "Readv at the end", n, err, 0, io.EOF)
			n, err = l.r.Read(got)
			want(t, "Read at the end", n, err, 0, io.EOF)
		}
		n, err = l.r.Readv(nil)
		want(t, "Readv without room at the end", n, err, 0, nil)
	})
}

func TestWriteWritesEverything(t *testing.T) {
	const size = 1 << 20
	onLinks(t, func(t *testing.T, l *link) {
		all := pattern.Bytes(0, size)
		wrote := soon(t, "Write", func() (int, error) { return l.w.Write(all) })
		got := make([]byte, size)
		n, err := io.ReadFull(l.r, got)
		want(t, "io.ReadFull", n, err, size, nil)
		n, err = wrote()
		want(t, "Write", n, err, size, nil)
		if !bytes.Equal(got, all) {
			t.Error("the bytes differ from those written")
		}
	})
}

// wantClosed is want for the error of a closed end.
func wantClosed(t *testing.T, what string, c end, n int, err error) {
	t.Helper()
	want(t, what, n, err, 0, os.ErrClosed)
	if _, isConn := c.(net.Conn); isConn && !isFile(c) && !errors.Is(err, net.ErrClosed) {
		t.Errorf("%s of a connection gives %v, which is not net.ErrClosed", what, err)
	}
}

func isFile(c end) bool { _, ok := c.(*os.File); return ok }

func TestCloseEndsACallThatWaits(t *testing.T) {
	bufs := [][]byte{make([]byte, 10), make([]byte, 1<<20)}
	onLinks(t, func(t *testing.T, l *link) {
		s := watch(t, l.src)
		read := soon(t, "Readv", func() (int, error) { return l.r.Readv(bufs) })
		<-s.waits
		time.Sleep(time.Millisecond)
		l.src.Close()
		n, err := read()
		wantClosed(t, "Readv", l.src, n, err)
	})
	onLinks(t, func(t *testing.T, l *link) {
		s := watch(t, l.dst)
		write := soon(t, "Writev", func() (int, error) {
			for {
				if n, err := l.w.Writev(bufs); err != nil {
					return n, err
				}
			}
		})
		<-s.waits
		time.Sleep(time.Millisecond)
		l.dst.Close()
		n, err := write()
		wantClosed(t, "Writev", l.dst, n, err)
	})
}

func TestClosedBefore(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		l.src.Close()
		l.dst.Close()
		bufs := [][]byte{make([]byte, 10)}
		n, err := l.r.Readv(bufs)
		wantClosed(t, "Readv", l.src, n, err)
		n, err = l.r.Read(bufs[0])
		wantClosed(t, "Read", l.src, n, err)
		n, err = l.w.Writev(bufs)
		wantClosed(t, "Writev", l.dst, n, err)
		n, err = l.w.Write(bufs[0])
		wantClosed(t, "Write", l.dst, n, err)

		_, err = NewReader(l.src)
		want(t, "NewReader", 0, err, 0, ErrUnsupported)
		wantClosed(t, "NewReader", l.src, 0, err)
		_, err = NewWriter(l.dst)
		want(t, "NewWriter", 0, err, 0, ErrUnsupported)
		wantClosed(t, "NewWriter", l.dst, 0, err)
		if r, w := ReaderOf(l.src), WriterOf(l.dst); r != nil || w != nil {
			t.Errorf("ReaderOf and WriterOf are %v and %v", r, w)
		}
	})
}

func TestReadDeadline(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		late := func(what string, read func() (int, error)) {
			t.Helper()
			n, err := read()
			want(t, what, n, err, 0, os.ErrDeadlineExceeded)
			if e, ok := errors.AsType[net.Error](err); !isFile(l.src) && (!ok || !e.Timeout()) {
				t.Errorf("%s gives %v, which is not a timeout", what, err)
			}
		}
		readv := func() (int, error) { return l.r.Readv(bufs) }

		l.src.SetDeadline(time.Now().Add(10 * time.Millisecond))
		late("Readv that waits", soon(t, "Readv", readv))
		late("the next", soon(t, "Readv", readv))
		late("Read", soon(t, "Read", func() (int, error) { return l.r.Read(bufs[0]) }))

		// Bytes that are there stay there.
		n, err := l.w.Write([]byte("abcdefg"))
		want(t, "Write", n, err, 7, nil)
		late("Readv with data", soon(t, "Readv", readv))
		l.src.SetDeadline(time.Time{})
		n, err = readv()
		want(t, "Readv after the reset", n, err, 4, nil)
		if got := string(bytes.Join(bufs, nil)); got != "abcd" {
			t.Errorf("got %q", got)
		}
		n, err = l.r.Readv([][]byte{bufs[0], make([]byte, 1)})
		want(t, "Readv of the rest", n, err, 3, nil)

		// The deadline is set during the call.
		s := watch(t, l.src)
		read := soon(t, "Readv", readv)
		<-s.waits
		l.src.SetDeadline(time.Now())
		late("Readv that waits without a deadline", read)
		l.src.SetDeadline(time.Time{})
		read = soon(t, "Readv", readv)
		n, err = l.w.Write([]byte("x"))
		want(t, "Write", n, err, 1, nil)
		n, err = read()
		want(t, "Readv after all", n, err, 1, nil)
	})
}

func TestWriteDeadline(t *testing.T) {
	const size = 16 << 20 // more than any link holds
	all := pattern.Bytes(0, size)
	onLinks(t, func(t *testing.T, l *link) {
		l.dst.SetDeadline(time.Now().Add(-time.Second))
		n, err := l.w.Writev([][]byte{all})
		want(t, "Writev after it", n, err, 0, os.ErrDeadlineExceeded)

		// On a busy machine a deadline may come before the first byte. So it is set
		// only when there is no more room.
		l.dst.SetDeadline(time.Time{})
		s := watch(t, l.dst)
		write := soon(t, "WriteAll", func() (int, error) { return WriteAll(l.w, all[:100], all[100:]) })
		<-s.waits
		l.dst.SetDeadline(time.Now().Add(time.Millisecond))
		done, err := write()
		if done == 0 || done >= size || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("WriteAll = %d, %v", done, err)
		}
		n, err = l.w.Write(all[done:])
		want(t, "Write", n, err, 0, os.ErrDeadlineExceeded)

		l.dst.SetDeadline(time.Time{})
		rest := soon(t, "Write", func() (int, error) { return l.w.Write(all[done:]) })
		got := make([]byte, size)
		n, err = ReadFull(l.r, got)
		want(t, "ReadFull", n, err, size, nil)
		n, err = rest()
		want(t, "Write of the rest", n, err, size-done, nil)
		if !bytes.Equal(got, all) {
			t.Error("the bytes written differ from those counted")
		}
	})
}

func TestPeerIsGone(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		l.src.Close()
		var err error
		for range 1000 { // TCP learns of it after a while
			if _, err = l.w.Writev([][]byte{make([]byte, 10), make([]byte, 10)}); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Writev gives %v", err)
		}
	})
}

func TestReset(t *testing.T) {
	src, dst := dial(t, "tcp", "127.0.0.1:0")
	defer src.Close()
	r := must2(NewReader(src))(t)
	s := watch(t, src)
	read := soon(t, "Readv", func() (int, error) { return r.Readv([][]byte{make([]byte, 1), make([]byte, 1)}) })
	<-s.waits
	dst.(*net.TCPConn).SetLinger(0)
	dst.Close()
	n, err := read()
	want(t, "Readv", n, err, 0, syscall.ECONNRESET)
}

func must2[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T { t.Helper(); return must(t, v, err) }
}

func TestWrongDirection(t *testing.T) {
	src, dst := links[0].open(t)
	defer src.Close()
	defer dst.Close()
	n, err := must2(NewWriter(src))(t).Writev([][]byte{{1}})
	want(t, "Writev to the end to read", n, err, 0, syscall.EBADF)
	n, err = must2(NewReader(dst))(t).Readv([][]byte{{1}})
	want(t, "Readv from the end to write", n, err, 0, syscall.EBADF)
}
