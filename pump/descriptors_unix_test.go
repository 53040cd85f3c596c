//go:build unix

package pump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

type end interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

// kinds make both ends of each kind of stream that the system has.
var kinds = map[string]func(t testing.TB) (w, r end){
	"pipe": func(t testing.TB) (w, r end) { return pipe(t) },
	"TCP": func(t testing.TB) (w, r end) {
		a, b := tcp(t)
		return a, b
	},
	"tiny TCP": func(t testing.TB) (w, r end) {
		a, b := tcp(t)
		if err := a.SetWriteBuffer(1); err != nil {
			t.Fatal(err)
		}
		return a, b
	},
	"unix": func(t testing.TB) (w, r end) {
		a, b := unixPair(t)
		return a, b
	},
}

func pipe(t testing.TB) (w, r *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return w, r
}

func unixPair(t testing.TB) (a, b *net.UnixConn) {
	t.Helper()
	dir, err := os.MkdirTemp("", "") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	x, y := connect(t, l)
	return x.(*net.UnixConn), y.(*net.UnixConn)
}

// each runs a test for every kind of source and sink. What is written to feed is
// read from src, and what is written to dst is read from drain.
func each(t *testing.T, f func(t *testing.T, feed, src, dst, drain end)) {
	for sname, source := range kinds {
		for dname, sink := range kinds {
			t.Run(sname+" to "+dname, func(t *testing.T) {
				feed, src := source(t)
				dst, drain := sink(t)
				f(t, feed, src, dst, drain)
			})
		}
	}
}

func TestCopyBetweenDescriptors(t *testing.T) {
	each(t, func(t *testing.T, feed, src, dst, drain end) {
		const size = 300_001
		go func() { feed.Write(stream(size)); feed.Close() }()
		all := readAll(drain)
		stats, err := Copy(context.Background(), dst, src, Capacity(10_000))
		dst.Close()
		if err != nil {
			t.Fatal(err)
		}
		arrived(t, <-all, size)
		moved(t, stats, size, size)
	})
}

// soon fails the test unless f returns within prompt.
func soon(t testing.TB, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if d := time.Since(begin); d > prompt {
		t.Errorf("it took %v, want at most %v", d, prompt)
	}
}

// TestCancelWhileTheSourceWaits checks that all bytes that came arrive, and that
// both ends can be used afterwards.
func TestCancelWhileTheSourceWaits(t *testing.T) {
	each(t, func(t *testing.T, feed, src, dst, drain end) {
		const n = 3000
		ctx, cancel := cancellable()
		done := start(ctx, dst, src, Capacity(1000))
		go feed.Write(stream(n))
		got := make([]byte, n)
		if _, err := io.ReadFull(drain, got); err != nil {
			t.Fatal(err)
		}
		arrived(t, got, n)
		soon(t, func() {
			cancel()
			r := <-done
			safe(t, failed(t, r.err, Neither, errTest), n)
			moved(t, r.stats, n, n)
		})
		done = start(context.Background(), dst, src)
		feed.Write([]byte("more"))
		feed.Close()
		if r := <-done; r.err != nil {
			t.Errorf("the next copy: %v", r.err)
		}
		dst.Close()
		if b := <-readAll(drain); string(b) != "more" {
			t.Errorf("the next copy moved %q", b)
		}
	})
}

// TestCancelWhileTheSinkWaits ends the context when the source has given n bytes,
// to a sink that is not read: most sinks are then in the middle of a write.
func TestCancelWhileTheSinkWaits(t *testing.T) {
	for name, kind := range kinds {
		for _, n := range []int{1, 5000, 70_000, 1 << 20} {
			dst, drain := kind(t)
			ctx, cancel := cancellable()
			given := 0
			src := endless()
			soon(t, func() {
				stats, err := Copy(ctx, dst, readerFunc(func(b []byte) (int, error) {
					if given >= n {
						cancel()
						<-ctx.Done()
					}
					m, err := src.Read(b)
					given += m
					return m, err
				}), Capacity(2<<20), MaxCall(10_000))
				e := failed(t, err, Neither, errTest)
				safe(t, e, stats.Sink.Bytes)
				all := readAll(drain)
				if _, err := dst.Write(stream(int(e.Written) + 1000)[e.Written:]); err != nil {
					t.Errorf("%s, %d: the sink does not go on: %v", name, n, err)
				}
				dst.Close()
				arrived(t, <-all, e.Written+1000)
			})
		}
	}
}

