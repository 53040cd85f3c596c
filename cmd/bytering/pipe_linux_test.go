package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// socketpair makes two connected stream sockets that block.
func socketpair(t *testing.T) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func fcntl(t *testing.T, f *os.File, cmd, arg int) int {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n := -1
	if cerr := raw.Control(func(fd uintptr) { n, err = unix.FcntlInt(fd, cmd, arg) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return n
}

// TestPipesEnlarged: both standard pipes and a FIFO hold 1 MiB, one that holds
// more keeps that, and the flags of what was inherited are as before.
func TestPipesEnlarged(t *testing.T) {
	in, feed := pipe(t)
	out, w := pipe(t)
	const more = 2 << 20 // the test may run without privileges
	want := 1 << 20
	raw, err := feed.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if n, err := unix.FcntlInt(fd, unix.F_SETPIPE_SZ, more); err == nil {
			want = n
		}
	})
	// As a shell makes them: blocking, and that is shared with the command.
	blocking(t, in)
	blocking(t, w)
	before := [2]int{fcntl(t, in, unix.F_GETFL, 0), fcntl(t, w, unix.F_GETFL, 0)}
	p := prepare(t, "-q")
	p.Stdin, p.Stdout = in, w
	p.start()
	if _, err := feed.WriteString("hi"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2)
	if n, err := out.Read(b); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if n := fcntl(t, feed, unix.F_GETPIPE_SZ, 0); n != want {
		t.Errorf("standard input holds %d, want %d", n, want)
	}
	if n := fcntl(t, out, unix.F_GETPIPE_SZ, 0); n != 1<<20 {
		t.Errorf("standard output holds %d, want %d", n, 1<<20)
	}
	for i, f := range []*os.File{in, w} {
		if flags := fcntl(t, f, unix.F_GETFL, 0); flags != before[i] {
			t.Errorf("flags of descriptor %d are %#x, were %#x", i, flags, before[i])
		}
	}
	feed.Close()
	p.end(exitDone, 0)
	for i, f := range []*os.File{in, w} {
		if flags := fcntl(t, f, unix.F_GETFL, 0); flags != before[i] {
			t.Errorf("flags of descriptor %d are %#x in the end, were %#x", i, flags, before[i])
		}
	}
}

// blocking takes O_NONBLOCK away, which package os sets.
func blocking(t *testing.T, f *os.File) {
	t.Helper()
	if flags := fcntl(t, f, unix.F_GETFL, 0); flags&unix.O_NONBLOCK != 0 {
		fcntl(t, f, unix.F_SETFL, flags&^unix.O_NONBLOCK)
	}
}

// TestPipeNotEnlarged: where the pipes of a user hold all that they may,
// enlarging one is an EPERM for the unprivileged, which is no failure. Root uses
// its allowance up, and another user may not enlarge root's next pipes.
func TestPipeNotEnlarged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can run it as another user")
	}
	text, err := os.ReadFile("/proc/sys/fs/pipe-user-pages-soft")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pages == 0 {
		t.Skip("there is no allowance of pages")
	}
	in, feed := pipe(t)
	out, w := pipe(t)
	size := fcntl(t, out, unix.F_GETPIPE_SZ, 0)
	for held := 0; held < pages*os.Getpagesize(); held += 1 << 20 {
		r, _ := pipe(t)
		fcntl(t, r, unix.F_SETPIPE_SZ, 1<<20)
	}

	p := prepare(t)
	p.Path = forOthers(t, binary)
	p.Stdin, p.Stdout = in, w
	p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	p.start()
	if _, err := feed.WriteString("hi"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 2)
	if n, err := out.Read(got); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	feed.Close()
	contains(t, p.end(exitDone, 1), "2 bytes")
	if n := fcntl(t, out, unix.F_GETPIPE_SZ, 0); n != size {
		t.Errorf("the pipe holds %d, and had %d", n, size)
	}
}

// forOthers copies a program to where every user may run it.
func forOthers(t *testing.T, program string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bytering-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "bytering")
	if err := errors.Join(os.WriteFile(name, b, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return name
}
