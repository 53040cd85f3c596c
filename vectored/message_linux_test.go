package vectored

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/internal/scripted"
)

// messages are sockets that keep messages apart, each with an end to read and one
// to write.
var messages = []struct {
	name string
	// empty is the error of a read of an empty message.
	empty error
	open  func(t testing.TB) (r, w end)
}{
	{"udp", nil, func(t testing.TB) (r, w end) {
		l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(t, l, err)
		c, err := net.Dial("udp", l.LocalAddr().String())
		return l, must(t, c, err).(end)
	}},
	{"unixgram", nil, func(t testing.TB) (r, w end) {
		name := filepath.Join(t.TempDir(), "s")
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		must(t, l, err)
		c, err := net.Dial("unixgram", name)
		return l, must(t, c, err).(end)
	}},
	{"seqpacket", io.EOF, func(t testing.TB) (r, w end) {
		return dial(t, "unixpacket", filepath.Join(t.TempDir(), "s"))
	}},
	{"datagram socketpair as conns", nil, func(t testing.TB) (r, w end) {
		a, b := pair(t, syscall.SOCK_DGRAM)
		c, err := net.FileConn(a)
		return must(t, c, err).(end), b
	}},
	{"datagram socketpair as files", io.EOF, func(t testing.TB) (r, w end) { return pair(t, syscall.SOCK_DGRAM) }},
	{"seqpacket socketpair as files", io.EOF, func(t testing.TB) (r, w end) { return pair(t, syscall.SOCK_SEQPACKET) }},
}

// onMessages runs f on each kind, with a Reader over the end to read.
func onMessages(t *testing.T, f func(t *testing.T, src, dst end, r Reader, empty error)) {
	for _, kind := range messages {
		t.Run(kind.name, func(t *testing.T) {
			src, dst := kind.open(t)
			t.Cleanup(func() { src.Close(); dst.Close() })
			r := ReaderOf(src)
			if r == nil {
				t.Fatal("ReaderOf is nil")
			}
			f(t, src, dst, r, kind.empty)
		})
	}
}

// inSlices returns size bytes in slices slices of different lengths.
func inSlices(size, slices int) [][]byte {
	b := make([]byte, size)
	var bufs [][]byte
	for ; slices > 1; slices-- {
		n := len(b) / 3
		bufs = append(bufs, b[:n:n])
		b = b[n:]
	}
	return append(bufs, b)
}

// send writes size bytes as one message. An os.File would not write an empty one.
func send(t testing.TB, w end, size int) (sent []byte) {
	t.Helper()
	sent = pattern.Bytes(uint64(size), size)
	must(t, 0, syscall.Sendto(int(descriptor(t, w)), sent, 0, nil))
	return sent
}

func TestMessages(t *testing.T) {
	onMessages(t, func(t *testing.T, src, dst end, r Reader, empty error) {
		for _, size := range []int{1, 2, 1316, 4096, 65507} {
			for slices := 1; slices <= 3; slices++ {
				for _, room := range []int{size, size + 1, MaxMessage, 2 * MaxMessage} {
					first := send(t, dst, size)
					send(t, dst, 7) // stays a message of its own
					bufs := inSlices(room, slices)
					n, err := r.Readv(bufs)
					want(t, "Readv", n, err, size, nil)
					if got := bytes.Join(bufs, nil)[:size]; !bytes.Equal(got, first) {
						t.Errorf("a message of %d bytes, read into %d slices of %d bytes, is not the one that was sent", size, slices, room)
					}
					n, err = r.Read(make([]byte, 7))
					want(t, "Read", n, err, 7, nil)
				}
				for _, room := range []int{size - 1, (size + 1) / 2, 1} {
					if room == 0 || room >= size {
						continue
					}
					send(t, dst, size)
					n, err := r.Readv(inSlices(room, slices))
					isTruncated(t, "Readv", n, err, size, room)
				}
				// The bytes that one message had no room for are not in the next.
				next := send(t, dst, 3)
				b := make([]byte, 9)
				n, err := r.Read(b)
				want(t, "Read of the next", n, err, 3, nil)
				if !bytes.Equal(b[:3], next) {
					t.Errorf("the next is %q", b[:3])
				}
			}
		}
	})
}

