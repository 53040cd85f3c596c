package vectored

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"
)

// anonymous returns a descriptor that a system call makes from flags alone.
func anonymous(t testing.TB, name string, number uintptr, args ...uintptr) *os.File {
	t.Helper()
	args = append(args, 0, 0, 0)
	fd, _, errno := syscall.Syscall6(number, args[0], args[1], args[2], args[3], 0, 0)
	if errno != 0 {
		t.Fatalf("%s: %v", name, errno)
	}
	f := os.NewFile(fd, name)
	t.Cleanup(func() { f.Close() })
	return f
}

func eventfd(t testing.TB) *os.File {
	return anonymous(t, "eventfd", syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK)
}

func inotify(t testing.TB) *os.File {
	return anonymous(t, "inotify", syscall.SYS_INOTIFY_INIT1, syscall.O_NONBLOCK)
}

// packetPipe returns a pipe that keeps its writes apart. pipe2 sets O_DIRECT only
// at the end for writing.
func packetPipe(t testing.TB) (r, w *os.File) {
	var fds [2]int
	must(t, 0, syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK|syscall.O_DIRECT))
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { w.Close(); r.Close() })
	return r, w
}

// device opens a device, or skips the test if it cannot be opened.
func device(t *testing.T, name string) *os.File {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENXIO) {
		t.Skip(err)
	}
	t.Cleanup(func() { f.Close() })
	return must(t, f, err)
}

func boundaryIs(t *testing.T, what string, v any, want Boundary) {
	t.Helper()
	if got := BoundaryOf(v); got != want {
		t.Errorf("BoundaryOf %s is %v, want %v", what, got, want)
	}
}

// atEvery fails the test unless v has the boundary want, and so does everything
// that leads to its descriptor.
func atEvery(t *testing.T, v syscall.Conn, want Boundary) {
	t.Helper()
	boundaryIs(t, fmt.Sprintf("a %T", v), v, want)
	if r, err := NewReader(v); err == nil {
		boundaryIs(t, "its Reader", r, want)
	}
	boundaryIs(t, "what embeds it", struct{ syscall.Conn }{v}, want)
	if conn, ok := v.(net.Conn); ok {
		boundaryIs(t, "the net.Conn alone", anyConn{conn}, want)
	}
	if f, ok := v.(*os.File); ok {
		boundaryIs(t, "its one-slice Reader", &oneReader{r: f}, want)
		var got catcher
		if _, err := io.Copy(&got, f); err != nil || got.r == f {
			t.Fatalf("io.Copy hands on %T: %v", got.r, err)
		}
		boundaryIs(t, "what io.Copy hands on", got.r, want)
	}
}

func TestBoundaryOf(t *testing.T) {
	for _, kind := range links {
		t.Run(kind.name, func(t *testing.T) {
			r, w := kind.open(t)
			defer r.Close()
			defer w.Close()
			want := Stream
			if kind.name == "pipe" || kind.name == "FIFO" {
				want = Packet
			}
			atEvery(t, r, want)
			atEvery(t, w, want)
		})
	}
	onMessages(t, func(t *testing.T, src, dst end, _ Reader, _ error) {
		atEvery(t, src, Message)
		atEvery(t, dst, Message)
	})
	t.Run("ip", func(t *testing.T) { atEvery(t, raw(t), Message) })
	t.Run("packet pipe", func(t *testing.T) {
		r, _ := packetPipe(t)
		atEvery(t, r, Packet)
	})
	t.Run("file", func(t *testing.T) {
		f, file := create(t, "")
		atEvery(t, f, Stream)
		boundaryIs(t, "a File", file, Stream)
	})
	t.Run("directory", func(t *testing.T) { atEvery(t, device(t, t.TempDir()), Stream) })
	t.Run("eventfd", func(t *testing.T) { atEvery(t, eventfd(t), Record) })
	t.Run("inotify", func(t *testing.T) { atEvery(t, inotify(t), Record) })
	t.Run("timerfd", func(t *testing.T) {
		atEvery(t, anonymous(t, "timerfd", syscall.SYS_TIMERFD_CREATE, 1), Record)
	})
	for name, want := range map[string]Boundary{
		"/dev/null": Stream, "/dev/zero": Stream, "/dev/full": Stream, "/dev/random": Stream, "/dev/urandom": Stream,
		"/dev/kmsg": Record, "/dev/input/event0": Record, "/dev/net/tun": Record, "/dev/hwrng": Record, "/dev/nst0": Record,
		"/dev/tty": Stream, "/dev/ttyS0": Stream, "/dev/console": Stream,
	} {
		t.Run(name, func(t *testing.T) { atEvery(t, device(t, name), want) })
	}
	t.Run("pseudo-terminal", func(t *testing.T) {
		atEvery(t, device(t, "/dev/ptmx"), Stream)
	})
}

// pair returns both ends of a socket pair, as files.
func pair(t testing.TB, typ int) (a, b *os.File) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, typ|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	must(t, fds, err)
	a, b = os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// An address belongs to the network that it names, for values without a descriptor.
type address string

func (a address) Network() string { return string(a) }
func (a address) String() string  { return "" }

type addressed struct {
	io.Reader
	addr net.Addr
}

func (a addressed) LocalAddr() net.Addr { return a.addr }

func TestBoundaryOfWhatHasNoDescriptor(t *testing.T) {
	for network, want := range map[string]Boundary{
		"udp": Message, "ip": Message, "unixgram": Message, "unixpacket": Message,
		"tcp": Stream, "unix": Stream, "pipe": Stream, "": Stream,
	} {
		boundaryIs(t, "one of "+network, addressed{nil, address(network)}, want)
	}
	for b, room := range map[Boundary]int{Stream: 1, Packet: os.Getpagesize(), Message: MaxMessage, Record: MaxMessage} {
		if b.Room() != room {
			t.Errorf("a read of %v needs room for %d", b, b.Room())
		}
	}
	boundaryIs(t, "one without an address", addressed{}, Stream)
	boundaryIs(t, "nil", nil, Stream)
	boundaryIs(t, "7", 7, Stream)
	boundaryIs(t, "a buffer", new(bytes.Buffer), Stream)
	boundaryIs(t, "a nil file", (*os.File)(nil), Stream)
	boundaryIs(t, "a nil connection", (*net.UDPConn)(nil), Stream)
	boundaryIs(t, "a nil File", (*File)(nil), Stream)
	boundaryIs(t, "an empty File", new(File), Stream)
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	boundaryIs(t, "a net.Pipe", a, Stream)
	f := eventfd(t)
	f.Close()
	boundaryIs(t, "a closed file", f, Stream)
}
