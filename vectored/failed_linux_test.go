package vectored

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"syscall"
	"testing"
	"time"
)

// sameError fails the test unless err equals own, the error of the value's own Read
// or Write.
func sameError(t *testing.T, what string, err, own error) {
	t.Helper()
	if err == nil || own == nil {
		t.Fatalf("%s: error %v, the value's own is %v", what, err, own)
	}
	if err.Error() != own.Error() {
		t.Errorf("%s: error %q, the value's own is %q", what, err, own)
	}
	for _, is := range []error{os.ErrDeadlineExceeded, net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET, syscall.EBADF, io.ErrUnexpectedEOF} {
		if errors.Is(err, is) != errors.Is(own, is) {
			t.Errorf("%s: errors.Is(err, %v) is %v", what, is, errors.Is(err, is))
		}
	}
	if want, ok := own.(*fs.PathError); ok {
		// Package os/exec asserts the type and compares the fields.
		if got, ok := err.(*fs.PathError); !ok || *got != *want {
			t.Errorf("%s: error %#v, the value's own is %#v", what, err, want)
		}
		return
	}
	var got, want *net.OpError
	if !errors.As(own, &want) {
		t.Fatalf("%s: the value's own error is a %T", what, own)
	}
	if !errors.As(err, &got) || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: error %#v in a %T, the value's own is %#v", what, got, err, want)
	}
	if e, ok := errors.AsType[net.Error](err); !ok || e.Timeout() != want.Timeout() || temporary(e) != temporary(want) {
		t.Errorf("%s: Timeout and Temporary of %#v differ from those of the value's own error", what, err)
	}
	if errors.As(err, new(*fs.PathError)) || errors.As(err, new(*net.AddrError)) || errors.As(err, new(*net.DNSError)) {
		t.Errorf("%s: %#v is not of the same type as the value's own error", what, err)
	}
}

func temporary(err error) bool { return err.(interface{ Temporary() bool }).Temporary() }

func TestErrorsAreTheOwn(t *testing.T) {
	b := make([]byte, 10)
	read := func(t *testing.T, l *link) {
		t.Helper()
		_, own := l.src.Read(b)
		_, err := l.r.Readv([][]byte{b[:1], b})
		sameError(t, "Readv", err, own)
		_, err = l.r.Read(b)
		sameError(t, "Read", err, own)
		_, err = ReadFull(l.r, b)
		sameError(t, "ReadFull", err, own)
	}
	write := func(t *testing.T, l *link) {
		t.Helper()
		_, own := l.dst.Write(b)
		_, err := l.w.Writev([][]byte{b[:1], b})
		sameError(t, "Writev", err, own)
		_, err = l.w.Write(b)
		sameError(t, "Write", err, own)
		_, err = WriteAll(l.w, b, b)
		sameError(t, "WriteAll", err, own)
	}
	t.Run("closed", func(t *testing.T) {
		onLinks(t, func(t *testing.T, l *link) {
			l.src.Close()
			l.dst.Close()
			read(t, l)
			write(t, l)
		})
	})
	t.Run("deadline", func(t *testing.T) {
		onLinks(t, func(t *testing.T, l *link) {
			l.src.SetDeadline(time.Unix(1, 0))
			l.dst.SetDeadline(time.Unix(1, 0))
			read(t, l)
			write(t, l)
		})
	})
	t.Run("peer gone", func(t *testing.T) {
		onLinks(t, func(t *testing.T, l *link) {
			l.src.Close()
			for { // TCP learns of it after a while
				if _, err := l.dst.Write(b); errors.Is(err, syscall.EPIPE) {
					break
				}
			}
			write(t, l)
		})
	})
	t.Run("wrong direction", func(t *testing.T) {
		src, dst := links[0].open(t)
		defer src.Close()
		defer dst.Close()
		l := &link{dst, src, must2(NewReader(dst))(t), must2(NewWriter(src))(t)}
		read(t, l)
		write(t, l)
	})
	t.Run("reset", func(t *testing.T) {
		var errs [2]error // of Readv and of Read; either call takes the error away
		for i := range errs {
			src, dst := dial(t, "tcp", "127.0.0.1:0")
			defer src.Close()
			r := must2(NewReader(src))(t)
			dst.(*net.TCPConn).SetLinger(0)
			dst.Close()
			if i == 0 {
				_, errs[0] = r.Readv([][]byte{b})
			} else {
				_, errs[1] = src.Read(b)
			}
			conn := src.(*net.TCPConn)
			own := &net.OpError{Op: "read", Net: "tcp", Source: conn.LocalAddr(), Addr: conn.RemoteAddr(),
				Err: os.NewSyscallError("read", syscall.ECONNRESET)}
			sameError(t, "reset", errs[i], own)
		}
	})
}

