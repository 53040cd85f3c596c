package vectored

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// datagrams returns both ends of a UDP connection, and the first as a descriptor.
func datagrams(t *testing.T) (conn *net.UDPConn, peer net.Conn, raw syscall.RawConn) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if peer, err = net.Dial("udp", conn.LocalAddr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	if raw, err = conn.SyscallConn(); err != nil {
		t.Fatal(err)
	}
	return conn, peer, raw
}

// Without recvmsg, a Read into more memory than the slices have does the same.
func TestMessagesByRead(t *testing.T) {
	conn, peer, raw := datagrams(t)
	if b := BoundaryOf(conn); b != Message {
		t.Errorf("BoundaryOf is %v", b)
	}
	if w, err := NewWriter(conn); w != nil || !errors.Is(err, ErrUnsupported) || !errors.Is(err, errNoStream) {
		t.Errorf("NewWriter gives %v, %v", w, err)
	}
	own, err := NewReader(conn)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Reader{
		"NewReader": own,
		"by Read":   &messageReader{oneReader: oneReader{conn, raw}},
	} {
		t.Run(name, func(t *testing.T) {
			if b := BoundaryOf(r); b != Message {
				t.Errorf("BoundaryOf is %v", b)
			}
			messagesInto(t, r, func(size int) string {
				b := make([]byte, size)
				for i := range b {
					b[i] = alphabet[(i+size)%len(alphabet)]
				}
				if _, err := peer.Write(b); err != nil {
					t.Fatal(err)
				}
				return string(b)
			})
		})
	}
}

func messagesInto(t *testing.T, r Reader, send func(size int) string) {
	for _, bufs := range [][][]byte{nil, {nil, {}}} {
		n, err := r.Readv(bufs)
		want(t, "Readv without room", n, err, 0, nil)
	}
	for _, size := range []int{0, 1, 2, 1316, 4096, 9000} {
		for _, room := range []int{size, size + 2, MaxMessage, MaxMessage + 2} {
			b := make([]byte, max(room, 1)) // a read without room does nothing
			sent := send(size)
			n, err := r.Readv([][]byte{nil, b[:size/3], {}, b[size/3 : size/2], b[size/2:]})
			want(t, "Readv", n, err, size, nil)
			if got := string(b[:size]); got != sent {
				t.Errorf("a message of %d bytes is %q", size, got)
			}
			send(size)
			n, err = r.Read(b)
			want(t, "Read", n, err, size, nil)
		}
		if size < 2 {
			continue
		}
		send(size)
		n, err := r.Readv([][]byte{make([]byte, 1), make([]byte, size-2)})
		want(t, "Readv with too little room", n, err, 0, ErrTruncated)
		var op *net.OpError
		if text := fmt.Sprintf("%v: %d bytes, with room for %d", ErrTruncated, size, size-1); !errors.As(err, &op) || op.Err.Error() != text {
			t.Errorf("the error is %v, want it to end with %q", err, text)
		}
		send(1)
		n, err = r.Read(make([]byte, 9))
		want(t, "Read of the next", n, err, 1, nil)
	}
}

// A readerFunc is a function that serves as an io.Reader.
type readerFunc func(b []byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestMessagesByReadOfOthers(t *testing.T) {
	room := 9
	for _, tc := range []struct {
		name string
		read readerFunc
		n    int
		err  error
	}{
		{"negative", func(b []byte) (int, error) { return -1, errTest }, 0, ErrInvalidCount},
		{"too many", func(b []byte) (int, error) { return len(b) + 1, nil }, 0, ErrInvalidCount},
		{"all there is", func(b []byte) (int, error) { return len(b), nil }, 0, ErrTruncated},
		{"one too many", func(b []byte) (int, error) { return room + 1, nil }, 0, ErrTruncated},
		{"with an error", func(b []byte) (int, error) { return copy(b, alphabet[:4]), errTest }, 4, errTest},
		{"the end", func(b []byte) (int, error) { return 0, io.EOF }, 0, io.EOF},
	} {
		r := &messageReader{oneReader: oneReader{tc.read, nil}}
		b := make([]byte, room)
		n, err := r.Readv([][]byte{b[:3], b[3:]})
		want(t, tc.name, n, err, tc.n, tc.err)
		if string(b[:n]) != alphabet[:n] {
			t.Errorf("%s: got %q", tc.name, b[:n])
		}
	}
	// However much room there is, no more than the largest message is set aside.
	r := &messageReader{oneReader: oneReader{readerFunc(func(b []byte) (int, error) { return len(b), nil }), nil}}
	n, err := r.Read(make([]byte, 2*maxRoom))
	want(t, "Read", n, err, 0, ErrTruncated)
	if len(r.buf) != maxRoom+1 {
		t.Errorf("%d bytes are set aside", len(r.buf))
	}

	f, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(alphabet), 0); err != nil {
		t.Fatal(err)
	}
	var path *os.PathError
	n, err = (&messageReader{oneReader: oneReader{f, nil}}).Read(make([]byte, room))
	want(t, "Read of a file", n, err, 0, ErrTruncated)
	if !errors.As(err, &path) || path.Path != f.Name() || path.Op != "read" {
		t.Errorf("the error is %#v", err)
	}
}
