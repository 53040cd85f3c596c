package vectored

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"weak"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/internal/scripted"
)

// nonblocking reports whether O_NONBLOCK is set.
func nonblocking(t testing.TB, c syscall.Conn) bool {
	t.Helper()
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, descriptor(t, c), syscall.F_GETFL, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return flags&syscall.O_NONBLOCK != 0
}

// blockingPipe returns a pipe as a process inherits one. The writer must be closed
// first: Close does not end a Readv that holds a thread.
func blockingPipe(t testing.TB) (r, w *os.File) {
	var fds [2]int
	must(t, 0, syscall.Pipe2(fds[:], syscall.O_CLOEXEC))
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { w.Close(); r.Close() })
	return r, w
}

// All processes that share a pipe or a terminal share its mode, so it must not be
// changed.
func TestModeIsLeftAlone(t *testing.T) {
	check := func(t *testing.T, src, dst end, want bool) {
		t.Helper()
		steps := []func(){
			func() { must2(NewReader(src))(t); must2(NewWriter(dst))(t) },
			func() { found(t, "it", src, true) },
			func() { must2(must2(NewWriter(dst))(t).Writev([][]byte{{1}, {2}}))(t) },
			func() { must2(must2(NewReader(src))(t).Readv([][]byte{{0}, {0}}))(t) },
		}
		for i, step := range steps {
			step()
			if nonblocking(t, src) != want || nonblocking(t, dst) != want {
				t.Fatalf("O_NONBLOCK is no longer %v after step %d", want, i)
			}
		}
	}
	onLinks(t, func(t *testing.T, l *link) { check(t, l.src, l.dst, true) })
	t.Run("blocking pipe", func(t *testing.T) {
		r, w := blockingPipe(t)
		check(t, r, w, false)
	})
}

func TestBlockingDescriptor(t *testing.T) {
	src, dst := blockingPipe(t)
	r, w := must2(NewReader(src))(t), must2(NewWriter(dst))(t)
	bufs := [][]byte{make([]byte, 2), make([]byte, 8)}
	entered := make(chan bool, 1)
	scripted.Serve(t, descriptor(t, src), func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		entered <- true
		return scripted.Real(op, fd, vec, off)
	})
	read := soon(t, "Readv", func() (int, error) { return r.Readv(bufs) })
	<-entered
	time.Sleep(10 * time.Millisecond)
	n, err := w.Writev([][]byte{[]byte("abc"), []byte("de")})
	want(t, "Writev", n, err, 5, nil)
	n, err = read()
	want(t, "Readv that waits in the system", n, err, 5, nil)
	if got := string(bytes.Join(bufs, nil)[:5]); got != "abcde" {
		t.Errorf("got %q", got)
	}

	const size = 1 << 20 // more than the pipe holds
	wrote := soon(t, "WriteAll", func() (int, error) {
		defer dst.Close()
		return WriteAll(w, pattern.Bytes(0, 9), pattern.Bytes(9, size-9))
	})
	got, err := io.ReadAll(src)
	if must(t, got, err); !bytes.Equal(got, pattern.Bytes(0, size)) {
		t.Errorf("got %d bytes, want %d, or the bytes differ", len(got), size)
	}
	n, err = wrote()
	want(t, "WriteAll", n, err, size, nil)
	n, err = r.Readv(bufs)
	want(t, "Readv at the end", n, err, 0, io.EOF)
}

