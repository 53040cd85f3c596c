//go:build linux || dragonfly || freebsd || netbsd

package scripted

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/pattern"
)

type want struct {
	n   int
	err error
}

func check(t *testing.T, wants []want, call func() (int, error)) {
	t.Helper()
	for i, w := range wants {
		if n, err := call(); n != w.n || !errors.Is(err, w.err) {
			t.Errorf("call %d: %d, %v; want %d, %v", i, n, err, w.n, w.err)
		}
	}
}

func TestSource(t *testing.T) {
	s := NewSource(t, Step{N: 3}, Step{Errno: syscall.EINTR}, Step{Errno: syscall.EAGAIN}, Step{N: 100},
		Step{Errno: syscall.EIO}, Step{Lie: -7}, Step{Lie: 2}, Step{Errno: syscall.EAGAIN, Wait: os.ErrDeadlineExceeded})
	b := make([]byte, 10)
	check(t, []want{
		{3, nil}, {10, nil}, {0, syscall.EIO}, {-7, nil}, {12, nil}, {0, os.ErrDeadlineExceeded}, {0, io.EOF}, {0, io.EOF},
	}, func() (int, error) { return s.Read(b) })
	if !bytes.Equal(b, pattern.Bytes(3, 10)) {
		t.Errorf("the last bytes are %x", b)
	}
	if s.Position() != 13 || s.Calls() != 10 || s.Left() != 0 {
		t.Errorf("the position is %d after %d calls, with %d steps left", s.Position(), s.Calls(), s.Left())
	}
}

func TestSink(t *testing.T) {
	s := NewSink(t, Step{N: 3}, Step{Errno: syscall.EINTR}, Step{Errno: syscall.EAGAIN}, Step{N: 100},
		Step{N: 4}, Step{Errno: syscall.ENOSPC}, Step{Lie: -1}, Step{Lie: 5}, Step{N: 1}, Step{Lie: -1}, Step{})
	check(t, []want{
		{10, nil}, {4, syscall.ENOSPC}, {-1, nil}, {15, nil}, {1, io.ErrShortWrite}, {0, io.ErrUnexpectedEOF}, {10, nil},
	}, func() (int, error) {
		return s.Write(pattern.Bytes(uint64(len(s.Bytes())), 10))
	})
	if !bytes.Equal(s.Bytes(), pattern.Bytes(0, 25)) {
		t.Errorf("the sink got %x", s.Bytes())
	}
}

// A script ends with its test, and never serves other descriptors.
func TestOtherDescriptors(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var fd uintptr
	t.Run("inner", func(t *testing.T) {
		s := NewSource(t)
		fd = s.carrier.Fd()
		if (*served.Load())[fd] == nil {
			t.Error("the descriptor is not served")
		}
		if (*served.Load())[r.Fd()] != nil {
			t.Error("another descriptor is served too")
		}
	})
	if (*served.Load())[fd] != nil {
		t.Error("the descriptor is served after its test")
	}
}
