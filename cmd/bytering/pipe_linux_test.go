package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// modePipe makes a pipe that is in non-blocking mode if that is asked for, also
// once a process has inherited it.
func modePipe(t *testing.T, nonblock bool) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	flags := unix.O_CLOEXEC
	if nonblock {
		flags |= unix.O_NONBLOCK
	}
	if err := unix.Pipe2(fds[:], flags); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func fcntl(t *testing.T, f *os.File, cmd, arg int) int {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if e := raw.Control(func(fd uintptr) { n, err = unix.FcntlInt(fd, cmd, arg) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	return n
}

// TestPipes: both pipes hold a mebibyte or what they held, and whoever shares
// them finds O_NONBLOCK as it was.
func TestPipes(t *testing.T) {
	for _, c := range []struct{ had, has int }{{64 << 10, 1 << 20}, {4 << 10, 1 << 20}, {1 << 20, 1 << 20}, {2 << 20, 2 << 20}} {
		for _, nonblock := range []bool{false, true} {
			t.Run(fmt.Sprint(c.had, "/nonblock=", nonblock), func(t *testing.T) {
				in, feed := modePipe(t, nonblock)
				r, w := modePipe(t, nonblock)
				for _, f := range []*os.File{feed, w} {
					if _, err := unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, c.had); err != nil {
						t.Skipf("a pipe of %d bytes, which is more than the system lets this user have: %v", c.had, err)
					}
				}
				p := prepare(t)
				p.Stdin, p.Stdout = in, w
				check := func(when string) {
					t.Helper()
					for _, f := range []*os.File{in, w} {
						if n := fcntl(t, f, unix.F_GETPIPE_SZ, 0); n != c.has && when != "before" {
							t.Errorf("%s, pipe of %d: %d bytes, want %d", when, c.had, n, c.has)
						}
						if got := fcntl(t, f, unix.F_GETFL, 0)&unix.O_NONBLOCK != 0; got != nonblock {
							t.Errorf("%s: O_NONBLOCK is %v, want %v", when, got, nonblock)
						}
					}
				}
				check("before")
				p.start()
				if _, err := feed.WriteString("hi"); err != nil {
					t.Fatal(err)
				}
				await(t, r)
				check("during")
				feed.Close()
				contains(t, p.end(exitDone, 1), "2 bytes")
				check("after")
			})
		}
	}
}

// await waits until something can be read.
func await(t *testing.T, r *os.File) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if n != 1 || err != nil {
			t.Fatalf("nothing to read: %v", err)
		}
		return
	}
}

// asNobody runs the process without privileges, to which root's pipes belong to
// another user. The binary is passed on open, as it may lie in a directory that
// this user can't enter.
func asNobody(t *testing.T, p *process) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	if err := os.Chmod(binary, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	p.ExtraFiles = []*os.File{f}
	p.Path, p.Dir = "/proc/self/fd/3", "/"
	p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

// withoutProc runs the process where there is no /proc.
func withoutProc(t *testing.T, p *process) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can unmount /proc")
	}
	p.Path = "/bin/sh"
	p.Args = append([]string{"sh", "-c", `umount -l /proc && exec "$0" "$@"`}, p.Args...)
	p.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
}

// useUpPipes makes pipes until whoever has no privileges may enlarge none of
// the test's user.
func useUpPipes(t *testing.T) {
	t.Helper()
	soft, err := os.ReadFile("/proc/sys/fs/pipe-user-pages-soft")
	if err != nil {
		t.Skip(err)
	}
	var pages int
	if _, err := fmt.Sscan(string(soft), &pages); err != nil || pages == 0 || pages > 1<<17 {
		t.Skipf("a limit of %s pages", strings.TrimSpace(string(soft)))
	}
	for n := 0; n <= pages; n += 1 << 20 / os.Getpagesize() {
		_, w := modePipe(t, false)
		fcntl(t, w, unix.F_SETPIPE_SZ, 1<<20)
	}
}

