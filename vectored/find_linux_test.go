package vectored

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// A Writev would split a message, so there is no Writer for a socket of messages.
func TestWritersOfMessagesAreRefused(t *testing.T) {
	refused := func(t *testing.T, c end) {
		t.Helper()
		if w, err := NewWriter(c); w != nil || !errors.Is(err, ErrUnsupported) || !errors.Is(err, errNoStream) {
			t.Errorf("NewWriter gives %v, %v", w, err)
		}
		if w := WriterOf(c); w != nil {
			t.Errorf("WriterOf gives %v", w)
		}
		if readv, writev := Supported(c); !readv || writev {
			t.Errorf("Supported is %v, %v", readv, writev)
		}
	}
	onMessages(t, func(t *testing.T, src, dst end, _ Reader, _ error) {
		refused(t, src)
		refused(t, dst)
	})
	t.Run("ip", func(t *testing.T) { refused(t, raw(t)) })
}

// raw returns a raw socket, which needs privileges.
func raw(t *testing.T) end {
	c, err := net.Dial("ip4:icmp", "127.0.0.1")
	if errors.Is(err, os.ErrPermission) {
		t.Skip(err)
	}
	must(t, c, err)
	t.Cleanup(func() { c.Close() })
	return c.(end)
}

// found fails the test unless everything that looks for a descriptor finds that of
// v if want is true, and otherwise passes it by.
func found(t *testing.T, what string, v io.ReadWriter, want bool) {
	t.Helper()
	if r, w := ReaderOf(v), WriterOf(v); (r != nil) != want || (w != nil) != want {
		t.Errorf("ReaderOf and WriterOf %s are %v and %v", what, r, w)
	}
	if readv, writev := Supported(v); readv != want || writev != want {
		t.Errorf("Supported of %s is %v, %v", what, readv, writev)
	}
}

func TestFound(t *testing.T) {
	for _, kind := range links {
		src, dst := kind.open(t)
		defer src.Close()
		defer dst.Close()
		found(t, kind.name, src, true)
		found(t, kind.name, dst, true)
	}
	f, _ := create(t, "")
	found(t, "a file", f, true)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(t, null, err)
	defer null.Close()
	found(t, "a character device", null, false)
	dir, err := os.Open(t.TempDir())
	must(t, dir, err)
	defer dir.Close()
	found(t, "a directory", dir, false)
	found(t, "a buffer", new(bytes.Buffer), false)
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	found(t, "a net.Pipe", a, false)

	only, all := bytes.NewReader(nil), struct{ io.Writer }{f}
	if readv, writev := Supported(only); readv || writev {
		t.Errorf("Supported of a bytes.Reader is %v, %v", readv, writev)
	}
	if readv, writev := Supported(all); readv || writev {
		t.Errorf("Supported of a wrapped file is %v, %v", readv, writev)
	}
	if readv, writev := Supported(struct{ Writer }{}); readv || !writev {
		t.Errorf("Supported of a Writer is %v, %v", readv, writev)
	}
	if readv, writev := Supported(7); readv || writev {
		t.Errorf("Supported(7) is %v, %v", readv, writev)
	}
}

// A countedConn and the types after it embed a descriptor, and have a Read and a
// Write that must not be bypassed.
type (
	countedConn struct {
		*net.TCPConn
		n int
	}
	countedFile struct {
		*os.File
		n int
	}
	anyConn struct{ net.Conn }
	named   os.File
)

func (c *countedConn) Read(b []byte) (int, error)  { c.n++; return c.TCPConn.Read(b) }
func (c *countedConn) Write(b []byte) (int, error) { c.n++; return c.TCPConn.Write(b) }
func (f countedFile) Read(b []byte) (int, error)   { return f.File.Read(b) }
func (f countedFile) Write(b []byte) (int, error)  { return f.File.Write(b) }

