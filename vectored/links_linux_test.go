package vectored

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/scripted"
)

// An end is one end of a link.
type end interface {
	io.ReadWriteCloser
	syscall.Conn
	SetDeadline(time.Time) error
}

// links are the kinds of ends that can wait, each with an end to read and one to
// write.
var links = []struct {
	name string
	open func(t testing.TB) (r, w end)
}{
	{"pipe", func(t testing.TB) (r, w end) {
		pr, pw, err := os.Pipe()
		return pr, must(t, pw, err)
	}},
	{"FIFO", func(t testing.TB) (r, w end) {
		name := filepath.Join(t.TempDir(), "fifo")
		must(t, 0, syscall.Mkfifo(name, 0o600))
		fr, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		must(t, fr, err)
		fw, err := os.OpenFile(name, os.O_WRONLY, 0)
		return fr, must(t, fw, err)
	}},
	{"tcp", func(t testing.TB) (r, w end) { return dial(t, "tcp", "127.0.0.1:0") }},
	{"unix", func(t testing.TB) (r, w end) { return dial(t, "unix", filepath.Join(t.TempDir(), "s")) }},
	{"socketpair as files", func(t testing.TB) (r, w end) { return socketpair(t) }},
	{"socketpair as conns", func(t testing.TB) (r, w end) {
		var ends [2]end
		a, b := socketpair(t)
		for i, f := range []*os.File{a, b} {
			c, err := net.FileConn(f)
			must(t, c, err)
			f.Close()
			ends[i] = c.(end)
		}
		return ends[0], ends[1]
	}},
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func dial(t testing.TB, network, addr string) (r, w end) {
	l, err := net.Listen(network, addr)
	must(t, l, err)
	defer l.Close()
	a, err := net.Dial(network, l.Addr().String())
	must(t, a, err)
	b, err := l.Accept()
	return a.(end), must(t, b, err).(end)
}

func socketpair(t testing.TB) (a, b *os.File) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
	must(t, fds, err)
	return os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
}

// onLinks runs f on each link, with a Reader and a Writer over its ends.
func onLinks(t *testing.T, f func(t *testing.T, l *link)) {
	for _, kind := range links {
		t.Run(kind.name, func(t *testing.T) { f(t, open(t, kind.open)) })
	}
}

// A link is an open pair of ends.
type link struct {
	src, dst end
	r        Reader
	w        Writer
}

func open(t testing.TB, f func(t testing.TB) (r, w end)) *link {
	src, dst := f(t)
	t.Cleanup(func() { src.Close(); dst.Close() })
	r, err := NewReader(src)
	must(t, r, err)
	w, err := NewWriter(dst)
	return &link{src, dst, r, must(t, w, err)}
}

// A seam counts the system calls on a descriptor and makes them.
type seam struct {
	calls atomic.Int32
	waits chan bool // receives a value for each call that must wait
}

func watch(t testing.TB, c syscall.Conn) *seam {
	s := &seam{waits: make(chan bool, 1)}
	scripted.Serve(t, descriptor(t, c), func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		n, errno := scripted.Real(op, fd, vec, off)
		s.calls.Add(1)
		if errno == syscall.EAGAIN {
			select {
			case s.waits <- true:
			default:
			}
		}
		return n, errno
	})
	return s
}

// descriptor returns the number of a descriptor. Unlike os.File.Fd it does not
// change the mode.
func descriptor(t testing.TB, c syscall.Conn) (n uintptr) {
	t.Helper()
	raw, err := c.SyscallConn()
	must(t, raw, err)
	must(t, 0, raw.Control(func(fd uintptr) { n = fd }))
	return n
}

// soon starts f and returns a function that returns its results, and that fails the
// test if f takes too long.
func soon(t testing.TB, what string, f func() (int, error)) func() (int, error) {
	t.Helper()
	done := make(chan result, 1)
	go func() {
		n, err := f()
		done <- result{n, err}
	}()
	return func() (int, error) {
		t.Helper()
		select {
		case r := <-done:
			return r.n, r.err
		case <-time.After(10 * time.Second):
			t.Fatalf("%s hangs", what)
			return 0, nil
		}
	}
}