// TestForeignPipes: pipes that can be neither enlarged nor opened again do as
// they are.
func TestForeignPipes(t *testing.T) {
	for name, set := range map[string]func(*testing.T, *process){
		"another user's": asNobody,
		"over the limit": func(t *testing.T, p *process) { asNobody(t, p); useUpPipes(t) },
		"without /proc":  withoutProc,
	} {
		t.Run(name, func(t *testing.T) {
			const n = 3<<20 + 1
			p := prepare(t, "-q")
			set(t, p)
			in, feed := modePipe(t, false)
			r, w := modePipe(t, false)
			p.Stdin, p.Stdout = in, w
			p.start()
			in.Close()
			w.Close()
			fed := make(chan error, 1)
			go func() {
				_, err := io.Copy(feed, random(n))
				feed.Close()
				fed <- err
			}()
			await(t, r)
			size := fcntl(t, r, unix.F_GETPIPE_SZ, 0)
			if want := 1 << 20; name == "over the limit" == (size == want) {
				t.Errorf("the pipe has %d bytes", size)
			}
			if got, want := sum(t, r), sum(t, random(n)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if err := <-fed; err != nil {
				t.Error(err)
			}
			p.end(exitDone, 0)
		})
	}
}

// TestSignalInForeignWrite: what a write that can't be interrupted has put into
// the pipe is not known, and it says so.
func TestSignalInForeignWrite(t *testing.T) {
	for name, set := range map[string]func(*testing.T, *process){"another user's": asNobody, "without /proc": withoutProc} {
		t.Run(name, func(t *testing.T) {
			p := prepare(t)
			set(t, p)
			in, feed := modePipe(t, false)
			r, w := modePipe(t, false)
			p.Stdin, p.Stdout = in, w
			p.startDefault(syscall.SIGTERM)
			w.Close()
			in.Close()
			go io.Copy(feed, random(1<<30))
			await(t, r)
			settle()
			said := p.kill(syscall.SIGTERM)
			n, err := io.Copy(io.Discard, r)
			if err != nil {
				t.Fatal(err)
			}
			if safe, exact := parseSafe(t, said); exact || safe > n {
				t.Errorf("%q, and %d bytes arrived", said, n)
			}
		})
	}
}

// TestWrongEnd: what a descriptor does not allow is not done through another.
func TestWrongEnd(t *testing.T) {
	r, w := modePipe(t, false)
	if _, err := w.WriteString("not to be stolen"); err != nil {
		t.Fatal(err)
	}
	p := prepare(t)
	p.Stdin = w
	p.start()
	contains(t, p.end(exitSource, 1), "read standard input: bad file descriptor at byte 0; 0 bytes")

	p = prepare(t, "-i", randomFile(t, 10))
	p.Stdout = r
	p.start()
	contains(t, p.end(exitSink, 1), "write standard output: bad file descriptor; 0 bytes")
	w.Close()
	if b, err := io.ReadAll(r); string(b) != "not to be stolen" {
		t.Errorf("%q and %v are left in the pipe", b, err)
	}
}

// TestSamePipe: it would feed itself for ever.
func TestSamePipe(t *testing.T) {
	r, w := modePipe(t, false)
	p := prepare(t)
	p.Stdin, p.Stdout = r, w
	p.start()
	contains(t, p.end(exitRefused, 1), "standard input and standard output are the same")

	fifo := mkfifo(t)
	both, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	p = prepare(t, "-i", fifo, "-o", fifo)
	p.start()
	contains(t, p.end(exitRefused, 1), fifo+" is both input and output")
	p = prepare(t, "-o", fifo)
	p.Stdin = both
	p.start()
	contains(t, p.end(exitRefused, 1), "standard input and "+fifo+" are the same")
}

// TestOneSocket is what inetd does: both ends are one socket, which is an echo.
func TestOneSocket(t *testing.T) {
	far, near := socketPair(t)
	p := prepare(t, "-q")
	p.Stdin, p.Stdout = near, near
	p.start()
	near.Close()
	fed := make(chan error, 1)
	go func() {
		_, err := io.Copy(far, random(3<<20))
		fed <- errors.Join(err, unix.Shutdown(int(far.Fd()), unix.SHUT_WR))
	}()
	if got, want := sum(t, far), sum(t, random(3<<20)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if err := <-fed; err != nil {
		t.Error(err)
	}
	p.end(exitDone, 0)
}

func socketPair(t *testing.T) (far, near *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	far, near = os.NewFile(uintptr(fds[0]), "far"), os.NewFile(uintptr(fds[1]), "near")
	t.Cleanup(func() { far.Close(); near.Close() })
	return far, near
}

// TestClosedDescriptors: none of the files takes the place of a closed one.
func TestClosedDescriptors(t *testing.T) {
	from := randomFile(t, 1000)
	for _, closed := range []string{"<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"} {
		to := filepath.Join(t.TempDir(), "sink")
		p := prepare(t)
		p.Path = "/bin/sh"
		p.Args = []string{"sh", "-c", `exec "$0" "$@" ` + closed, binary, "-i", from, "-o", to}
		p.start()
		lines := 1
		if strings.Contains(closed, "2") {
			lines = 0
		}
		p.end(exitDone, lines)
		if got, want := sumFile(t, to), sumFile(t, from); got != want {
			t.Errorf("%s: %s, want %s", closed, got, want)
		}
	}
	for closed, says := range map[string]string{`<&-`: "bytering: 0 bytes", `<"$1" >&-`: "bytering: 1000 bytes"} {
		p := prepare(t)
		p.Path, p.Args = "/bin/sh", []string{"sh", "-c", `exec "$0" ` + closed, binary, from}
		p.start()
		contains(t, p.end(exitDone, 1), says)
	}
}

// TestAppend: what >> appends to keeps what it had.
func TestAppend(t *testing.T) {
	to := filepath.Join(t.TempDir(), "sink")
	if err := os.WriteFile(to, []byte("before,"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, feed := modePipe(t, false)
	p := prepare(t)
	p.Stdin, p.Stdout = in, f
	p.start()
	for _, text := range []string{"then,", "after"} {
		if _, err := feed.WriteString(text); err != nil {
			t.Fatal(err)
		}
		eventually(t, text, func() bool { b, _ := os.ReadFile(to); return strings.HasSuffix(string(b), text) })
	}
	feed.Close()
	p.end(exitDone, 1)
	if b, _ := os.ReadFile(to); string(b) != "before,then,after" {
		t.Errorf("%q", b)
	}
}

// eventually polls until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for begin := time.Now(); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}
