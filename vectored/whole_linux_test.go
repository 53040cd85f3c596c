package vectored

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/internal/scripted"
)

// A slowConn lets other goroutines write after each of its writes.
type slowConn struct {
	syscall.Conn
	syscall.RawConn
}

func (c slowConn) SyscallConn() (syscall.RawConn, error) { return c, nil }

func (c slowConn) Write(f func(fd uintptr) bool) error {
	defer time.Sleep(time.Millisecond)
	return c.RawConn.Write(f)
}

// The writes of several goroutines to one descriptor, each through a Writer of its
// own or the value's own Write, are not mixed.
func TestWritesAreWhole(t *testing.T) {
	const size, rounds = 300 << 10, 4 // more than a link holds
	onLinks(t, func(t *testing.T, l *link) {
		if c, ok := l.dst.(interface{ SetWriteBuffer(int) error }); ok {
			must(t, 0, c.SetWriteBuffer(64<<10))
		}
		writes := []func(w Writer, b []byte) (int, error){
			func(w Writer, b []byte) (int, error) { return w.Write(b) },
			func(w Writer, b []byte) (int, error) { return WriteAll(w, b[:1], nil, b[1:size/2], b[size/2:]) },
			func(_ Writer, b []byte) (int, error) { return l.dst.Write(b) },
			func(w Writer, b []byte) (int, error) { return WriteAll(w, cut(b, 100)...) },
			func(_ Writer, b []byte) (int, error) {
				bufs := net.Buffers{b[:9], b[9:]}
				if _, conn := l.dst.(net.Conn); !conn || isFile(l.dst) {
					return l.dst.Write(b) // for a file, net makes a write for each slice
				}
				n, err := bufs.WriteTo(l.dst)
				return int(n), err
			},
		}
		var wg sync.WaitGroup
		defer func() {
			l.src.Close()
			wg.Wait()
		}()
		for i, write := range writes {
			w := must2(NewWriter(slowConn{l.dst, must2(l.dst.SyscallConn())(t)}))(t)
			wg.Go(func() {
				for range rounds {
					n, err := write(w, bytes.Repeat([]byte{byte(i)}, size))
					want(t, "a write", n, err, size, nil)
				}
			})
		}
		got, b := make([]int, len(writes)), make([]byte, size)
		for range len(writes) * rounds {
			if _, err := io.ReadFull(l.src, b); err != nil {
				t.Fatal(err)
			}
			if i := bytes.Count(b, b[:1]); i != size {
				t.Fatalf("writes are mixed: %d bytes of %d are those of writer %d", i, size, b[0])
			}
			got[b[0]]++
		}
		wg.Wait()
		for i, n := range got {
			if n != rounds {
				t.Errorf("%d writes of writer %d, want %d", n, i, rounds)
			}
		}
	})
}

// cut cuts b into slices of n bytes.
func cut(b []byte, n int) (bufs [][]byte) {
	for len(b) > n {
		bufs = append(bufs, b[:n])
		b = b[n:]
	}
	return append(bufs, b)
}

// A write of everything continues where the last system call left off, and reports
// what was written when it ends early.
func TestWholeWriteInParts(t *testing.T) {
	f, _ := create(t, "")
	w := must2(NewWriter(f))(t)
	all := pattern.Bytes(0, 20)
	for _, tc := range []struct {
		name    string
		results []result
		n       int
		err     error
	}{
		{"at once", []result{{20, nil}}, 20, nil},
		{"over the borders", []result{{1, nil}, {7, nil}, {12, nil}}, 20, nil},
		{"to the borders", []result{{3, nil}, {5, nil}, {12, nil}}, 20, nil},
		{"interrupted", []result{{3, nil}, {0, syscall.EINTR}, {17, nil}}, 20, nil},
		{"failed", []result{{4, nil}, {0, syscall.EIO}}, 4, syscall.EIO},
		{"broken pipe", []result{{4, nil}, {0, syscall.EPIPE}}, 4, syscall.EPIPE}, // the link is not standard output
		{"nothing", []result{{4, nil}, {0, nil}}, 4, io.ErrUnexpectedEOF},
		{"negative", []result{{4, nil}, {-1, nil}}, 4, ErrInvalidCount},
		{"too many", []result{{4, nil}, {17, nil}}, 4, ErrInvalidCount},
	} {
		for what, write := range map[string]func() (int, error){
			"Write":    func() (int, error) { return w.Write(all) },
			"WriteAll": func() (int, error) { return WriteAll(w, nil, all[:3], all[3:8], nil, all[8:]) },
		} {
			results, got := tc.results, []byte(nil)
			scripted.Serve(t, descriptor(t, f), func(_ kernel.Op, _ uintptr, vec []syscall.Iovec, _ int64) (int, syscall.Errno) {
				r := results[0]
				results = results[1:]
				errno, _ := r.err.(syscall.Errno)
				b := bytes.Join(scripted.Slices(vec), nil)
				got = append(got, b[:min(len(b), max(r.n, 0))]...)
				return r.n, errno
			})
			n, err := write()
			if n != tc.n || !errors.Is(err, tc.err) {
				t.Errorf("%s, %s = %d, %v; want %d, %v", tc.name, what, n, err, tc.n, tc.err)
			}
			if len(results) != 0 || !bytes.HasPrefix(got, all[:n]) {
				t.Errorf("%s, %s: %d results are left, and %d bytes were written", tc.name, what, len(results), len(got))
			}
		}
	}
}

// A count above what a system call was offered is out of range, even if more was to
// be written.
func TestWholeWriteOfManySlices(t *testing.T) {
	f, _ := create(t, "")
	scripted.Serve(t, descriptor(t, f), func(_ kernel.Op, _ uintptr, vec []syscall.Iovec, _ int64) (int, syscall.Errno) {
		return len(vec) + 1, 0
	})
	n, err := WriteAll(must2(NewWriter(f))(t), cut(make([]byte, 2*maxVec), 1)...)
	want(t, "WriteAll", n, err, 0, ErrInvalidCount)
}
