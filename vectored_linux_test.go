//go:build !interleave

package bytering

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/kernel"
)

// recordCalls notes the system calls that are made on vectors, and of how many
// slices, until the test ends.
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

// TestOneCallAtTheWrap: what lies on both sides of the wrap is read and written
// with one call, also through io.Copy, which hides a connection's type. On
// mirrored memory it is one slice.
func TestOneCallAtTheWrap(t *testing.T) {
	sources := map[string]func(t *testing.T, text []byte) io.Reader{
		"TCP": func(t *testing.T, text []byte) io.Reader {
			a, b := tcp(t)
			if _, err := a.Write(text); err != nil {
				t.Fatal(err)
			}
			a.CloseWrite()
			// All of it has come before the first read.
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
				if name == "pipe" { // and there is room for a packet, beside the ring
					want[0] = map[bool]string{true: "readv of more", false: "readv of 1"}[opts == nil]
					want[1] = "readv of 2"
				}
				if !slices.Equal(*calls, want) {
					t.Errorf("system calls %v, want %v", *calls, want)
				}
			})
		}
	}
}
