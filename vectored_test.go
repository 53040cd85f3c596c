//go:build !interleave

package bytering

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"reflect"
	"runtime"
	"testing"

	"github.com/bytering/bytering/vectored"
)

// A vectorScript is a script that takes several slices, and nothing else.
type vectorScript struct {
	script
	t       testing.TB
	lengths [][]int // of the slices of each call
}

func (s *vectorScript) Read([]byte) (int, error) {
	s.t.Error("Read is called though there is Readv")
	return 0, io.EOF
}

func (s *vectorScript) Write(b []byte) (int, error) {
	s.t.Error("Write is called though there is Writev")
	return len(b), nil
}

func (s *vectorScript) Readv(bufs [][]byte) (int, error)  { return s.nextv(bufs) }
func (s *vectorScript) Writev(bufs [][]byte) (int, error) { return s.nextv(bufs) }

func (s *vectorScript) nextv(bufs [][]byte) (int, error) {
	var lengths []int
	for _, b := range bufs {
		if len(b) == 0 || cap(b) != len(b) {
			s.t.Errorf("a slice of %d bytes and capacity %d", len(b), cap(b))
		}
		lengths = append(lengths, len(b))
	}
	s.lengths = append(s.lengths, lengths)
	return s.next(bytes.Join(bufs, nil))
}

func (s *vectorScript) check(name string, lengths ...[]int) {
	s.t.Helper()
	if !reflect.DeepEqual(s.lengths, lengths) {
		s.t.Errorf("%s: calls with slices of %v bytes, want %v", name, s.lengths, lengths)
	}
}

var (
	_ vectored.Reader = (*vectorScript)(nil)
	_ vectored.Writer = (*vectorScript)(nil)
)

func TestReadFromVectored(t *testing.T) {
	for _, tc := range []struct {
		name    string
		src     []result
		total   int
		err     error
		lengths [][]int
	}{
		{"over the wrap", []result{{5, nil}, {0, io.EOF}}, 5, nil, [][]int{{3, 2}, {5}}},
		{"short", []result{{1, nil}, {3, nil}, {0, io.EOF}}, 4, nil, [][]int{{3, 2}, {2, 3}, {5}}},
		{"error in the second slice", []result{{4, errTest}}, 4, errTest, [][]int{{3, 2}}},
		{"count too large", []result{{6, nil}}, 0, ErrInvalidCount, [][]int{{3, 2}}},
		{"count much too large", []result{{math.MaxInt, nil}}, 0, ErrInvalidCount, [][]int{{3, 2}}},
		{"count below 0", []result{{-1, nil}}, 0, ErrInvalidCount, [][]int{{3, 2}}},
	} {
		p, c := at(t, 10, 7, 0)
		src := &vectorScript{script: script{results: tc.src}, t: t}
		n, err := p.ReadFrom(src)
		want(t, tc.name, int(n), err, tc.total, tc.err)
		src.check(tc.name, tc.lengths...)
		state(t, p, c, tc.total, nil, nil)
	}
}

func TestWriteToVectored(t *testing.T) {
	for _, tc := range []struct {
		name    string
		dst     []result
		total   int
		err     error
		lengths [][]int
	}{
		{"over the wrap", []result{{5, nil}, {5, nil}}, 10, nil, [][]int{{3, 2}, {5}}},
		{"short is no error", []result{{2, nil}, {5, nil}, {3, nil}}, 10, nil, [][]int{{3, 2}, {1, 4}, {3}}},
		{"nothing", []result{{0, nil}}, 0, io.ErrShortWrite, [][]int{{3, 2}}},
		{"error in the second slice", []result{{4, errTest}}, 4, errTest, [][]int{{3, 2}}},
		{"count too large", []result{{6, nil}}, 0, ErrInvalidCount, [][]int{{3, 2}}},
		{"count below 0", []result{{-1, errTest}}, 0, errTest, [][]int{{3, 2}}},
	} {
		p, c := at(t, 10, 7, 10)
		p.Close()
		dst := &vectorScript{script: script{results: tc.dst}, t: t}
		n, err := c.WriteTo(dst)
		want(t, tc.name, int(n), err, tc.total, tc.err)
		dst.check(tc.name, tc.lengths...)
		drain(t, c, stream(uint64(7+tc.total), 10-tc.total), io.EOF)
	}
}

// TestLargestCall: a large ring offers 1 MiB at most, over the wrap too.
func TestLargestCall(t *testing.T) {
	p, c := pair(t, 4<<20)
	mustMove(t, p, c, 4<<20-100)
	src := &vectorScript{script: script{results: []result{{1 << 20, io.EOF}}}, t: t}
	if n, err := p.ReadFrom(src); n != 1<<20 || err != nil {
		t.Errorf("ReadFrom = %d, %v", n, err)
	}
	src.check("ReadFrom", []int{100, 1<<20 - 100})
	p.Close()
	dst := &vectorScript{script: script{results: []result{{1 << 20, nil}}}, t: t}
	if n, err := c.WriteTo(dst); n != 1<<20 || err != nil {
		t.Errorf("WriteTo = %d, %v", n, err)
	}
	dst.check("WriteTo", []int{100, 1<<20 - 100})
}

// tcp returns both ends of a connection over loopback.
func tcp(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	x, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	y, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close(); y.Close() })
	return x.(*net.TCPConn), y.(*net.TCPConn)
}

// pipe returns both ends of a pipe, of which the second is the caller's to close.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if runtime.GOARCH == "wasm" && errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, w
}

// TestCopyThrough moves a stream over io.Copy from one thing with a descriptor
// to the other, through rings of odd sizes and of mirrored memory.
func TestCopyThrough(t *testing.T) {
	want := stream(0, 300_000)
	feeds := map[string]func(t *testing.T) io.ReadCloser{
		"TCP": func(t *testing.T) io.ReadCloser {
			a, b := tcp(t)
			go func() { a.Write(want); a.Close() }()
			return b
		},
		"pipe": func(t *testing.T) io.ReadCloser {
			r, w := pipe(t)
			go func() { w.Write(want); w.Close() }()
			return r
		},
		"file": func(t *testing.T) io.ReadCloser {
			name := t.TempDir() + "/file"
			if err := os.WriteFile(name, want, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		},
	}
	drains := map[string]func(t *testing.T) (io.WriteCloser, io.Reader){
		"TCP": func(t *testing.T) (io.WriteCloser, io.Reader) { return tcp(t) },
		"pipe": func(t *testing.T) (io.WriteCloser, io.Reader) {
			r, w := pipe(t)
			return w, r
		},
	}
	for from, feed := range feeds {
		for to, drain := range drains {
			for i, opts := range layouts() {
				for _, capacity := range []int{1000, 65_536, 1 << 20} {
					t.Run(fmt.Sprintf("%s to %s, layout %d", from, to, i), func(t *testing.T) {
						p, c := pair(t, capacity, opts...)
						done(t, p, c)
						src := feed(t)
						a, b := drain(t)
						in, out, all := make(chan error, 1), make(chan error, 1), make(chan []byte, 1)
						go func() {
							_, err := io.Copy(p, src)
							in <- errors.Join(err, p.Close())
						}()
						go func() {
							_, err := io.Copy(a, c)
							out <- errors.Join(err, a.Close())
						}()
						go func() {
							got, _ := io.ReadAll(b)
							all <- got
						}()
						if got := <-all; !bytes.Equal(got, want) {
							t.Errorf("%d bytes came of %d, or others", len(got), len(want))
						}
						if err := errors.Join(<-in, <-out); err != nil {
							t.Error(err)
						}
					})
				}
			}
		}
	}
}