// TestCancelWhileTheStreamFlows checks that the bytes written arrive and that the
// source goes on after the bytes read.
func TestCancelWhileTheStreamFlows(t *testing.T) {
	each(t, func(t *testing.T, feed, src, dst, drain end) {
		for _, n := range []int{1, 40_000} {
			all := stream(300_000)
			fed := make(chan struct{})
			ctx, cancel := cancellable()
			go func() { defer close(fed); feed.Write(all) }()
			done := start(ctx, dst, src, Capacity(50_000))
			got := make([]byte, n)
			if _, err := io.ReadFull(drain, got); err != nil {
				t.Fatal(err)
			}
			rest := make(chan []byte, 1)
			mark := []byte("the end, which no stream contains")
			go func() {
				var b bytes.Buffer
				one := make([]byte, 1000)
				for !bytes.HasSuffix(b.Bytes(), mark) {
					m, err := drain.Read(one)
					if b.Write(one[:m]); err != nil {
						break
					}
				}
				rest <- b.Bytes()
			}()
			cancel()
			r := <-done
			e := failed(t, r.err, Neither, errTest)
			safe(t, e, r.stats.Sink.Bytes)
			if _, err := dst.Write(mark); err != nil {
				t.Fatal(err)
			}
			arrived(t, bytes.TrimSuffix(append(got, <-rest...), mark), e.Written)
			more := make([]byte, len(all)-int(r.stats.Source.Bytes))
			if _, err := io.ReadFull(src, more); err != nil || !bytes.Equal(more, all[r.stats.Source.Bytes:]) {
				t.Errorf("the source does not go on at %d: %v", r.stats.Source.Bytes, err)
			}
			<-fed
		}
	})
}

// TestClosedFromElsewhere closes the end of a blocked call from another goroutine.
func TestClosedFromElsewhere(t *testing.T) {
	each(t, func(t *testing.T, feed, src, dst, drain end) {
		const n = 3000
		done := start(context.Background(), dst, src)
		feed.Write(stream(n))
		got := make([]byte, n)
		io.ReadFull(drain, got)
		src.Close()
		r := <-done
		e := failed(t, r.err, Source, os.ErrClosed)
		if e.Offset != n {
			t.Errorf("failed at byte %d, want %d", e.Offset, n)
		}
		safe(t, e, n)
	})
	for name, kind := range kinds {
		dst, drain := kind(t)
		all := readAll(drain)
		src := then(endless(), 300_000, func() { dst.Close() })
		_, err := Copy(context.Background(), dst, src, Capacity(1000))
		e := failed(t, err, Sink, os.ErrClosed)
		arrived(t, <-all, e.Written)
		if e.Pending != 0 {
			t.Errorf("%s: %d bytes pending", name, e.Pending)
		}
	}
}

// TestPeerGone has the peer of the sink close after n bytes.
func TestPeerGone(t *testing.T) {
	for _, kind := range []string{"pipe", "unix"} {
		const n = 3000
		feed, src := kinds["pipe"](t)
		dst, drain := kinds[kind](t)
		done := start(context.Background(), dst, src)
		feed.Write(stream(n))
		io.ReadFull(drain, make([]byte, n))
		drain.Close()
		soon(t, func() {
			feed.Write(stream(10)) // the stream does not end
			r := <-done
			e := failed(t, r.err, Sink, syscall.EPIPE)
			if e.Offset != n {
				t.Errorf("%s: failed at byte %d, want %d", kind, e.Offset, n)
			}
			safe(t, e, n)
		})
	}
}

// TestPeerResets resets a connection of the source or of the sink.
func TestPeerResets(t *testing.T) {
	const n = 3000
	copying := func(reset func(feed, drain *net.TCPConn)) result {
		feed, src := tcp(t)
		dst, drain := tcp(t)
		done := start(context.Background(), dst, src)
		feed.Write(stream(n))
		io.ReadFull(drain, make([]byte, n))
		reset(feed, drain)
		return <-done
	}
	r := copying(func(feed, _ *net.TCPConn) {
		feed.SetLinger(0)
		feed.Close()
	})
	e := failed(t, r.err, Source, syscall.ECONNRESET)
	safe(t, e, n)
	moved(t, r.stats, n, n)

	r = copying(func(feed, drain *net.TCPConn) {
		drain.SetLinger(0)
		drain.Close()
		go io.Copy(feed, endless())
	})
	var sys syscall.Errno
	if !errors.As(r.err, &sys) || sys != syscall.EPIPE && sys != syscall.ECONNRESET {
		t.Errorf("the sink's peer resets: %v", r.err)
	}
	e = failed(t, r.err, Sink, sys)
	if e.Written < n || e.Written != r.stats.Sink.Bytes {
		t.Errorf("%d bytes are written, the stats have %d, and %d arrived", e.Written, r.stats.Sink.Bytes, n)
	}
}

// TestHalfClose checks that the end of one direction of a connection is an end of
// the stream.
func TestHalfClose(t *testing.T) {
	feed, src := tcp(t)
	feed.Write(stream(1000))
	feed.CloseWrite()
	var got bytes.Buffer
	if _, err := Copy(context.Background(), &got, src); err != nil {
		t.Fatal(err)
	}
	arrived(t, got.Bytes(), 1000)
	if _, err := src.Write([]byte("x")); err != nil {
		t.Errorf("the other stream: %v", err)
	}
}

