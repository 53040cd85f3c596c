package bytering

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/kernel"
)

// recordCalls notes the vectored system calls, and the number of slices of each,
// until the test ends.
func recordCalls(t *testing.T) *[]string {
	var calls []string
	real := kernel.Call
	kernel.Call = func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		n, err := real(op, fd, vec, off)
		if err == 0 {
			calls = append(calls, op.String()+" of "+[]string{"0", "1", "2", "more"}[min(len(vec), 3)])
		}
		return n, err
	}
	t.Cleanup(func() { kernel.Call = real })
	return &calls
}

// TestOneCallAtTheWrap checks that the bytes on both sides of the wrap are read and
// written with one call, even through io.Copy, which hides a connection's type. On
// mirrored memory they are one slice.
func TestOneCallAtTheWrap(t *testing.T) {
	sources := map[string]func(t *testing.T, text []byte) io.Reader{
		"TCP": func(t *testing.T, text []byte) io.Reader {
			a, b := tcp(t)
			if _, err := a.Write(text); err != nil {
				t.Fatal(err)
			}
			a.CloseWrite()
			// All bytes must have arrived before the first read.
			raw, err := b.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			peeked := make([]byte, 100)
			if err := raw.Read(func(fd uintptr) bool {
				n, _, _ := syscall.Recvfrom(int(fd), peeked, syscall.MSG_PEEK)
				return n == len(text)
			}); err != nil {
				t.Fatal(err)
			}
			return b
		},
		"pipe": func(t *testing.T, text []byte) io.Reader {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			if _, err := w.Write(text); err != nil {
				t.Fatal(err)
			}
			w.Close()
			return r
		},
	}
	for name, source := range sources {
		for i, opts := range layouts() {
			t.Run(fmt.Sprintf("%s, layout %d", name, i), func(t *testing.T) {
				src := source(t, stream(0, 40))
				p, c := pair(t, 100, opts...)
				done(t, p, c)
				mustMove(t, p, c, p.Cap()-10)
				calls := recordCalls(t)
				if n, err := io.Copy(p, src); n != 40 || err != nil {
					t.Fatalf("io.Copy(p, source) = %d, %v", n, err)
				}
				p.Close()
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if n, err := io.Copy(w, c); n != 40 || err != nil {
					t.Fatalf("io.Copy(pipe, c) = %d, %v", n, err)
				}
				w.Close()
				got, err := io.ReadAll(r)
				if err := errors.Join(err, checkStream(got, 0)); len(got) != 40 || err != nil {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				want := []string{"readv of 2", "readv of 1", "writev of 2"}
				if opts != nil {
					want = []string{"readv of 1", "readv of 1", "writev of 1"}
				}
				if name == "pipe" { // the slices of a pipe's read leave room for a packet beside the ring
					want[0] = map[bool]string{true: "readv of more", false: "readv of 1"}[opts == nil]
					want[1] = "readv of 2"
				}
				if !slices.Equal(*calls, want) {
					t.Errorf("system calls are %v, want %v", *calls, want)
				}
			})
		}
	}
}

// A message of n bytes starts with n. The rest depends on its number i.
func message(i, n int) []byte {
	b := stream(uint64(i)<<20, n)
	if n >= 4 {
		binary.LittleEndian.PutUint32(b, uint32(n))
	}
	return b
}

// messageLinks are pairs of ends, of which a read returns one message, each with
// the size of its largest message.
var messageLinks = map[string]struct {
	open    func(t *testing.T) (w io.WriteCloser, r io.ReadCloser)
	largest int
	paced   bool // whether messages that are sent too fast are lost
	endless bool // whether the reader does not see the writer's Close
}{
	"unixpacket": {func(t *testing.T) (io.WriteCloser, io.ReadCloser) { return unixPair(t, syscall.SOCK_SEQPACKET) }, 65_507, false, false},
	"unixgram":   {func(t *testing.T) (io.WriteCloser, io.ReadCloser) { return unixPair(t, syscall.SOCK_DGRAM) }, 65_507, false, true},
	"udp": {func(t *testing.T) (io.WriteCloser, io.ReadCloser) {
		r, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		w, err := net.DialUDP("udp", nil, r.LocalAddr().(*net.UDPAddr))
		if err != nil {
			t.Fatal(err)
		}
		return w, r
	}, 65_507, true, true},
	"packet pipe": {func(t *testing.T) (io.WriteCloser, io.ReadCloser) {
		var fds [2]int
		if err := syscall.Pipe2(fds[:], syscall.O_DIRECT|syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
			t.Skip(err)
		}
		return os.NewFile(uintptr(fds[1]), "packets"), os.NewFile(uintptr(fds[0]), "packets")
	}, 4096, false, false},
}

func unixPair(t *testing.T, typ int) (w, r *net.UnixConn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, typ|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var cs [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		if f.Close(); err != nil {
			t.Fatal(err)
		}
		cs[i] = c.(*net.UnixConn)
	}
	return cs[0], cs[1]
}

// No message is cut, however little room the ring has.
func TestMessagesStayWhole(t *testing.T) {
	total := 4000
	if os.Getenv("MESSAGES") != "" {
		total = 100_000
	}
	for name, link := range messageLinks {
		for _, capacity := range []int{1, 1000, 16 << 10, 64 << 10, 1 << 20} {
			t.Run(fmt.Sprintf("%s through %d", name, capacity), func(t *testing.T) {
				total := total
				if capacity == 1 {
					total /= 100
				}
				w, r := link.open(t)
				defer w.Close()
				defer r.Close()
				p, c := pair(t, capacity)
				sizes := []int{4, 5, 1316, 4096, 4, 64, 1400, link.largest, 100}
				sent := make(chan error, 1)
				go func() {
					sum := 0
					for i := range total {
						b := message(i, sizes[i%len(sizes)])
						if _, err := w.Write(b); err != nil {
							sent <- err
							return
						}
						for sum += len(b); link.paced && p.Position() < uint64(max(0, sum-min(capacity/2, 20_000))); {
							time.Sleep(10 * time.Microsecond)
						}
					}
					sent <- nil
					if !link.endless {
						w.Close()
					}
				}()
				ended := make(chan error, 1)
				go func() {
					_, err := p.ReadFrom(r)
					p.Close()
					ended <- err
				}()
				head := make([]byte, 4)
				for i := range total {
					if _, err := io.ReadFull(c, head); err != nil {
						t.Fatalf("message %d: %v", i, err)
					}
					want := message(i, sizes[i%len(sizes)])
					got := make([]byte, len(want)-4)
					if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(head, want[:4]) || !bytes.Equal(got, want[4:]) {
						t.Fatalf("message %d of %d bytes is not the one that was sent: %v", i, len(want), err)
					}
				}
				if err := <-sent; err != nil {
					t.Error(err)
				}
				if link.endless {
					r.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(time.Now())
				}
				if err := <-ended; err != nil && !(link.endless && errors.Is(err, os.ErrDeadlineExceeded)) {
					t.Error(err)
				}
				if n, err := c.Read(head); n != 0 || err != io.EOF {
					t.Errorf("%d bytes after the last message, %v", n, err)
				}
			})
		}
	}
}

// A device of records is read with room for whole records, in one slice.
func TestRecordsStayWhole(t *testing.T) {
	for _, capacity := range []int{1, 7, 9, 100, 1 << 20} {
		for off := range min(capacity, 3) {
			// A read of an eventfd returns 8 bytes, and EINVAL if there is room for
			// fewer.
			fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
			if errno != 0 {
				t.Fatal(errno)
			}
			events := os.NewFile(fd, "events")
			p, c := pair(t, capacity)
			mustMove(t, p, c, off)
			ended := make(chan error, 1)
			go func() { _, err := p.ReadFrom(events); ended <- err }()
			for i := range uint64(20) {
				one := binary.NativeEndian.AppendUint64(nil, i+1)
				if _, err := events.Write(one); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 8)
				if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, one) {
					t.Fatalf("capacity %d at %d: event %d is %v, %v", capacity, off, i+1, got, err)
				}
			}
			events.SetReadDeadline(time.Now())
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("capacity %d: %v", capacity, err)
			}
			events.Close()
		}
	}
}

