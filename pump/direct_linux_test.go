package pump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/internal/kernel"
)

// sizes are those around which the behaviour changes.
var sizes = []int{0, 1, 511, 512, 4095, 4096, 4097, 1<<20 - 1, 1 << 20, 1<<20 + 1}

// A disk is a directory on a file system, with the system's answer to O_DIRECT.
type disk struct {
	name  string
	dir   string
	block int   // 0 if O_DIRECT is refused
	why   error // the reason if so
}

// disks returns the file systems of this machine, each of them probed.
func disks(t *testing.T) []disk {
	t.Helper()
	dirs := map[string]string{"temporary": t.TempDir()}
	if dir, err := os.MkdirTemp("/dev/shm", "pump"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		dirs["shm"] = dir
	}
	ram := t.TempDir()
	if err := syscall.Mount("ramfs", ram, "ramfs", 0, ""); err == nil {
		t.Cleanup(func() { syscall.Unmount(ram, syscall.MNT_DETACH) })
		dirs["ramfs"] = ram
	}
	if dir, err := loop(t); err == nil {
		dirs["loop"] = dir
	} else {
		t.Log(err)
	}
	var ds []disk
	for name, dir := range dirs {
		block, why := look(t, dir)
		ds = append(ds, disk{name, dir, block, why})
		t.Logf("%s: blocks of %d bytes", name, ds[len(ds)-1].block)
	}
	return ds
}

// loop makes an ext4 of 12 MB on a device with blocks of 4096 bytes.
func loop(t *testing.T) (dir string, err error) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return "", err
	}
	if err := os.Truncate(image, 16<<20); err != nil {
		return "", err
	}
	if _, err := run("mkfs.ext4", "-q", "-F", "-b", "4096", image); err != nil {
		return "", err
	}
	device, err := run("losetup", "-f", "--show", "-b", "4096", image)
	if err != nil {
		return "", err
	}
	defer detach(t, device) // takes effect when the file system is unmounted
	dir = t.TempDir()
	if err := syscall.Mount(device, dir, "ext4", 0, ""); err != nil {
		return "", err
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
	return dir, nil
}

func run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func detach(t *testing.T, device string) {
	if _, err := run("losetup", "-d", device); err != nil {
		t.Error(err)
	}
}

// probe returns the block that direct I/O in dir needs according to the system, or
// 0 if the system refuses it.
func probe(t *testing.T, dir string) int {
	t.Helper()
	block, _ := look(t, dir)
	return block
}

// errNone is the answer of a file system that takes the flag and ignores it, and of
// an emulator that does not answer the question.
var errNone = errors.New("no direct I/O on it")

func look(t *testing.T, dir string) (block int, why error) {
	t.Helper()
	f, err := os.CreateTemp(dir, "probe")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, errno := setDirect(f); errno != 0 {
		return 0, errno
	}
	switch memory, offset, known := kernel.DirectAlign(f.Fd()); {
	case !known:
		return 4096, nil
	case memory == 0:
		return 0, errNone
	default:
		return int(max(memory, offset)), nil
	}
}

func setDirect(f *os.File) (flags int, errno syscall.Errno) {
	flags, errno = kernel.Fcntl(f.Fd(), syscall.F_GETFL, 0)
	if errno == 0 {
		_, errno = kernel.Fcntl(f.Fd(), syscall.F_SETFL, flags|syscall.O_DIRECT)
	}
	return flags, errno
}

