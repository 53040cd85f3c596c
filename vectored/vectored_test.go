package vectored

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"syscall"
	"testing"
)

var errTest = errors.New("test error")

// is reports whether got is the error that was wanted. It compares nil and the
// errors of package io with ==, because callers do.
func is(got, want error) bool {
	switch want {
	case nil, io.EOF, io.ErrUnexpectedEOF, io.ErrNoProgress, errTest:
		return got == want
	}
	return errors.Is(got, want)
}

// want fails the test unless a call returned n and an error that is err.
func want(t testing.TB, what string, gotN int, gotErr error, n int, err error) {
	t.Helper()
	if gotN != n || !is(gotErr, err) {
		t.Errorf("%s = %d, %v; want %d, %v", what, gotN, gotErr, n, err)
	}
}

type result struct {
	n   int
	err error
}

// A told is a Reader and a Writer that returns prescribed results. It reads the
// alphabet, and keeps what is written. After the last result it does nothing.
type told struct {
	results []result
	calls   int
	moved   int
	got     []byte
}

const alphabet = "abcdefghijklmnopqrstuvwxyz"

func (r *told) next(bufs [][]byte, move func(b []byte)) (int, error) {
	r.calls++
	if len(r.results) == 0 {
		return 0, nil
	}
	res := r.results[0]
	r.results = r.results[1:]
	left := res.n
	for _, b := range bufs {
		if b = b[:min(len(b), max(left, 0))]; len(b) > 0 {
			move(b)
			left -= len(b)
		}
	}
	return res.n, res.err
}

func (r *told) Readv(bufs [][]byte) (int, error) {
	return r.next(bufs, func(b []byte) { r.moved += copy(b, alphabet[r.moved:]) })
}

func (r *told) Writev(bufs [][]byte) (int, error) {
	return r.next(bufs, func(b []byte) { r.got = append(r.got, b...) })
}

func (r *told) Read(b []byte) (int, error)  { return r.Readv([][]byte{b}) }
func (r *told) Write(b []byte) (int, error) { return r.Writev([][]byte{b}) }

func TestReadFullAndWriteAll(t *testing.T) {
	idle := make([]result, maxIdle-1)
	both := errors.Join(ErrInvalidCount, errTest)
	for _, tc := range []struct {
		name    string
		results []result
		n       int
		read    error // the error of ReadFull
		write   error // the error of WriteAll
	}{
		{"at once", []result{{9, nil}}, 9, nil, nil},
		{"at once with the end", []result{{9, io.EOF}}, 9, nil, nil},
		{"at once with an error", []result{{9, errTest}}, 9, nil, nil},
		{"byte by byte", []result{{1, nil}, {1, nil}, {1, nil}, {1, nil}, {1, nil}, {1, nil}, {1, nil}, {1, nil}, {1, nil}}, 9, nil, nil},
		{"over the borders", []result{{2, nil}, {3, nil}, {4, nil}}, 9, nil, nil},
		{"to the borders", []result{{3, nil}, {1, nil}, {5, nil}}, 9, nil, nil},
		{"the end first", []result{{0, io.EOF}}, 0, io.EOF, io.EOF},
		{"the end in the middle", []result{{4, nil}, {0, io.EOF}}, 4, io.ErrUnexpectedEOF, io.EOF},
		{"the end with bytes", []result{{4, io.EOF}}, 4, io.ErrUnexpectedEOF, io.EOF},
		{"an error first", []result{{0, errTest}}, 0, errTest, errTest},
		{"an error in the middle", []result{{4, nil}, {0, errTest}}, 4, errTest, errTest},
		{"an error with bytes", []result{{4, errTest}}, 4, errTest, errTest},
		{"negative", []result{{-1, nil}}, 0, ErrInvalidCount, ErrInvalidCount},
		{"negative later, with an error", []result{{4, nil}, {-1, errTest}}, 4, both, both},
		{"too many", []result{{10, nil}}, 0, ErrInvalidCount, ErrInvalidCount},
		{"too many later", []result{{4, nil}, {6, nil}}, 4, ErrInvalidCount, ErrInvalidCount},
		{"as many as an int counts", []result{{4, nil}, {math.MaxInt, nil}}, 4, ErrInvalidCount, ErrInvalidCount},
		{"as few", []result{{4, nil}, {math.MinInt, nil}}, 4, ErrInvalidCount, ErrInvalidCount},
		{"idle for long", append(idle[:len(idle):len(idle)], result{9, nil}), 9, nil, nil},
		{"idle twice", append(append(idle[:len(idle):len(idle)], result{4, nil}), append(idle[:len(idle):len(idle)], result{5, nil})...), 9, nil, nil},
		{"idle for too long", nil, 0, io.ErrNoProgress, io.ErrNoProgress},
	} {
		t.Run(tc.name, func(t *testing.T) {
			check := func(what string, n int, err error, wantErr error) {
				t.Helper()
				if wantErr == both && errors.Is(err, errTest) {
					wantErr = ErrInvalidCount
				}
				want(t, what, n, err, tc.n, wantErr)
			}
			b := make([]byte, 9)
			bufs := [][]byte{nil, b[:3], {}, b[3:4], b[4:], {}}
			r := &told{results: tc.results}
			n, err := ReadFull(r, bufs...)
			check("ReadFull", n, err, tc.read)
			if string(b[:n]) != alphabet[:n] {
				t.Errorf("read %q", b)
			}

			copy(b, alphabet)
			w := &told{results: tc.results}
			n, err = WriteAll(w, bufs...)
			check("WriteAll", n, err, tc.write)
			if len(w.got) < n || string(w.got[:n]) != alphabet[:n] {
				t.Errorf("wrote %q", w.got)
			}
			if tc.results == nil && (r.calls != maxIdle || w.calls != maxIdle) {
				t.Errorf("%d and %d calls, want %d", r.calls, w.calls, maxIdle)
			}
			for i, size := range []int{0, 3, 0, 1, 5, 0} {
				if len(bufs[i]) != size {
					t.Errorf("the caller's slice %d now has %d bytes", i, len(bufs[i]))
				}
			}
		})
	}
}