// TestReaderDies has a program read some bytes and exit.
func TestReaderDies(t *testing.T) {
	dd, err := exec.LookPath("dd")
	if err != nil {
		t.Skip(err)
	}
	w, r := pipe(t)
	cmd := exec.Command(dd, "bs=1", "count=3000")
	cmd.Stdin = r
	var got bytes.Buffer
	cmd.Stdout = &got
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	_, err = Copy(context.Background(), w, endless())
	e := failed(t, err, Sink, syscall.EPIPE)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	arrived(t, got.Bytes(), 3000)
	if e.Written < 3000 || e.Pending != 0 {
		t.Errorf("%d bytes are written, of which %d were read; %d are pending", e.Written, 3000, e.Pending)
	}
}

// TestFileChanges has the source file become shorter or longer during the copy. The
// stream ends where the file ends when the source gets there.
func TestFileChanges(t *testing.T) {
	const size, capacity = 100_000, 4000
	for _, tc := range []struct {
		name     string
		to       int64 // the file's size after the first write
		min, max int64
	}{
		{"cut before the source", 10, 1, capacity + 512},
		{"cut behind the source", 50_000, 50_000, 50_000},
		{"longer", 150_000, 150_000, 150_000},
	} {
		name := filepath.Join(t.TempDir(), "file")
		all := stream(150_000)
		if err := os.WriteFile(name, all[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var got bytes.Buffer
		stats, err := Copy(context.Background(), writerFunc(func(b []byte) (int, error) {
			if got.Len() == 0 {
				if tc.to > size {
					if _, err := f.WriteAt(all[size:], size); err != nil {
						t.Error(err)
					}
				} else if err := os.Truncate(name, tc.to); err != nil {
					t.Error(err)
				}
			}
			return got.Write(b)
		}), f, Capacity(capacity))
		if n := int64(got.Len()); err != nil || n < tc.min || n > tc.max {
			t.Errorf("%s: %d bytes, %v; want %d to %d", tc.name, n, err, tc.min, tc.max)
		}
		arrived(t, got.Bytes(), stats.Source.Bytes)
	}
}

// then calls f once, at the first read after n bytes of r.
func then(r io.Reader, n int, f func()) io.Reader {
	return io.MultiReader(io.LimitReader(r, int64(n)), readerFunc(func([]byte) (int, error) {
		f()
		return 0, io.EOF
	}), r)
}

// again returns the command that runs the calling test as a program. If this
// program is emulated, the system may not be able to run it.
func again(t *testing.T) *exec.Cmd {
	if err := exec.Command(os.Args[0], "-test.run=^$").Run(); errors.Is(err, syscall.ENOEXEC) {
		t.Skip(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "PUMP_AGAIN=1")
	return cmd
}

func isAgain() bool { return os.Getenv("PUMP_AGAIN") != "" }

// TestPanicLeftBehind checks that a panic of a call that was left behind ends the
// process, because no caller is left to recover it.
func TestPanicLeftBehind(t *testing.T) {
	if isAgain() {
		ctx, cancel := cancellable()
		left := make(chan struct{})
		go func() {
			Copy(ctx, io.Discard, readerFunc(func([]byte) (int, error) {
				cancel()
				<-left
				panic("too late")
			}))
			close(left)
		}()
		select {}
	}
	out, err := again(t).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: too late") {
		t.Errorf("%v: %s", err, out)
	}
}

// A halting sink cancels the copy from its write, which then takes half of the
// grace, and reports when the grace starts.
type halting struct {
	cancel  func()
	stopped chan struct{}
}

func (h halting) Write(b []byte) (int, error) {
	h.cancel()
	<-h.stopped
	time.Sleep(grace / 2)
	return len(b), nil
}

func (h halting) SetWriteDeadline(time.Time) error {
	os.Stdout.WriteString("now")
	h.stopped <- struct{}{}
	return nil
}

// TestHalted checks that a process that is halted during the grace of a call does
// not leave the call behind, because the call had no time to return.
func TestHalted(t *testing.T) {
	if isAgain() {
		ctx, cancel := cancellable()
		_, err := Copy(ctx, halting{cancel, make(chan struct{}, 2)}, bytes.NewReader(stream(10)))
		safe(t, failed(t, err, Neither, errTest), 10)
		return
	}
	for range 3 {
		cmd := again(t)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(2 * grace)
		cmd.Process.Signal(syscall.SIGCONT)
		text, _ := io.ReadAll(out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	}
}

func TestRelayUnix(t *testing.T) {
	client, a := unixPair(t)
	b, server := unixPair(t)
	question(t, client, a, b, server)
	client2, a2 := unixPair(t)
	b2, server2 := tcp(t)
	question(t, client2, a2, b2, server2)
}