// The errors of a type that embeds a connection or a file are found through what it
// embeds.
func TestErrorsOfWhatEmbeds(t *testing.T) {
	a, b := dial(t, "tcp", "127.0.0.1:0")
	defer b.Close()
	f, _ := create(t, "")
	for _, c := range []syscall.Conn{&countedConn{a.(*net.TCPConn), 0}, countedFile{f, 0}} {
		r := must2(NewReader(c))(t)
		c.(io.Closer).Close()
		_, err := r.Readv([][]byte{{0}})
		_, own := c.(io.Reader).Read([]byte{0})
		sameError(t, "Readv", err, own)
	}
}

// A bare has a descriptor of package net or os, and no other method of that value.
type bare struct{ c syscall.Conn }

func (b bare) SyscallConn() (syscall.RawConn, error) { return b.c.SyscallConn() }

// A strange has methods with the names of those that return an address, but with
// other signatures.
type strange struct{ bare }

func (strange) LocalAddr(int) net.Addr        { panic("not LocalAddr") }
func (strange) RemoteAddr() (net.Addr, error) { panic("not RemoteAddr") }

func TestErrorsOfWhatHasNoAddress(t *testing.T) {
	for _, of := range []func(syscall.Conn) syscall.Conn{
		func(c syscall.Conn) syscall.Conn { return bare{c} },
		func(c syscall.Conn) syscall.Conn { return strange{bare{c}} },
	} {
		a, b := dial(t, "tcp", "127.0.0.1:0")
		defer b.Close()
		r := must2(NewReader(of(a)))(t)
		a.SetDeadline(time.Unix(1, 0))
		_, err := r.Readv([][]byte{{0}})
		sameError(t, "Readv of a connection", err, &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded})

		pr, pw := links[0].open(t)
		defer pw.Close()
		r = must2(NewReader(of(pr)))(t)
		pr.SetDeadline(time.Unix(1, 0))
		n, err := r.Readv([][]byte{{0}})
		want(t, "Readv of a pipe", n, err, 0, os.ErrDeadlineExceeded)
		pr.Close()
		n, err = r.Readv([][]byte{{0}})
		want(t, "Readv of a closed pipe", n, err, 0, os.ErrClosed)
	}
}

// A local and a remote have an address at one end only.
type local struct{ bare }

func (local) LocalAddr() net.Addr  { return &net.TCPAddr{Port: 7} }
func (local) RemoteAddr() net.Addr { return nil }

type remote struct{ bare }

func (remote) RemoteAddr() net.Addr { return &net.TCPAddr{Port: 7} }

func TestErrorsOfOneAddress(t *testing.T) {
	a, b := dial(t, "tcp", "127.0.0.1:0")
	defer a.Close()
	defer b.Close()
	a.SetDeadline(time.Unix(1, 0))
	_, err := must2(NewReader(local{bare{a}}))(t).Readv([][]byte{{0}})
	sameError(t, "Readv", err, &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: 7}, Err: os.ErrDeadlineExceeded})
	_, err = must2(NewReader(remote{bare{a}}))(t).Readv([][]byte{{0}})
	sameError(t, "Readv", err, &net.OpError{Op: "read", Net: "tcp", Addr: &net.TCPAddr{Port: 7}, Err: os.ErrDeadlineExceeded})
}

// Calls at an offset return the errors of ReadAt and WriteAt.
func TestErrorsAtAnOffset(t *testing.T) {
	f, _ := create(t, "0123")
	ro := must2(os.Open(f.Name()))(t)
	defer ro.Close()
	wo := must2(os.OpenFile(f.Name(), os.O_WRONLY, 0))(t)
	defer wo.Close()
	reads, writes := must2(NewFile(wo))(t), must2(NewFile(ro))(t)
	check := func() {
		t.Helper()
		b := make([]byte, 2)
		_, err := reads.Preadv([][]byte{b}, 1)
		_, own := wo.ReadAt(b, 1)
		sameError(t, "Preadv", err, own)
		_, err = writes.Pwritev([][]byte{b}, 1)
		_, own = ro.WriteAt(b, 1)
		sameError(t, "Pwritev", err, own)
	}
	check()
	ro.Close()
	wo.Close()
	check()
}