func TestReadFullAndWriteAllOfNothing(t *testing.T) {
	r := &told{results: []result{{0, errTest}}}
	for _, bufs := range [][][]byte{nil, {nil}, {{}, nil, {}}} {
		n, err := ReadFull(r, bufs...)
		want(t, "ReadFull", n, err, 0, nil)
		n, err = WriteAll(r, bufs...)
		want(t, "WriteAll", n, err, 0, nil)
	}
	if r.calls != 0 {
		t.Errorf("%d calls", r.calls)
	}
}

// ReaderOf and WriterOf return nil for many values.
func TestReadFullAndWriteAllOfNil(t *testing.T) {
	for _, bufs := range [][][]byte{nil, {{1}}} {
		n, err := ReadFull(ReaderOf(new(bytes.Buffer)), bufs...)
		want(t, "ReadFull of nil", n, err, 0, ErrUnsupported)
		n, err = WriteAll(WriterOf(new(bytes.Buffer)), bufs...)
		want(t, "WriteAll of nil", n, err, 0, ErrUnsupported)
	}
}

// Slices that share memory can have more bytes together than an int counts on a
// 32-bit machine, so that their sum wraps to 0.
func TestMoreThanAnIntCounts(t *testing.T) {
	if math.MaxInt > math.MaxInt32 {
		t.Skip("takes more slices than there is memory for")
	}
	mega := make([]byte, 1<<20)
	for _, slices := range []int{2048, 4096} {
		bufs := make([][]byte, slices)
		for i := range bufs {
			bufs[i] = mega
		}
		r := new(told)
		n, err := ReadFull(r, bufs...)
		want(t, "ReadFull", n, err, 0, errTooLong)
		n, err = WriteAll(r, bufs...)
		want(t, "WriteAll", n, err, 0, errTooLong)
		if r.calls != 0 {
			t.Errorf("%d calls", r.calls)
		}
	}
}

func TestUnsupportedIsThatOfPackageErrors(t *testing.T) {
	_, err := NewReader(nil)
	want(t, "NewReader(nil)", 0, err, 0, errors.ErrUnsupported)
	want(t, "ErrUnsupported", 0, ErrUnsupported, 0, errors.ErrUnsupported)
}