// Another process that shares a blocking pipe may make it non-blocking. Then there
// is no poller to wait with, and an error is better than a loop.
func TestBlockingDescriptorMadeNonBlocking(t *testing.T) {
	src, dst := blockingPipe(t)
	r, w := must2(NewReader(src))(t), must2(NewWriter(dst))(t)
	for _, c := range []syscall.Conn{src, dst} {
		must(t, 0, syscall.SetNonblock(int(descriptor(t, c)), true))
	}
	reads, writes := watch(t, src), watch(t, dst)
	n, err := soon(t, "Readv", func() (int, error) { return r.Readv([][]byte{{0}, {0}}) })()
	want(t, "Readv", n, err, 0, syscall.EAGAIN)

	const size = 1 << 20 // more than the pipe holds
	wrote, err := soon(t, "WriteAll", func() (int, error) { return WriteAll(w, make([]byte, size)) })()
	if wrote == 0 || wrote >= size || !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("WriteAll = %d, %v", wrote, err)
	}
	if r, w := reads.calls.Load(), writes.calls.Load(); r != 1 || w != 2 {
		t.Errorf("%d reads and %d writes", r, w)
	}
	n, err = ReadFull(r, make([]byte, wrote))
	want(t, "ReadFull of what was written", n, err, wrote, nil)
}

// The system takes at most 1024 slices a call. Empty slices are not passed to it.
func TestManySlices(t *testing.T) {
	const slices = 3000
	onLinks(t, func(t *testing.T, l *link) {
		out, in := make([][]byte, 2*slices), make([][]byte, 2*slices)
		for i := range slices {
			out[2*i], in[2*i] = pattern.Bytes(uint64(i), 1), make([]byte, 1)
		}
		vectors := func(c syscall.Conn) *[]int {
			var lengths []int
			scripted.Serve(t, descriptor(t, c), func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
				lengths = append(lengths, len(vec))
				return scripted.Real(op, fd, vec, off)
			})
			return &lengths
		}
		writes, reads := vectors(l.dst), vectors(l.src)
		n, err := l.w.Writev(out)
		want(t, "Writev", n, err, maxVec, nil)
		n, err = l.r.Readv(in)
		want(t, "Readv", n, err, maxVec, nil)
		for i := range slices {
			if i < maxVec && in[2*i][0] != out[2*i][0] || i >= maxVec && in[2*i][0] != 0 {
				t.Fatalf("byte %d is %d", i, in[2*i][0])
			}
		}
		if w, r := (*writes)[0], (*reads)[0]; w != maxVec || r != maxVec {
			t.Errorf("a call had %d and %d slices", w, r)
		}
		n, err = WriteAll(l.w, out...)
		want(t, "WriteAll", n, err, slices, nil)
		n, err = ReadFull(l.r, in...)
		want(t, "ReadFull", n, err, slices, nil)
		if !bytes.Equal(bytes.Join(in, nil), bytes.Join(out, nil)) {
			t.Error("the bytes differ from those written")
		}
	})
	t.Run("file", func(t *testing.T) {
		_, file := create(t, "")
		out := make([][]byte, slices)
		for i := range out {
			out[i] = pattern.Bytes(uint64(i), 1)
		}
		n, err := file.Pwritev(out, 5)
		want(t, "Pwritev", n, err, maxVec, nil)
		in := make([][]byte, slices)
		for i := range in {
			in[i] = make([]byte, 1)
		}
		n, err = file.Preadv(in, 5)
		want(t, "Preadv", n, err, maxVec, nil)
		if !bytes.Equal(bytes.Join(in[:n], nil), bytes.Join(out[:n], nil)) {
			t.Error("the bytes differ from those written")
		}
	})
}

// One call offers at most as many bytes as an int counts on every system.
func TestMoreThanACallCounts(t *testing.T) {
	f, file := create(t, "")
	var offered int64
	scripted.Serve(t, descriptor(t, f), func(_ kernel.Op, _ uintptr, vec []syscall.Iovec, _ int64) (int, syscall.Errno) {
		offered = 0
		for _, b := range scripted.Slices(vec) {
			offered += int64(len(b))
		}
		return int(offered), 0
	})
	part := make([]byte, 3<<20)
	bufs := make([][]byte, 600)
	for i := range bufs {
		bufs[i] = part
	}
	for what, call := range map[string]func() (int, error){
		"Readv":   func() (int, error) { return must2(NewReader(f))(t).Readv(bufs) },
		"Writev":  func() (int, error) { return must2(NewWriter(f))(t).Writev(bufs) },
		"Preadv":  func() (int, error) { return file.Preadv(bufs, 0) },
		"Pwritev": func() (int, error) { return file.Pwritev(bufs, 0) },
	} {
		n, err := call()
		want(t, what, n, err, maxCall, nil)
		if offered != maxCall {
			t.Errorf("%s is offered %d bytes, want %d", what, offered, maxCall)
		}
	}
	if len(bufs[599]) != len(part) {
		t.Error("the caller's slices were cut")
	}
}