func TestInotifyStaysWhole(t *testing.T) {
	dir := t.TempDir()
	fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.InotifyAddWatch(fd, dir, syscall.IN_CREATE); err != nil {
		t.Fatal(err)
	}
	watch := os.NewFile(uintptr(fd), "inotify")
	defer watch.Close()
	p, c := pair(t, 10)
	go func() { _, err := p.ReadFrom(watch); p.CloseWithError(err) }()
	for i := range 30 {
		name := fmt.Sprintf("a file with number %d", i)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		event := make([]byte, syscall.SizeofInotifyEvent)
		if _, err := io.ReadFull(c, event); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, binary.NativeEndian.Uint32(event[12:]))
		if _, err := io.ReadFull(c, got); err != nil || string(bytes.TrimRight(got, "\x00")) != name {
			t.Fatalf("event %d is of %q, %v", i, got, err)
		}
	}
	c.Close()
}

// Each read of the kernel's log returns one record.
func TestKmsgStaysWhole(t *testing.T) {
	f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	p, c := pair(t, 64)
	f.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	ended := make(chan error, 1)
	go func() { _, err := p.ReadFrom(f); p.Close(); ended <- err }()
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("%d bytes, then %v", len(text), err)
	}
}

// A file opened with O_DIRECT is read only into the ring's memory.
func TestDirectFileHasNoSpill(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, stream(0, 3*4096), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_DIRECT, 0)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	p, c := pair(t, 2*4096, Align(4096))
	ended := make(chan error, 1)
	go func() { _, err := p.ReadFrom(f); p.Close(); ended <- err }()
	for p.Position() < 2*4096 {
		time.Sleep(time.Millisecond)
	}
	got, err := io.ReadAll(bufio.NewReaderSize(blocks{c}, 4096))
	if bad := checkStream(got, 0); len(got) != 3*4096 || err != nil || bad != nil {
		t.Errorf("%d bytes, %v, %v", len(got), err, bad)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if p.spill.buf != nil {
		t.Error("the producer has made a spill")
	}
}

// A blocks reads a consumer's bytes in whole blocks, which take 4096 bytes of the
// caller's memory: a block given back by halves leaves the producer space that is
// not aligned.
type blocks struct{ c *Consumer }

func (b blocks) Read(buf []byte) (int, error) {
	if len(buf) < 4096 {
		return 0, io.ErrShortBuffer
	}
	x, err := b.c.Peek(4096)
	if len(x) == 0 {
		return 0, err
	}
	n := copy(buf, x)
	b.c.Discard(n)
	return n, nil
}

// An empty datagram is a message, not a read without progress.
func TestEmptyMessages(t *testing.T) {
	w, r := messageLinks["udp"].open(t)
	defer w.Close()
	defer r.Close()
	for range 2 * maxEmptyReads {
		if _, err := w.Write(nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	p, c := pair(t, 8)
	ended := make(chan error, 1)
	go func() { _, err := p.ReadFrom(r); p.CloseWithError(err); ended <- err }()
	if b, err := c.ReadByte(); b != 'x' || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	r.(net.Conn).SetReadDeadline(time.Now())
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}