func TestNil(t *testing.T) {
	_, err := NewReader(nil)
	want(t, "NewReader(nil)", 0, err, 0, ErrUnsupported)
	_, err = NewWriter(nil)
	want(t, "NewWriter(nil)", 0, err, 0, ErrUnsupported)
	_, err = NewReader((*os.File)(nil))
	want(t, "NewReader of a nil file", 0, err, 0, ErrUnsupported)
	_, err = NewWriter((*os.File)(nil))
	want(t, "NewWriter of a nil file", 0, err, 0, ErrUnsupported)
	_, err = NewFile(nil)
	want(t, "NewFile(nil)", 0, err, 0, ErrUnsupported)
	if r, w := ReaderOf(nil), WriterOf(nil); r != nil || w != nil {
		t.Errorf("ReaderOf(nil) and WriterOf(nil) are %v and %v", r, w)
	}
	if r, w := ReaderOf((*os.File)(nil)), WriterOf((*os.File)(nil)); r != nil || w != nil {
		t.Errorf("of a nil file they are %v and %v", r, w)
	}
	if r, w := Supported(nil); r || w {
		t.Errorf("Supported(nil) is %v, %v", r, w)
	}
}

// Where there is no readv the same contract holds, with one slice a call.
func TestOneSliceACall(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	r, w := &oneReader{f, raw}, &oneWriter{f, raw}
	n, err := w.Writev([][]byte{nil, []byte("head"), []byte("body")})
	want(t, "Writev", n, err, 4, nil)
	n, err = WriteAll(w, []byte("er"), nil, []byte(" and body"))
	want(t, "WriteAll", n, err, 11, nil)
	for _, bufs := range [][][]byte{nil, {nil, {}}} {
		n, err = w.Writev(bufs)
		want(t, "Writev of nothing", n, err, 0, nil)
		n, err = r.Readv(bufs)
		want(t, "Readv without room", n, err, 0, nil)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	a, b := make([]byte, 6), make([]byte, 9)
	n, err = r.Readv([][]byte{{}, a[:2], b})
	want(t, "Readv", n, err, 2, nil)
	n, err = ReadFull(r, a[2:], b)
	want(t, "ReadFull", n, err, 13, nil)
	if got := fmt.Sprintf("%s%s", a, b); got != "header and body" {
		t.Errorf("got %q", got)
	}
	n, err = r.Readv([][]byte{a})
	want(t, "Readv at the end", n, err, 0, io.EOF)

	f.Close()
	for _, call := range []func() (int, error){
		func() (int, error) { return r.Read(a) },
		func() (int, error) { return w.Write(a) },
		func() (int, error) { return r.Readv([][]byte{a}) },
		func() (int, error) { return w.Writev([][]byte{a}) },
	} {
		n, err = call()
		want(t, "a call after Close", n, err, 0, os.ErrClosed)
	}
}

// dialled returns both ends of a TCP connection, and the first as a descriptor.
func dialled(t *testing.T) (conn, peer net.Conn, raw syscall.RawConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if conn, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if peer, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	if raw, err = conn.(*net.TCPConn).SyscallConn(); err != nil {
		t.Fatal(err)
	}
	return conn, peer, raw
}

// A closed connection returns os.ErrClosed there too, if the descriptor reports it.
// The connection's own Read returns another error.
func TestOneSliceACallOfAClosedConn(t *testing.T) {
	conn, _, raw := dialled(t)
	conn.Close()
	closed := []error{os.ErrClosed, net.ErrClosed}
	if !isClosed(raw) { // the system does not report it
		closed = closed[1:]
	}
	b := make([]byte, 1)
	for what, call := range map[string]func() (int, error){
		"Readv":  func() (int, error) { return (&oneReader{conn, raw}).Readv([][]byte{b}) },
		"Writev": func() (int, error) { return (&oneWriter{conn, raw}).Writev([][]byte{b}) },
	} {
		n, err := call()
		for _, is := range closed {
			want(t, what, n, err, 0, is)
		}
	}
}

// Values that implement Reader and Writer are used as they are.
func TestOwnReaders(t *testing.T) {
	own := new(told)
	if r, w := ReaderOf(own), WriterOf(own); r != own || w != own {
		t.Errorf("ReaderOf and WriterOf are %v and %v", r, w)
	}
	if r, w := Supported(own); !r || !w {
		t.Errorf("Supported is %v, %v", r, w)
	}
	none := new(bytes.Buffer)
	if r, w := ReaderOf(none), WriterOf(none); r != nil || w != nil {
		t.Errorf("of a buffer they are %v and %v", r, w)
	}
	if r, w := Supported(none); r || w {
		t.Errorf("Supported of a buffer is %v, %v", r, w)
	}
	var typedNil *told
	if r := ReaderOf(typedNil); r != typedNil {
		t.Errorf("ReaderOf a nil pointer to a user's type is %v", r)
	}
}
