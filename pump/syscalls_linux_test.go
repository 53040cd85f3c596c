package pump

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/kernel"
)

// A tally counts the vectored system calls.
type tally struct {
	bytes   [4]atomic.Int64 // indexed by kernel.Op
	begun   chan kernel.Op  // receives the calls that begin, while there is room
	blocked chan kernel.Op  // receives the calls that have to wait, while there is room
}

// watch counts system calls until the test ends. By then the calls of all
// goroutines must have ended.
func watch(t *testing.T) *tally {
	y := &tally{begun: make(chan kernel.Op, 1), blocked: make(chan kernel.Op, 1)}
	offer := func(to chan kernel.Op, op kernel.Op) {
		select {
		case to <- op:
		default:
		}
	}
	call := kernel.Call
	kernel.Call = func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		offer(y.begun, op)
		n, errno := call(op, fd, vec, off)
		y.bytes[op].Add(int64(n))
		if errno == syscall.EAGAIN {
			offer(y.blocked, op)
		}
		return n, errno
	}
	t.Cleanup(func() { kernel.Call = call })
	return y
}

// wait waits until a call of this kind has to wait.
func (y *tally) wait(op kernel.Op) {
	for op != <-y.blocked {
	}
}

// TestCallsAreReadvAndWritev checks that every byte goes through readv and writev.
// None may go through splice, sendfile or copy_file_range, which io.Copy uses for
// these ends.
func TestCallsAreReadvAndWritev(t *testing.T) {
	const size = 300_001
	file := func(t *testing.T) *os.File {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, stream(size), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	check := func(t *testing.T, dst io.WriteCloser, src io.Reader) {
		y := watch(t)
		stats, err := Copy(context.Background(), dst, src)
		if err != nil {
			t.Error(err)
		}
		dst.Close()
		moved(t, stats, size, size)
		if r, w := y.bytes[kernel.Readv].Load(), y.bytes[kernel.Writev].Load(); r != size || w != size {
			t.Errorf("%d bytes went through readv and %d through writev, want %d", r, w, size)
		}
	}
	each(t, func(t *testing.T, feed, src, dst, drain end) {
		go func() { feed.Write(stream(size)); feed.Close() }()
		all := readAll(drain)
		check(t, dst, src)
		arrived(t, <-all, size)
	})
	for name, sink := range kinds {
		t.Run("file to "+name, func(t *testing.T) {
			dst, drain := sink(t)
			all := readAll(drain)
			check(t, dst, file(t))
			arrived(t, <-all, size)
		})
	}
	t.Run("file to file", func(t *testing.T) {
		dst := file(t)
		if err := dst.Truncate(0); err != nil {
			t.Fatal(err)
		}
		check(t, dst, file(t))
		got, err := os.ReadFile(dst.Name())
		if err != nil {
			t.Fatal(err)
		}
		arrived(t, got, size)
	})
}

// TestCancelBlockedCalls ends the context after the system has reported that the
// call must wait.
func TestCancelBlockedCalls(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			y := watch(t)
			_, src := kind(t)
			ctx, cancel := cancellable()
			soon(t, func() {
				done := start(ctx, io.Discard, src)
				y.wait(kernel.Readv)
				cancel()
				safe(t, failed(t, (<-done).err, Neither, errTest), 0)
			})

			dst, drain := kind(t)
			ctx, cancel = cancellable()
			soon(t, func() {
				done := start(ctx, dst, endless())
				y.wait(kernel.Writev)
				cancel()
				r := <-done
				e := failed(t, r.err, Neither, errTest)
				safe(t, e, r.stats.Sink.Bytes)
				dst.Close()
				arrived(t, <-readAll(drain), e.Written)
			})
		})
	}
}

// TestSinkFailsUnderABlockedSource checks that a blocked source is interrupted and
// not waited for.
func TestSinkFailsUnderABlockedSource(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			y := watch(t)
			feed, src := kind(t)
			feed.Write(stream(10))
			soon(t, func() {
				_, err := Copy(context.Background(), writerFunc(func([]byte) (int, error) {
					y.wait(kernel.Readv)
					return 4, errTest
				}), src)
				safe(t, failed(t, err, Sink, errTest), 4)
			})
			feed.Write([]byte("more"))
			feed.Close()
			if b := <-readAll(src); string(b) != "more" {
				t.Errorf("the source goes on with %q", b)
			}
		})
	}
}

// blocking returns a pipe whose ends are in blocking mode, like an inherited
// standard input.
func blocking(t *testing.T) (w, r *os.File) {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return w, r
}