func flagsOf(t *testing.T, f *os.File) int {
	t.Helper()
	flags, errno := kernel.Fcntl(f.Fd(), syscall.F_GETFL, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return flags
}

// written makes a file that holds b, open at offset at.
func written(t *testing.T, dir string, b []byte, at int) *os.File {
	t.Helper()
	name := filepath.Join(dir, "source")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return opened(t, name, os.O_RDONLY, at)
}

func opened(t *testing.T, name string, flag, at int) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Seek(int64(at), io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return f
}

// A callLog checks each readv and writev on descriptors with O_DIRECT and counts
// the bytes moved.
type callLog struct {
	mu       sync.Mutex
	on       map[uintptr]bool
	direct   [4]int64
	buffered [4]int64
}

// logCalls records the system calls of copies until the test ends.
func logCalls(t *testing.T, block int) *callLog {
	l := &callLog{on: map[uintptr]bool{}}
	call, fcntl := kernel.Call, kernel.Fcntl
	kernel.Fcntl = func(fd uintptr, cmd, arg int) (int, syscall.Errno) {
		n, errno := fcntl(fd, cmd, arg)
		if cmd == syscall.F_SETFL && errno == 0 {
			l.mu.Lock()
			l.on[fd] = arg&syscall.O_DIRECT != 0
			l.mu.Unlock()
		}
		return n, errno
	}
	kernel.Call = func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		l.mu.Lock()
		on := l.on[fd]
		l.mu.Unlock()
		if on {
			at, err := syscall.Seek(int(fd), 0, io.SeekCurrent)
			if flags, _ := fcntl(fd, syscall.F_GETFL, 0); flags&syscall.O_APPEND != 0 {
				at, err = syscall.Seek(int(fd), 0, io.SeekEnd)
			}
			if err != nil || at%int64(block) != 0 {
				t.Errorf("direct %v at %d, %v; blocks of %d", op, at, err, block)
			}
			for _, v := range vec {
				if misplaced(v, block) {
					t.Errorf("direct %v of %d bytes at %p; blocks of %d", op, v.Len, v.Base, block)
				}
			}
		}
		n, errno := call(op, fd, vec, off)
		l.mu.Lock()
		if on {
			l.direct[op] += int64(n)
		} else {
			l.buffered[op] += int64(n)
		}
		l.mu.Unlock()
		return n, errno
	}
	t.Cleanup(func() { kernel.Call, kernel.Fcntl = call, fcntl })
	return l
}

// check compares the stats with the system calls.
func (l *callLog) check(t *testing.T, s Stats) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for op, side := range map[kernel.Op]SideStats{kernel.Readv: s.Source, kernel.Writev: s.Sink} {
		if side.Buffered == direct.ErrNoFile {
			continue
		}
		if l.direct[op] != side.Direct || l.buffered[op]+l.direct[op] != side.Bytes {
			t.Errorf("%v: %d direct and %d buffered, the stats %+v", op, l.direct[op], l.buffered[op], side)
		}
	}
	l.direct, l.buffered = [4]int64{}, [4]int64{}
}

// whole returns how many of the n bytes from off on lie in whole blocks.
func whole(off, n, block int) int64 {
	begin := (off + block - 1) / block * block
	end := (off + n) / block * block
	return int64(max(0, end-begin))
}

// TestDirect copies every size from and to odd offsets, file to file, pipe to file
// and file to pipe, on file systems that have direct I/O and on some that refuse
// it.
func TestDirect(t *testing.T) {
	for _, d := range disks(t) {
		t.Run(d.name, func(t *testing.T) {
			log := logCalls(t, max(1, d.block))
			for _, size := range sizes {
				for _, offs := range [][2]int{{0, 0}, {13, 0}, {0, 13}, {13, 13}, {13, 4096*2 + 13}, {512, 0}, {4096, 512}, {700, 188}} {
					testDirect(t, d, log, size, offs[0], offs[1])
				}
			}
		})
	}
}