// TestNothingIsKept checks that the collector can free the slices after a call,
// even one that failed, however many there were.
func TestNothingIsKept(t *testing.T) {
	f, file := create(t, "0123456789")
	src := scripted.NewSource(t, scripted.Decode([]byte{
		scripted.All, 0, scripted.Fail, 0, scripted.Below, 0, scripted.Deadline, 0, scripted.End, 0})...)
	dst := scripted.NewSink(t, scripted.Decode([]byte{
		scripted.All, 0, scripted.Fail, 0, scripted.Below, 0, scripted.Deadline, 0, scripted.End, 0})...)
	r, w := must2(NewReader(src))(t), must2(NewWriter(dst))(t)
	inParts := must2(NewWriter(scripted.NewSink(t, slices.Repeat([]scripted.Step{{N: 100}}, 100)...)))(t)
	for what, call := range map[string]func(bufs [][]byte){
		"Readv":    func(bufs [][]byte) { r.Readv(bufs) },
		"Writev":   func(bufs [][]byte) { w.Writev(bufs) },
		"Read":     func(bufs [][]byte) { r.Read(bufs[0]) },
		"Write":    func(bufs [][]byte) { w.Write(bufs[0]) },
		"ReadFull": func(bufs [][]byte) { ReadFull(r, bufs...) },
		"WriteAll": func(bufs [][]byte) { WriteAll(w, bufs...) },
		"in parts": func(bufs [][]byte) { WriteAll(inParts, bufs...) },
		"Preadv":   func(bufs [][]byte) { file.Preadv(bufs, 0) },
		"Pwritev":  func(bufs [][]byte) { file.Pwritev(bufs, 0) },
	} {
		for _, n := range []int{1, 2, 3, 7, 1, 2} {
			kept := lend(n, call)
			for range 3 {
				runtime.GC()
			}
			for i, p := range kept {
				if p.Value() != nil {
					t.Errorf("%s of %d slices keeps slice %d", what, n, i)
				}
			}
		}
	}
	runtime.KeepAlive([]any{f, file, r, w, inParts})
}

// lend calls f with slices slices and returns weak pointers to their memory.
//
//go:noinline
func lend(slices int, f func(bufs [][]byte)) (where []weak.Pointer[[64]byte]) {
	var bufs [][]byte
	for range slices {
		b := new([64]byte)
		where = append(where, weak.Make(b))
		bufs = append(bufs, b[:])
	}
	f(bufs)
	return where
}

// A deafConn is a syscall.Conn whose calls after the first end before an attempt.
type deafConn struct {
	syscall.Conn
	syscall.RawConn
	calls int
}

func (c *deafConn) SyscallConn() (syscall.RawConn, error) { return c, nil }

func (c *deafConn) Read(f func(fd uintptr) bool) error {
	if c.calls++; c.calls > 1 {
		return errTest
	}
	return c.RawConn.Read(f)
}

// What an earlier call left behind must not become the result of a call that made
// no attempt.
func TestNoAttempt(t *testing.T) {
	src := scripted.NewSource(t, scripted.Step{Errno: syscall.EAGAIN, Wait: os.ErrDeadlineExceeded})
	raw := must2(src.SyscallConn())(t)
	r := must2(NewReader(&deafConn{Conn: src, RawConn: raw}))(t)
	n, err := r.Readv([][]byte{{0}})
	want(t, "Readv that waits", n, err, 0, os.ErrDeadlineExceeded)
	n, err = r.Readv([][]byte{{0}})
	want(t, "Readv that makes no attempt", n, err, 0, errTest)
}
