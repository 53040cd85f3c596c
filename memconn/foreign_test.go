//go:build !interleave

package memconn

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bytering/bytering/vectored"
)

// A script is a source and a sink that does something and then fails.
type script struct {
	do  func()
	n   int
	err error
}

func (s *script) Read([]byte) (int, error)  { s.do(); return s.n, s.err }
func (s *script) Write([]byte) (int, error) { s.do(); return s.n, s.err }

// A vectorScript is one that reads and writes several slices.
type vectorScript struct{ *script }

func (s vectorScript) Readv([][]byte) (int, error)  { return s.Read(nil) }
func (s vectorScript) Writev([][]byte) (int, error) { return s.Write(nil) }

// A slip is an error that can't be compared.
type slip []string

func (slip) Error() string { return "slip" }

// Errors of a source and a sink are theirs, also those that a ring has for
// itself, and also where the ring has the same at that moment.
func TestForeignErrors(t *testing.T) {
	meanwhile := map[string]func(c *Conn){
		"nothing":  func(*Conn) {},
		"Close":    func(c *Conn) { c.Close() },
		"halves":   func(c *Conn) { c.CloseRead(); c.CloseWrite() },
		"deadline": func(c *Conn) { c.SetDeadline(time.Now().Add(-time.Second)) },
	}
	for _, foreign := range []error{errors.New("test error"), io.EOF, io.ErrClosedPipe, net.ErrClosed, os.ErrDeadlineExceeded, io.ErrUnexpectedEOF, slip{"a"}} {
		for name, do := range meanwhile {
			for _, vector := range []bool{false, true} {
				a, b := ends(t)
				io.WriteString(b, "never written")
				s := &script{do: func() { do(a) }, err: foreign}
				var src io.Reader = s
				var dst io.Writer = s
				if vector {
					src, dst = vectorScript{s}, vectorScript{s}
				}
				n, err := a.WriteTo(dst)
				if n != 0 || !same(err, foreign) {
					t.Errorf("%s, vectored %t: WriteTo = %d, %v, want %v", name, vector, n, err, foreign)
				}
				if name != "nothing" {
					a, _ = ends(t) // is closed, or late, before src is asked
				}
				want := foreign
				if foreign == io.EOF {
					want = nil
				}
				if n, err := a.ReadFrom(src); n != 0 || !same(err, want) {
					t.Errorf("%s, vectored %t: ReadFrom = %d, %v, want %v", name, vector, n, err, want)
				}
			}
		}
	}
}

// same reports whether err is foreign itself.
func same(err, foreign error) bool {
	if _, ok := foreign.(slip); ok {
		_, ok = err.(slip)
		return ok
	}
	return err == foreign
}

// The ring's errors stay the ring's, whatever the source or the sink has
// returned, and a stream that ends is no error.
func TestOwnErrors(t *testing.T) {
	check := func(what string, n int64, err error, want error) {
		t.Helper()
		var op *net.OpError
		if n != 0 || !errors.Is(err, want) || (want != nil && !errors.As(err, &op)) {
			t.Errorf("%s = %d, %v, want %v", what, n, err, want)
		}
	}
	a, _ := ends(t)
	n, err := a.ReadFrom(&script{func() { a.Close() }, 5, io.EOF})
	check("ReadFrom, closed under the source", n, err, net.ErrClosed)

	a, b := ends(t)
	io.WriteString(b, "hello")
	n, err = a.WriteTo(&script{func() { a.Close() }, 5, nil})
	check("WriteTo, closed under the sink", n-5, err, net.ErrClosed)

	a, b = ends(t)
	io.WriteString(b, "hello")
	n, err = a.WriteTo(&script{func() { a.CloseRead() }, 5, nil})
	check("WriteTo, shut under the sink", n-5, err, nil)

	a, b = ends(t)
	io.WriteString(b, "hello")
	n, err = a.WriteTo(&script{func() { a.SetDeadline(time.Now()) }, 5, nil})
	check("WriteTo, late under the sink", n-5, err, os.ErrDeadlineExceeded)

	a, b = ends(t)
	b.Close()
	n, err = a.WriteTo(&script{})
	check("WriteTo of nothing", n, err, nil)
}

// A stuffed is a descriptor whose calls are a script's.
type stuffed struct {
	*os.File
	script
}

func (s *stuffed) Read(b []byte) (int, error)  { return s.script.Read(b) }
func (s *stuffed) Write(b []byte) (int, error) { return s.script.Write(b) }

// The errors of a descriptor are not watched. Still they are not taken for those
// that the ring does not have.
func TestForeignErrorsOfADescriptor(t *testing.T) {
	a, b := ends(t)
	io.WriteString(b, "never written")
	for _, foreign := range []error{io.EOF, io.ErrClosedPipe} {
		s := &stuffed{script: script{func() {}, 0, foreign}}
		if n, err := a.WriteTo(s); n != 0 || err != foreign {
			t.Errorf("WriteTo = %d, %v, want %v", n, err, foreign)
		}
	}
}

// A descriptor reaches the ring as what it is, so that readv and writev are
// used, and so does what has them itself.
func TestForeignKindsAreKept(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var foreign error
	a, _ := ends(t)
	if watchSource(f, &foreign) != io.Reader(f) || watchSink(f, &foreign) != io.Writer(f) {
		t.Error("a file is wrapped")
	}
	if _, ok := watchSource(a, &foreign).(vectored.Reader); !ok {
		t.Error("a vectored.Reader is none any more")
	}
	if _, ok := watchSink(a, &foreign).(vectored.Writer); !ok {
		t.Error("a vectored.Writer is none any more")
	}
	if _, ok := watchSource(strings.NewReader(""), &foreign).(vectored.Reader); ok {
		t.Error("a plain reader has become a vectored.Reader")
	}
	if _, ok := watchSink(io.Discard, &foreign).(vectored.Writer); ok {
		t.Error("a plain writer has become a vectored.Writer")
	}
}

// A mail has messages, and says so like a connection of package net.
type mail struct{ script }

func (l *mail) Boundary() vectored.Boundary { return vectored.Message }
func (l *mail) Read(b []byte) (int, error) {
	l.do()
	return min(len(b), l.n), l.err
}

// A source of messages is read with room for a whole one, though half of the
// ring has less.
func TestMessagesAreWhole(t *testing.T) {
	const size = 40_000
	for _, buffer := range []int{1, 64 << 10} {
		a, b := ends(t, Buffer(buffer))
		go io.Copy(io.Discard, b)
		n, err := a.ReadFrom(&mail{script{n: size, err: io.EOF, do: func() {}}})
		if n != size || err != nil {
			t.Errorf("ReadFrom of a message of %d bytes = %d, %v with a buffer of %d", size, n, err, buffer)
		}
		n, err = a.ReadFrom(vectorMail{&mail{script{n: size, err: io.EOF, do: func() {}}}})
		if n != size || err != nil {
			t.Errorf("ReadFrom of a vectored message of %d bytes = %d, %v with a buffer of %d", size, n, err, buffer)
		}
	}
}

type vectorMail struct{ *mail }

func (l vectorMail) Readv(bufs [][]byte) (int, error) {
	room := 0
	for _, b := range bufs {
		room += len(b)
	}
	return l.Read(make([]byte, room))
}