func testDirect(t *testing.T, d disk, log *callLog, size, skip, begin int) {
	all, small := stream(skip+size), Capacity(1<<16) // small enough to wrap often
	name := filepath.Join(d.dir, "sink")
	sink := func(flag int) *os.File {
		if err := os.WriteFile(name, stream(begin), 0o600); err != nil {
			t.Fatal(err)
		}
		at := begin
		if flag == os.O_APPEND {
			at = 0 // O_APPEND ignores the offset
		}
		return opened(t, name, os.O_WRONLY|flag, at)
	}
	result := func(what string, err error) {
		t.Helper()
		got, e := os.ReadFile(name)
		want := append(stream(begin), all[skip:]...)
		if err != nil || e != nil || !bytes.Equal(got, want) {
			t.Errorf("%s, %d bytes from %d to %d: the file has %d bytes, errors %v, %v; want %d bytes", what, size, skip, begin, len(got), err, e, len(want))
		}
	}
	side := func(what string, s SideStats, off int, other error) {
		t.Helper()
		var want error
		n := whole(off, size, max(1, d.block))
		switch {
		case d.block == 0:
			want, n = d.why, 0
		case other != nil:
			want, n = other, 0
		}
		// The read in which the file ends is whole too.
		ok := s.Direct == n || what == "source" && s.Direct >= n && s.Direct < n+int64(d.block)
		if !ok || (want == nil) != (s.Buffered == nil) || want != nil && !strings.Contains(s.Buffered.Error(), want.Error()) {
			t.Errorf("%s, %d bytes at %d in blocks of %d: the stats are %+v, want %d bytes direct and %v", what, size, off, d.block, s, n, want)
		}
	}
	differ := errors.New("differ modulo")
	if d.block > 0 && (skip-begin)%d.block == 0 {
		differ = nil
	}

	for _, flag := range []int{0, os.O_APPEND} {
		src, dst := written(t, d.dir, all, skip), sink(flag)
		before := [2]int{flagsOf(t, src), flagsOf(t, dst)}
		s, err := Copy(t.Context(), dst, src, Direct(), small)
		result("file to file", err)
		side("source", s.Source, skip, nil)
		side("sink", s.Sink, begin, differ)
		log.check(t, s)
		if after := [2]int{flagsOf(t, src), flagsOf(t, dst)}; after != before {
			t.Errorf("flags %#x after the copy, %#x before", after, before)
		}
	}

	feed, in := pipe(t)
	go func() { feed.Write(all[skip:]); feed.Close() }()
	s, err := Copy(t.Context(), sink(0), in, Direct(), small)
	result("pipe to file", err)
	side("sink", s.Sink, begin, nil)
	log.check(t, s)
	if s.Source.Buffered == nil || s.Source.Direct != 0 {
		t.Errorf("a pipe is direct: %+v", s.Source)
	}

	out, drain := pipe(t)
	got := readAll(drain)
	s, err = Copy(t.Context(), out, written(t, d.dir, all, skip), Direct(), small)
	out.Close()
	if b := <-got; err != nil || !bytes.Equal(b, all[skip:]) {
		t.Errorf("file to pipe, %d bytes from %d: %d bytes, %v", size, skip, len(b), err)
	}
	side("source", s.Source, skip, nil)
	log.check(t, s)
	if s.Sink.Buffered == nil || s.Sink.Direct != 0 {
		t.Errorf("a pipe is direct: %+v", s.Sink)
	}
}

// TestDirectBlocks copies between file systems with different blocks. The larger
// blocks determine where the ring starts.
func TestDirectBlocks(t *testing.T) {
	small := t.TempDir()
	large, err := loop(t)
	if err != nil {
		t.Skip(err)
	}
	if from, to := probe(t, small), probe(t, large); from == 0 || to <= from {
		t.Skipf("blocks of %d and %d bytes", from, to)
	}
	for _, offs := range [][2]int{{13, 13}, {512 + 13, 13}, {13, 512 + 13}, {13, 4096 - 512 + 13}} {
		for _, ds := range [][2]string{{small, large}, {large, small}} {
			const size = 200_001
			src := written(t, ds[0], stream(size), offs[0])
			dst := opened(t, filepath.Join(ds[1], "sink"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, offs[1])
			s, err := Copy(t.Context(), dst, src, Direct(), Capacity(1<<16))
			if err != nil || s.Source.Buffered != nil || s.Sink.Buffered != nil {
				t.Errorf("%v: %v, %+v", offs, err, s)
			}
			got, err := os.ReadFile(dst.Name())
			if want := append(make([]byte, offs[1]), stream(size)[offs[0]:]...); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: the file has %d bytes, error %v, want %d bytes", offs, len(got), err, len(want))
			}
			dst.Close()
		}
	}
}