func (f *named) Read(b []byte) (int, error)  { return (*os.File)(f).Read(b) }
func (f *named) Write(b []byte) (int, error) { return (*os.File)(f).Write(b) }
func (f *named) SyscallConn() (syscall.RawConn, error) {
	return (*os.File)(f).SyscallConn()
}

func TestWrappersAreNotPassedBy(t *testing.T) {
	a, b := dial(t, "tcp", "127.0.0.1:0")
	defer a.Close()
	defer b.Close()
	conn := a.(*net.TCPConn)
	f, _ := create(t, "")
	for what, v := range map[string]io.ReadWriter{
		"a pointer to a wrapped connection": &countedConn{conn, 0},
		"a wrapped file":                    countedFile{f, 0},
		"a pointer to one":                  &countedFile{f, 0},
		"a connection in an interface":      anyConn{conn},
		"an unnamed struct":                 struct{ *net.TCPConn }{conn},
		"a pointer to one that is unnamed":  &struct{ *os.File }{f},
		"a type made of os.File":            (*named)(f),
	} {
		found(t, what, v, false)
	}
	// A caller that knows the type may bypass them.
	n, err := must2(NewWriter(&countedConn{conn, 0}))(t).Writev([][]byte{{'a'}, {'b'}})
	want(t, "Writev", n, err, 2, nil)
}

func TestTypedNil(t *testing.T) {
	for what, c := range map[string]interface {
		io.ReadWriter
		syscall.Conn
	}{
		"a file":                   (*os.File)(nil),
		"a TCP connection":         (*net.TCPConn)(nil),
		"a Unix connection":        (*net.UnixConn)(nil),
		"a UDP connection":         (*net.UDPConn)(nil),
		"an empty TCP connection":  new(net.TCPConn),
		"a wrapper around no file": struct{ *os.File }{},
	} {
		t.Run(what, func(t *testing.T) {
			found(t, "it", c, false)
			if _, err := NewReader(c); !errors.Is(err, ErrUnsupported) {
				t.Errorf("NewReader: %v", err)
			}
			if _, err := NewWriter(c); !errors.Is(err, ErrUnsupported) {
				t.Errorf("NewWriter: %v", err)
			}
		})
	}
}

// A catcher keeps what io.Copy hands to it.
type catcher struct {
	r io.Reader
	w io.Writer
}

func (c *catcher) Write(b []byte) (int, error)             { return len(b), nil }
func (c *catcher) Read([]byte) (int, error)                { return 0, io.EOF }
func (c *catcher) ReadFrom(r io.Reader) (n int64, _ error) { c.r = r; return 0, nil }
func (c *catcher) WriteTo(w io.Writer) (n int64, _ error)  { c.w = w; return 0, nil }

// io.Copy hands on a wrapper of package net or os that hides the methods that would
// lead back to io.Copy. The descriptor is found through it.
func TestWrappersOfCopyAreFound(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		var got catcher
		// A *net.UnixConn has no such method and is handed on as it is.
		_, wrapped := l.src.(io.WriterTo)
		if _, err := io.Copy(&got, l.src); err != nil || (got.r != l.src) != wrapped {
			t.Fatalf("io.Copy hands on %T: %v", got.r, err)
		}
		if from, ok := l.dst.(io.ReaderFrom); !ok {
			got.w = l.dst
		} else if _, err := from.ReadFrom(&got); err != nil || got.w == l.dst {
			t.Fatalf("ReadFrom hands on %T: %v", got.w, err)
		}
		r, w := ReaderOf(got.r), WriterOf(got.w)
		if r == nil || w == nil {
			t.Fatalf("ReaderOf %T and WriterOf %T are %v and %v", got.r, got.w, r, w)
		}
		n, err := w.Writev([][]byte{[]byte("a"), []byte("bc")})
		want(t, "Writev", n, err, 3, nil)
		a, b := make([]byte, 2), make([]byte, 2)
		n, err = r.Readv([][]byte{a, b})
		want(t, "Readv", n, err, 3, nil)
		if s := string(a) + string(b[:1]); s != "abc" {
			t.Errorf("got %q", s)
		}
	})
}