func isTruncated(t *testing.T, what string, n int, err error, size, room int) {
	t.Helper()
	want(t, what, n, err, 0, ErrTruncated)
	text := fmt.Sprintf("%v: %d bytes, with room for %d", ErrTruncated, size, room)
	if inner := errors.Unwrap(err); inner == nil || inner.Error() != text {
		t.Errorf("%s: %v, want it to end with %q", what, err, text)
	}
}

func TestTruncatedIsAnErrorOfRead(t *testing.T) {
	onMessages(t, func(t *testing.T, src, dst end, r Reader, _ error) {
		send(t, dst, 9)
		n, err := r.Read(make([]byte, 4))
		isTruncated(t, "Read", n, err, 9, 4)
		own := fmt.Errorf("%w: %d bytes, with room for %d", ErrTruncated, 9, 4)
		if f, ok := src.(*os.File); ok {
			own = &os.PathError{Op: "read", Path: f.Name(), Err: own}
		} else {
			conn := src.(net.Conn)
			op := &net.OpError{Op: "read", Net: conn.LocalAddr().Network(), Source: conn.LocalAddr(), Err: own}
			if conn.RemoteAddr() != nil {
				op.Addr = conn.RemoteAddr()
			}
			own = op
		}
		if err.Error() != own.Error() {
			t.Errorf("Read: %q, want %q", err, own)
		}
		// io.ReadFull drops an error that comes with all the bytes it wants.
		send(t, dst, 9)
		n, err = io.ReadFull(r, make([]byte, 4))
		isTruncated(t, "io.ReadFull", n, err, 9, 4)
		send(t, dst, 9)
		n, err = ReadFull(r, make([]byte, 4))
		isTruncated(t, "ReadFull", n, err, 9, 4)
	})
}

func TestEmptyMessages(t *testing.T) {
	onMessages(t, func(t *testing.T, src, dst end, r Reader, empty error) {
		for slices := 1; slices <= 3; slices++ {
			send(t, dst, 0)
			n, err := r.Readv(inSlices(9, slices))
			want(t, "Readv", n, err, 0, empty)
		}
		send(t, dst, 0)
		n, err := src.Read(make([]byte, 9))
		want(t, "the value's own Read", n, err, 0, empty)
		send(t, dst, 2)
		n, err = r.Readv([][]byte{nil, {}})
		want(t, "Readv without room", n, err, 0, nil)
		n, err = r.Readv([][]byte{nil, {0}, {}, {0}})
		want(t, "Readv after that", n, err, 2, nil)
	})
}

func TestMessagesAreWaitedFor(t *testing.T) {
	onMessages(t, func(t *testing.T, src, dst end, r Reader, _ error) {
		s := watch(t, src)
		read := soon(t, "Readv", func() (int, error) { return r.Readv(inSlices(9, 2)) })
		<-s.waits
		send(t, dst, 5)
		n, err := read()
		want(t, "Readv", n, err, 5, nil)

		src.SetDeadline(time.Unix(1, 0))
		n, err = r.Readv(inSlices(9, 2))
		want(t, "Readv past the deadline", n, err, 0, os.ErrDeadlineExceeded)
		_, own := src.Read(make([]byte, 9))
		sameError(t, "Readv past the deadline", err, own)
		src.SetDeadline(time.Time{})

		read = soon(t, "Readv", func() (int, error) { return r.Readv(inSlices(9, 2)) })
		<-s.waits
		src.Close()
		n, err = read()
		want(t, "Readv while it is closed", n, err, 0, os.ErrClosed)
		_, err = r.Readv(inSlices(9, 2))
		_, own = src.Read(make([]byte, 9))
		sameError(t, "Readv of what is closed", err, own)
	})
}