// TestDirectDevice copies to and from a block device, which behaves like a file and
// has an end.
func TestDirectDevice(t *testing.T) {
	const block, size = 4096, 2 << 20
	image := written(t, t.TempDir(), make([]byte, size), 0).Name()
	device, err := run("losetup", "-f", "--show", "-b", strconv.Itoa(block), image)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { detach(t, device) })
	if memory, _, known := kernel.DirectAlign(opened(t, device, os.O_RDONLY, 0).Fd()); known && memory == 0 {
		t.Skip(errNone)
	}
	log := logCalls(t, block)
	for _, c := range []struct{ begin, n int }{{0, size}, {0, 10_001}, {block, size - block}, {13, 2*block + 5}, {size - block - 1, block + 1}} {
		dst := opened(t, device, os.O_WRONLY, c.begin)
		w, r := pipe(t)
		go func() { w.Write(stream(c.n)); w.Close() }()
		s, err := Copy(t.Context(), dst, r, Direct())
		if want := whole(c.begin, c.n, block); err != nil || s.Sink.Buffered != nil || s.Sink.Direct != want {
			t.Errorf("%+v: %v, %+v, want %d direct", c, err, s.Sink, want)
		}
		log.check(t, s)
		dst.Close()

		src := opened(t, device, os.O_RDONLY, c.begin)
		var got bytes.Buffer
		s, err = Copy(t.Context(), &got, src, Direct())
		if want := whole(c.begin, size-c.begin, block); err != nil || s.Source.Buffered != nil || s.Source.Direct != want {
			t.Errorf("%+v: %v, %+v, want %d direct", c, err, s.Source, want)
		}
		log.check(t, s)
		if got.Len() != size-c.begin {
			t.Errorf("%+v: %d bytes read", c, got.Len())
		}
		arrived(t, got.Bytes()[:c.n], int64(c.n))
		src.Close()
	}
	dst := opened(t, device, os.O_WRONLY, size-block)
	_, err = Copy(t.Context(), dst, bytes.NewReader(stream(10*block)), Direct())
	safe(t, failed(t, err, Sink, syscall.ENOSPC), block)
	dst.Close()
}