// TestBlockingMode checks that a call that cannot be interrupted is left behind and
// does no more than the Error says.
func TestBlockingMode(t *testing.T) {
	w, r := blocking(t)
	ctx, cancel := cancellable()
	var got bytes.Buffer
	var meter Meter
	came := make(chan struct{})
	done := start(ctx, writerFunc(func(b []byte) (int, error) {
		defer close(came)
		return got.Write(b)
	}), r, WithMeter(&meter))
	w.Write(stream(10))
	<-came
	soon(t, func() {
		cancel()
		res := <-done
		safe(t, failed(t, res.err, Neither, errTest), 10)
		w.Write([]byte("late"))
		// The read that was left behind takes the byte, so no other read gets it.
		w.Close()
		if rest := <-readAll(r); len(rest) > 0 && string(rest) != "late" {
			t.Errorf("the source goes on with %q", rest)
		}
		arrived(t, got.Bytes(), 10)
		if now := meter.Stats(); now != res.stats {
			t.Errorf("the meter has %+v, the stats %+v", now, res.stats)
		}
	})

	w, r = blocking(t)
	full, err := w.Write(stream(1 << 16)) // as much as a pipe holds
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel = cancellable()
	const most = 1000
	y := watch(t)
	done = start(ctx, w, endless(), Capacity(1<<16), MaxCall(most))
	<-y.begun
	soon(t, func() {
		cancel()
		e := failed(t, (<-done).err, Neither, errTest)
		// The write may have begun with the bytes of the first read, which are fewer.
		if e.Written != 0 || e.Pending <= 0 || e.Pending > most {
			t.Errorf("%d bytes are written and %d pending, want 0 and at most %d", e.Written, e.Pending, most)
		}
		all := readAll(r) // lets the write finish
		w.Close()         // after the write has finished
		got := (<-all)[full:]
		if len(got) != int(e.Pending) {
			t.Errorf("%d bytes arrived late, %d were pending", len(got), e.Pending)
		}
		arrived(t, got, int64(len(got)))
	})
}

func TestDeviceFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	feed, src := pipe(t)
	feed.Write(stream(10)) // the stream does not end
	_, err = Copy(context.Background(), f, src)
	safe(t, failed(t, err, Sink, syscall.ENOSPC), 0)
}

// TestSmallestPipe copies through a pipe of one page, so that most writes are
// short.
func TestSmallestPipe(t *testing.T) {
	const size = 100_001
	small := func() (w, r *os.File) {
		w, r = pipe(t)
		raw, err := w.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			n, errno := kernel.Fcntl(fd, kernel.SetPipeSize, 1)
			if errno != 0 || n > 65536 {
				t.Fatalf("a pipe of %d bytes: %v", n, errno)
			}
		})
		return w, r
	}
	feed, src := small()
	dst, drain := small()
	go func() { feed.Write(stream(size)); feed.Close() }()
	all := readAll(drain)
	if _, err := Copy(context.Background(), dst, src); err != nil {
		t.Fatal(err)
	}
	dst.Close()
	arrived(t, <-all, size)

	y := watch(t)
	dst, drain = small()
	ctx, cancel := cancellable()
	done := start(ctx, dst, endless())
	y.wait(kernel.Writev)
	cancel()
	e := failed(t, (<-done).err, Neither, errTest)
	safe(t, e, e.Written)
	if e.Written == 0 {
		t.Error("nothing was written")
	}
	dst.Close()
	arrived(t, <-readAll(drain), e.Written)
}

// TestSmallestReceiveBuffer copies to a connection whose window keeps closing.
func TestSmallestReceiveBuffer(t *testing.T) {
	const size = 10_000
	feed, src := tcp(t)
	dst, drain := tcp(t)
	for _, c := range []interface{ SetReadBuffer(int) error }{src, drain} {
		if err := c.SetReadBuffer(1); err != nil {
			t.Fatal(err)
		}
	}
	go func() { feed.Write(stream(size)); feed.Close() }()
	all := readAll(drain)
	if _, err := Copy(context.Background(), dst, src); err != nil {
		t.Fatal(err)
	}
	dst.Close()
	arrived(t, <-all, size)
}

// TestScriptedKernel checks that interrupted and short calls result in the same
// stream.
func TestScriptedKernel(t *testing.T) {
	var mu sync.Mutex
	calls := 0
	call := kernel.Call
	kernel.Call = func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		mu.Lock()
		calls++
		n := calls
		mu.Unlock()
		switch {
		case n%3 == 0:
			return 0, syscall.EINTR
		case n%2 == 0:
			short := vec[0]
			short.SetLen(1)
			return call(op, fd, []syscall.Iovec{short}, off)
		}
		return call(op, fd, vec, off)
	}
	t.Cleanup(func() { kernel.Call = call })
	feed, src := pipe(t)
	dst, drain := pipe(t)
	go func() { feed.Write(stream(300_000)); feed.Close() }()
	all := readAll(drain)
	if _, err := Copy(context.Background(), dst, src, Capacity(10_001), MaxCall(333)); err != nil {
		t.Fatal(err)
	}
	dst.Close()
	arrived(t, <-all, 300_000)
}