func TestMessagesOfAScript(t *testing.T) {
	onMessages(t, func(t *testing.T, src, _ end, r Reader, _ error) {
		var answers []result
		scripted.Serve(t, descriptor(t, src), func(op kernel.Op, _ uintptr, vec []syscall.Iovec, _ int64) (int, syscall.Errno) {
			if op != kernel.Recvmsg {
				t.Errorf("a call of %v", op)
			}
			a := answers[0]
			answers = answers[1:]
			errno, _ := a.err.(syscall.Errno)
			return a.n, errno
		})
		for _, tc := range []struct {
			name    string
			answers []result
			n       int
			err     error
			text    string
		}{
			{"interrupted", []result{{0, syscall.EINTR}, {0, syscall.EINTR}, {4, nil}}, 4, nil, ""},
			{"full", []result{{9, nil}}, 9, nil, ""},
			{"one too long", []result{{10, nil}}, 0, ErrTruncated, "10 bytes, with room for 9"},
			{"of a size that is not told", []result{{0, syscall.EMSGSIZE}}, 0, ErrTruncated, "more than the 9 bytes of room"},
			{"negative", []result{{-1, nil}}, 0, ErrInvalidCount, "-1 for 9 bytes"},
			{"refused", []result{{0, syscall.ECONNREFUSED}}, 0, syscall.ECONNREFUSED, "read: connection refused"},
		} {
			answers = tc.answers
			n, err := r.Readv(inSlices(9, 2))
			want(t, tc.name, n, err, tc.n, tc.err)
			if _, ok := src.(*os.File); tc.text != "" && !bytes.HasSuffix([]byte(err.Error()), []byte(tc.text)) && (!ok || tc.name != "refused") {
				t.Errorf("%s: %v, want it to end with %q", tc.name, err, tc.text)
			}
			if len(answers) != 0 {
				t.Errorf("%s: %d answers were not used", tc.name, len(answers))
			}
		}
	})
}

// Descriptors that come with a message are closed, as Read does.
func TestDescriptorsDoNotComeIn(t *testing.T) {
	for _, typ := range []int{syscall.SOCK_SEQPACKET, syscall.SOCK_DGRAM} {
		src, dst := pair(t, typ)
		r := must2(NewReader(src))(t)
		pr, pw, err := os.Pipe()
		must(t, 0, err)
		rights := syscall.UnixRights(int(descriptor(t, pw)), int(descriptor(t, pw)))
		must(t, 0, syscall.Sendmsg(int(descriptor(t, dst)), []byte("abc"), rights, nil, 0))
		pw.Close()
		n, err := r.Readv(inSlices(9, 2))
		want(t, "Readv", n, err, 3, nil)
		must(t, 0, pr.SetReadDeadline(time.Now().Add(10*time.Second)))
		n, err = pr.Read(make([]byte, 1))
		want(t, "a pipe whose other end is closed", n, err, 0, io.EOF)
		pr.Close()
	}
}

// A message of more than MaxMessage bytes is read if there is room.
func TestLongMessages(t *testing.T) {
	for _, typ := range []int{syscall.SOCK_SEQPACKET, syscall.SOCK_DGRAM} {
		const size = 100_000
		src, dst := pair(t, typ)
		r := must2(NewReader(src))(t)
		send(t, dst, size)
		n, err := r.Readv(inSlices(MaxMessage, 2))
		isTruncated(t, "Readv", n, err, size, MaxMessage)
		sent, bufs := send(t, dst, size), inSlices(size, 3)
		n, err = r.Readv(bufs)
		want(t, "Readv with room", n, err, size, nil)
		if !bytes.Equal(bytes.Join(bufs, nil), sent) {
			t.Error("the message is not the one that was sent")
		}
	}
}