// TestDirectTwoInputs copies two inputs after each other. The first has an odd
// size.
func TestDirectTwoInputs(t *testing.T) {
	for _, d := range disks(t) {
		for _, n := range []int{1, 511, 513, 4095, 1<<20 + 1} {
			for _, m := range []int{0, 1, 4096, 1<<20 - 1} {
				all := stream(n + m)
				dst := opened(t, filepath.Join(d.dir, "sink"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0)
				var last Stats
				for _, part := range [][]byte{all[:n], all[n:]} {
					s, err := Copy(t.Context(), dst, written(t, d.dir, part, 0), Direct())
					if err != nil {
						t.Fatal(err)
					}
					last = s
				}
				got, err := os.ReadFile(dst.Name())
				if err != nil {
					t.Fatal(err)
				}
				arrived(t, got, int64(n+m))
				if last.Sink.Buffered == nil || last.Sink.Direct != 0 {
					t.Errorf("%s: direct at the odd offset %d: %+v", d.name, n, last.Sink)
				}
				if d.block > 0 && (last.Source.Buffered != nil || last.Source.Direct != int64(m)) {
					t.Errorf("%s: the second input is not direct: %+v", d.name, last.Source)
				}
			}
		}
	}
}

func TestDirectLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 100 MiB several times")
	}
	const size = 100<<20 + 3
	all := bytes.Repeat(stream(1<<20+1), 101)[:size]
	for _, d := range disks(t) {
		if d.name == "loop" {
			continue // the disk is too small
		}
		src := written(t, d.dir, all, 0)
		name := filepath.Join(d.dir, "sink")
		dst := opened(t, name, os.O_WRONLY|os.O_CREATE, 0)
		s, err := Copy(t.Context(), dst, src, Direct())
		got, e := os.ReadFile(name)
		if err != nil || e != nil || !bytes.Equal(got, all) {
			t.Errorf("%s: %d bytes arrived, %v, %v", d.name, len(got), err, e)
		}
		if d.block > 0 && (s.Source.Direct != size || s.Sink.Direct != size-3) {
			t.Errorf("%s: not direct: %+v", d.name, s)
		}
		for _, f := range []*os.File{src, dst} {
			if err := os.Remove(f.Name()); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestDirectTrickle checks that a source of single bytes leads to writes of whole
// blocks.
func TestDirectTrickle(t *testing.T) {
	dir := t.TempDir()
	block := probe(t, dir)
	if block == 0 {
		t.Skip("no direct I/O in the directory for temporary files")
	}
	log := logCalls(t, block)
	for _, begin := range []int{0, block + 5} {
		name := filepath.Join(dir, fmt.Sprint(begin))
		if err := os.WriteFile(name, stream(begin), 0o600); err != nil {
			t.Fatal(err)
		}
		dst := opened(t, name, os.O_WRONLY, begin)
		w, r := pipe(t)
		n := 3*block + 7
		go func() {
			for _, b := range stream(n) {
				w.Write([]byte{b})
			}
			w.Close()
		}()
		s, err := Copy(t.Context(), dst, r, Direct())
		if err != nil || s.Sink.Buffered != nil {
			t.Errorf("%v, %+v", err, s.Sink)
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, append(stream(begin), stream(n)...)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if most := int64(5); s.Sink.Calls > most || s.Sink.Direct != whole(begin, n, block) {
			t.Errorf("%+v; want at most %d calls and %d bytes direct", s.Sink, most, whole(begin, n, block))
		}
		log.check(t, s)
	}
}

// TestDirectRefusals has the system refuse the flag, the first call, a later call
// or the last one, for a flag that the caller has set. No byte may be lost, and the
// stats must report the cause.
func TestDirectRefusals(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.EOPNOTSUPP} {
		for _, where := range []string{"flag", "call 1", "call 2", "back", "last", "all"} {
			for _, op := range []kernel.Op{kernel.Readv, kernel.Writev} {
				t.Run(fmt.Sprint(errno, where, op), func(t *testing.T) { testRefusal(t, errno, where, op) })
			}
		}
	}
}

func testRefusal(t *testing.T, errno syscall.Errno, where string, op kernel.Op) {
	const size = 1<<20 + 5
	dir := t.TempDir()
	if probe(t, dir) == 0 {
		t.Skip("no direct I/O in the directory for temporary files")
	}
	src := written(t, dir, stream(size), 0)
	dst := opened(t, filepath.Join(dir, "sink"), os.O_RDWR|os.O_CREATE, 0)
	refusing := src.Fd()
	if op == kernel.Writev {
		refusing = dst.Fd()
	}
	call, fcntl := kernel.Call, kernel.Fcntl
	var mu sync.Mutex
	on := map[uintptr]bool{}
	calls, sets, last := 0, 0, true
	kernel.Fcntl = func(fd uintptr, cmd, arg int) (int, syscall.Errno) {
		mu.Lock()
		defer mu.Unlock()
		if cmd == syscall.F_GETFL {
			n, errno := fcntl(fd, cmd, arg)
			if on[fd] {
				n |= syscall.O_DIRECT
			}
			return n, errno
		}
		set := arg&syscall.O_DIRECT != 0
		if fd == refusing && set {
			sets++
			if where == "flag" || where == "back" && sets == 2 {
				return 0, errno
			}
		}
		on[fd] = set
		return 0, 0 // no call is really direct, because the file system may not support it
	}
	kernel.Call = func(o kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		mu.Lock()
		defer mu.Unlock()
		if fd == refusing && (where == "all" || where == "last" && !on[fd] && last) {
			last = false
			return 0, errno
		}
		if fd == refusing && on[fd] {
			calls++
			switch {
			case fmt.Sprint("call ", calls) == where:
				return 0, errno
			case where == "back" && calls == 1:
				// A direct call may return a short count within a block.
				short := vec[0]
				short.SetLen(700)
				return call(o, fd, []syscall.Iovec{short}, off)
			case where == "call 2":
				short := vec[0]
				short.SetLen(4096)
				return call(o, fd, []syscall.Iovec{short}, off)
			}
		}
		return call(o, fd, vec, off)
	}
	t.Cleanup(func() { kernel.Call, kernel.Fcntl = call, fcntl })
	s, err := Copy(t.Context(), dst, src, Direct())
	if where == "all" {
		side := Source
		if op == kernel.Writev {
			side = Sink
		}
		safe(t, failed(t, err, side, errno), 0)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(dst.Name())
	if err != nil {
		t.Fatal(err)
	}
	arrived(t, got, size)
	refused, other := s.Source, s.Sink
	if op == kernel.Writev {
		refused, other = other, refused
	}
	want := map[string]int64{"flag": 0, "call 1": 0, "call 2": 4096, "back": 700}[where]
	if where == "last" {
		want = size // a direct read gets the last bytes too
		if op == kernel.Writev {
			want = whole(0, size, probe(t, dir))
		}
	}
	if !errors.Is(refused.Buffered, errno) || refused.Direct != want {
		t.Errorf("%+v; want %d bytes direct and %v", refused, want, errno)
	}
	if other.Buffered != nil || other.Direct < size-5 {
		t.Errorf("the other side: %+v", other)
	}
	mu.Lock()
	defer mu.Unlock()
	if on[src.Fd()] || on[dst.Fd()] {
		t.Error("a flag is left behind")
	}
}

// TestDirectFlagStays checks that a file opened with O_DIRECT still has the flag
// after a copy, and is copied buffered where necessary.
func TestDirectFlagStays(t *testing.T) {
	dir := t.TempDir()
	if probe(t, dir) == 0 {
		t.Skip("no direct I/O in the directory for temporary files")
	}
	src := written(t, dir, stream(10_000), 13)
	if _, errno := setDirect(src); errno != 0 {
		t.Fatal(errno)
	}
	dst := opened(t, filepath.Join(dir, "sink"), os.O_RDWR|os.O_CREATE, 0)
	for _, opts := range [][]Option{{Direct()}, {Direct(), MaxCall(1)}} {
		if _, err := src.Seek(13, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if _, err := Copy(t.Context(), dst, src, opts...); err != nil {
			t.Fatal(err)
		}
		if flagsOf(t, src)&syscall.O_DIRECT == 0 {
			t.Error("the flag is gone")
		}
	}
	got, err := os.ReadFile(dst.Name())
	want := stream(10_000)[13:]
	if err != nil || !bytes.Equal(got, append(want, want...)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

type ringCase struct {
	opts []Option
	skip int
	why  string
}

// TestDirectRing checks that a ring given to Copy is used as it is, or that the
// stats report the reason against it.
func TestDirectRing(t *testing.T) {
	dir := t.TempDir()
	block := probe(t, dir)
	if block == 0 {
		t.Skip("no direct I/O in the directory for temporary files")
	}
	const size = 100_001
	ring := func(capacity int, opts ...bytering.Option) Option {
		p, c, err := bytering.New(capacity, opts...)
		if err != nil {
			t.Fatal(err)
		}
		p.Write(make([]byte, 100)) // earlier bytes do not matter
		c.Discard(100)
		return Ring(p, c)
	}
	misaligned := func() Option { // for powers of two the heap aligns better than asked
		var kept []*bytering.Producer
		for range 100 {
			p, c, err := bytering.New(5*512, bytering.Align(1))
			if err != nil {
				t.Fatal(err)
			}
			a, _ := p.Slices()
			if p.Commit(0); misplaced(syscall.Iovec{Base: &a[0]}, block) {
				return Ring(p, c)
			}
			kept = append(kept, p)
		}
		t.Fatalf("none of %d rings is misaligned", len(kept))
		return nil
	}
	several, cs, err := bytering.NewBroadcast(1<<16, 2, bytering.Align(4096))
	if err != nil {
		t.Fatal(err)
	}
	full, c, err := bytering.New(1<<16, bytering.Align(4096))
	if err != nil {
		t.Fatal(err)
	}
	full.Write(stream(3))
	cases := map[string]ringCase{
		"aligned":        {[]Option{ring(1<<16, bytering.Align(4096))}, 0, ""},
		"mirrored":       {[]Option{ring(1<<16, bytering.Mirror())}, 0, ""},
		"own":            {[]Option{Capacity(1)}, 0, ""},
		"small calls":    {[]Option{MaxCall(block)}, 0, ""},
		"smaller calls":  {[]Option{MaxCall(block - 1)}, 0, "calls of at most"},
		"odd":            {[]Option{ring(1<<16+1, bytering.Align(4096))}, 0, "a ring of 65537 bytes does not hold"},
		"one block":      {[]Option{ring(block, bytering.Align(4096))}, 0, "does not hold two or more"},
		"two blocks":     {[]Option{ring(2*block, bytering.Align(4096))}, 0, ""},
		"several":        {[]Option{Ring(several, cs[0])}, 0, "several consumers"},
		"with something": {[]Option{Ring(full, c)}, 3, "has bytes in it"},
	}
	if block == 512 {
		cases["misaligned"] = ringCase{[]Option{misaligned()}, 0, "does not begin at a block"}
	}
	other := readAll(cs[1])
	for name, tc := range cases {
		src := written(t, dir, stream(size), tc.skip)
		dst := opened(t, filepath.Join(dir, "sink"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0)
		s, err := Copy(t.Context(), dst, src, append(tc.opts, Direct())...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := os.ReadFile(dst.Name())
		if err != nil {
			t.Fatal(err)
		}
		arrived(t, got, size)
		for _, side := range []SideStats{s.Source, s.Sink} {
			if tc.why == "" && (side.Buffered != nil || side.Direct < whole(0, size, block)) ||
				tc.why != "" && (side.Direct != 0 || side.Buffered == nil || !strings.Contains(side.Buffered.Error(), tc.why)) {
				t.Errorf("%s: %+v", name, side)
			}
		}
	}
	arrived(t, <-other, size)
}

// TestDirectSmallRing checks that a sink that takes odd counts does not lead to
// reads of less than a block, and that no call takes more than half of the ring.
func TestDirectSmallRing(t *testing.T) {
	dir := t.TempDir()
	block := probe(t, dir)
	if block == 0 {
		t.Skip("no direct I/O in the directory for temporary files")
	}
	const size = 20_001
	for _, blocks := range []int{2, 3, 16} {
		p, c, err := bytering.New(blocks*block, bytering.Align(block))
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		s, err := Copy(t.Context(), writevFunc(func(bufs [][]byte) (int, error) {
			n := min(len(bufs[0]), 37)
			time.Sleep(time.Microsecond) // lets the source see little space
			got = append(got, bufs[0][:n]...)
			return n, nil
		}), written(t, dir, stream(size), 0), Direct(), Ring(p, c))
		if err != nil || s.Source.Direct != size || s.Source.Calls < int64(size/(blocks/2*block)) {
			t.Errorf("%d blocks: %v, %+v", blocks, err, s.Source)
		}
		arrived(t, got, size)
	}
}

// TestDirectDeadline checks that a deadline of the ring ends a wait for a block.
func TestDirectDeadline(t *testing.T) {
	p, c, err := bytering.New(1<<16, bytering.Align(4096))
	if err != nil {
		t.Fatal(err)
	}
	dst := opened(t, filepath.Join(t.TempDir(), "sink"), os.O_RDWR|os.O_CREATE, 0)
	if probe(t, filepath.Dir(dst.Name())) == 0 {
		t.Skip("no direct I/O in the directory for temporary files")
	}
	w, r := pipe(t)
	w.Write(stream(10))
	c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	_, err = Copy(t.Context(), dst, r, Direct(), Ring(p, c))
	safe(t, failed(t, err, Sink, os.ErrDeadlineExceeded), 0)
}

// TestDirectEnds checks that ends that are not files are reported as such, and
// work.
func TestDirectEnds(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var got bytes.Buffer
	s, err := Copy(t.Context(), &got, bytes.NewReader(stream(10)), Direct())
	if err != nil || s.Source.Buffered != direct.ErrNoFile || s.Sink.Buffered != direct.ErrNoFile {
		t.Errorf("%+v, %v", s, err)
	}
	arrived(t, got.Bytes(), 10)
	s, err = Copy(t.Context(), null, null, Direct())
	if err != nil || s.Source.Buffered == nil || s.Sink.Buffered == nil {
		t.Errorf("%+v, %v", s, err)
	}
	null.Close()
	if _, err = Copy(t.Context(), null, bytes.NewReader(stream(10)), Direct()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed file: %v", err)
	}
}

// TestDirectDiskFull checks that the bytes reported as safe are in the file and are
// the beginning of the source.
func TestDirectDiskFull(t *testing.T) {
	const size = 20 << 20
	src := written(t, t.TempDir(), stream(size), 0)
	small := map[string]string{}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1M"); err == nil {
		t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
		small["tmpfs"] = dir
	} else {
		t.Log(err)
	}
	if dir, err := loop(t); err == nil {
		small["ext4"] = dir
	} else {
		t.Log(err)
	}
	if len(small) == 0 {
		t.Skip("no small disk can be mounted")
	}
	for name, dir := range small {
		for _, taken := range []int{0, 100_001} {
			if err := os.WriteFile(filepath.Join(dir, "fill"), make([]byte, taken), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := src.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			block := probe(t, dir)
			dst := opened(t, filepath.Join(dir, "sink"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0)
			s, err := Copy(t.Context(), dst, src, Direct())
			e := failed(t, err, Sink, syscall.ENOSPC)
			got, err := os.ReadFile(dst.Name())
			if err != nil {
				t.Fatal(err)
			}
			safe(t, e, int64(len(got)))
			arrived(t, got, e.Written)
			if e.Written == 0 || block > 0 && s.Sink.Direct == 0 {
				t.Errorf("%s: %+v", name, s)
			}
			dst.Close()
			if err := os.Remove(dst.Name()); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestDirectErrors has a call in the middle be short or fail. The count must be
// right afterwards.
func TestDirectErrors(t *testing.T) {
	for _, short := range []int{1, 511, 512, 4096, 5000} {
		for _, op := range []kernel.Op{kernel.Readv, kernel.Writev} {
			dir := t.TempDir()
			src := written(t, dir, stream(300_000), 0)
			dst := opened(t, filepath.Join(dir, "sink"), os.O_RDWR|os.O_CREATE, 0)
			call := kernel.Call
			var mu sync.Mutex
			calls := 0
			kernel.Call = func(o kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
				if o == op {
					mu.Lock()
					calls++
					n := calls
					mu.Unlock()
					switch n {
					case 1:
						cut := vec[0]
						cut.SetLen(short)
						if flags, _ := kernel.Fcntl(fd, syscall.F_GETFL, 0); flags&syscall.O_DIRECT != 0 {
							kernel.Fcntl(fd, syscall.F_SETFL, flags&^syscall.O_DIRECT)
							defer kernel.Fcntl(fd, syscall.F_SETFL, flags)
						}
						return call(o, fd, []syscall.Iovec{cut}, off)
					case 4:
						return 0, syscall.EIO
					}
				}
				return call(o, fd, vec, off)
			}
			s, err := Copy(t.Context(), dst, src, Direct(), MaxCall(1<<16))
			kernel.Call = call
			side := Source
			if op == kernel.Writev {
				side = Sink
			}
			e := failed(t, err, side, syscall.EIO)
			got, err := os.ReadFile(dst.Name())
			if err != nil {
				t.Fatal(err)
			}
			safe(t, e, int64(len(got)))
			arrived(t, got, s.Sink.Bytes)
			if side == Source && e.Offset != e.Written || e.Offset < int64(short) {
				t.Errorf("%+v", e)
			}
		}
	}
}

// TestDirectFlagStuck checks that a flag that cannot be cleared is reported as an
// error of its side.
func TestDirectFlagStuck(t *testing.T) {
	dir := t.TempDir()
	if probe(t, dir) == 0 {
		t.Skip("no direct I/O in the directory for temporary files")
	}
	src := written(t, dir, stream(1<<16), 0)
	stuck := src.Fd()
	fcntl := kernel.Fcntl
	kernel.Fcntl = func(fd uintptr, cmd, arg int) (int, syscall.Errno) {
		if fd == stuck && cmd == syscall.F_SETFL && arg&syscall.O_DIRECT == 0 {
			return 0, syscall.EPERM
		}
		return fcntl(fd, cmd, arg)
	}
	t.Cleanup(func() { kernel.Fcntl = fcntl })
	var got bytes.Buffer
	_, err := Copy(t.Context(), &got, src, Direct())
	safe(t, failed(t, err, Source, syscall.EPERM), 1<<16)
	arrived(t, got.Bytes(), 1<<16)
}

// TestDirectCancel checks that the flags are restored after a cancel.
func TestDirectCancel(t *testing.T) {
	dir := t.TempDir()
	dst := opened(t, filepath.Join(dir, "sink"), os.O_RDWR|os.O_CREATE, 0)
	before := flagsOf(t, dst)
	w, r := pipe(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	done := start(ctx, dst, r, Direct())
	w.Write(stream(10_000))
	cancel(errTest)
	res := <-done
	e := failed(t, res.err, Neither, errTest)
	got, err := os.ReadFile(dst.Name())
	if err != nil {
		t.Fatal(err)
	}
	safe(t, e, int64(len(got)))
	arrived(t, got, e.Written)
	if after := flagsOf(t, dst); after != before {
		t.Errorf("flags %#x, before %#x", after, before)
	}
}
