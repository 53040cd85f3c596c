package bytering

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// If the system refuses to lock memory, the error reports the limit. A ring within
// the limit is made, and gives its share of the limit back when it is closed.
func TestLockBeyondTheLimit(t *testing.T) {
	const limited = "BYTERING_TEST_LIMITED"
	if os.Getenv(limited) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLockBeyondTheLimit$", "-test.v")
		cmd.Env = append(os.Environ(), limited+"=1")
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ENOEXEC) {
			t.Skip("an emulated program cannot start another:", err)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if strings.Contains(string(out), "--- SKIP") {
			t.Skipf("%s", out)
		}
		return
	}
	memlock := 8 // RLIMIT_MEMLOCK, which package syscall does not have
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		memlock = 9
	}
	page := os.Getpagesize()
	limit := 2 * page
	if err := syscall.Setrlimit(memlock, &syscall.Rlimit{Cur: uint64(limit), Max: uint64(limit)}); err != nil {
		t.Skip(err)
	}
	// The limit does not bind root.
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			t.Skip(err)
		}
	}
	p, c, err := New(limit+1, Lock())
	says := fmt.Sprintf("bytering: memory cannot be locked: %d bytes, RLIMIT_MEMLOCK is %d: ", limit+page, limit)
	if !errors.Is(err, ErrLock) || !strings.HasPrefix(fmt.Sprint(err), says) || p != nil || c != nil {
		t.Errorf("New: %v, want %q", err, says)
	}
	q, cs, err := NewBroadcast(limit+1, 2, Lock(), Mirror())
	if !errors.Is(err, ErrLock) || !strings.HasPrefix(fmt.Sprint(err), says) || q != nil || cs != nil {
		t.Errorf("NewBroadcast: %v, want %q", err, says)
	}
	for range 3 {
		p, c := pair(t, limit, Lock())
		fill(t, p, limit)
		if _, _, err := New(page, Lock()); !errors.Is(err, ErrLock) {
			t.Errorf("New beside a ring that uses the limit up: %v", err)
		}
		closeAll(p, []*Consumer{c})
	}
}

// large reports whether the tests of this file run at full size. At their small
// size they only check that the method works.
func large() bool { return os.Getenv("LARGE") != "" }

// sumThrough moves n bytes through a ring and compares the checksums of the bytes
// that went in and came out. A lagging consumer lets the ring fill before it takes
// anything, and then takes half of it each time the ring is full again.
func sumThrough(t *testing.T, p *Producer, c *Consumer, n int64, lagging bool) {
	start := time.Now()
	table := crc32.MakeTable(crc32.Castagnoli)
	in, out := crc32.New(table), crc32.New(table)
	fed := make(chan error, 1)
	go func() {
		src := &source{0, int(n)}
		m, err := p.ReadFrom(io.TeeReader(src, in))
		if err == nil && m != n {
			err = fmt.Errorf("ReadFrom read %d bytes of %d", m, n)
		}
		fed <- errors.Join(err, p.Close())
	}()
	var got int64
	full := 0
	for lagging {
		err := c.Wait(forever, c.Cap())
		if err == io.ErrUnexpectedEOF || err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.Len() != c.Cap() {
			t.Fatalf("%d of %d bytes are there", c.Len(), c.Cap())
		}
		full++
		k, err := io.CopyN(out, c, int64(c.Cap()/2))
		if err != nil {
			t.Fatal(err)
		}
		got += k
	}
	k, err := io.Copy(out, c)
	got += k
	if err := errors.Join(err, <-fed); err != nil {
		t.Fatal(err)
	}
	if got != n || in.Sum32() != out.Sum32() {
		t.Errorf("%d bytes came out, sum %08x; %d went in, sum %08x", got, out.Sum32(), n, in.Sum32())
	}
	t.Logf("%d bytes through a ring of %d, CRC-32C %08x in and %08x out, in %v", got, c.Cap(), in.Sum32(), out.Sum32(), time.Since(start).Round(time.Millisecond))
	if lagging && full == 0 {
		t.Error("the ring was never full")
	} else if lagging {
		t.Logf("the consumer was %d bytes behind %d times", c.Cap(), full)
	}
}

// TestLargeStream moves 20 GiB through rings of 64 KiB, on the heap and on mirrored
// memory.
func TestLargeStream(t *testing.T) {
	n := int64(64 << 20)
	if large() {
		n = 20 << 30
	}
	for _, opts := range layouts() {
		p, c := pair(t, 64<<10, opts...)
		done(t, p, c)
		sumThrough(t, p, c, n, false)
	}
}

// TestLargeFile moves 20 GiB through a ring of 4 GiB in a file, in a memory cgroup
// of 512 MiB. The consumer lags by the whole ring, so the system has to write out
// most of what was committed and read it again.
func TestLargeFile(t *testing.T) {
	if err := remaps(); err != nil {
		t.Skip("no memory in files:", err)
	}
	const inGroup, inDir = "BYTERING_TEST_GROUP", "BYTERING_TEST_DIR"
	n, capacity, limit := int64(64<<20), int64(8<<20), int64(512<<20)
	if large() {
		n, capacity = 20<<30, 4<<30
	}
	if strconv.IntSize < 64 && large() {
		t.Skip("a ring of 4 GiB does not fit into a 32-bit address space")
	}
	dir, group := os.Getenv(inDir), os.Getenv(inGroup)
	if dir == "" {
		dir = t.TempDir()
	}
	if large() && group == "" {
		mustHaveRoom(t, dir, capacity)
		g := newMemoryGroup(t, limit)
		cmd := exec.Command(os.Args[0], "-test.run=^TestLargeFile$", "-test.v", "-test.timeout=0")
		cmd.Env = append(os.Environ(), inGroup+"="+g.dir, inDir+"="+dir)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatal(err)
		}
		peak := g.peak(t)
		t.Logf("memory cgroup of %d bytes: peak %d", limit, peak)
		// The system may exceed the limit by a page or so.
		if peak > limit+1<<20 || peak < limit/2 {
			t.Errorf("the peak is %d bytes, which does not show a limit of %d", peak, limit)
		}
		return
	}
	if group != "" {
		// 0 stands for the process that writes it.
		if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte("0"), 0); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.CreateTemp(dir, "ring")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	p, c := pair(t, int(capacity), File(f))
	done(t, p, c)
	sumThrough(t, p, c, n, true)
}

// mustHaveRoom ends the test if a directory lies in memory or has no room for n
// bytes and some more.
func mustHaveRoom(t *testing.T, dir string, n int64) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	const tmpfs = 0x01021994
	if s.Type == tmpfs {
		t.Fatalf("%s lies in memory: set TMPDIR to a directory on a disk", dir)
	}
	if free := int64(s.Bavail) * int64(s.Bsize); free < n+1<<30 {
		t.Fatalf("%s has %d bytes free, and the ring takes %d: set TMPDIR to another disk", dir, free, n)
	}
}

// A memoryGroup is a memory cgroup with a limit, of version 1 or 2.
type memoryGroup struct {
	dir     string
	highest string // the file that holds the peak
}

// newMemoryGroup makes a group below the test's own, or below the nearest ancestor
// that allows it.
func newMemoryGroup(t *testing.T, limit int64) memoryGroup {
	t.Helper()
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	var tried error
	for line := range strings.Lines(string(own)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		root, max, highest := "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"
		switch {
		case f[0] == "0" && f[1] == "":
			root, max, highest = "/sys/fs/cgroup", "memory.max", "memory.peak"
		case f[1] != "memory":
			continue
		}
		for at := filepath.Join(root, f[2]); strings.HasPrefix(at, root); at = filepath.Dir(at) {
			dir, err := os.MkdirTemp(at, "bytering-test-")
			if err != nil {
				tried = errors.Join(tried, err)
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, max), []byte(strconv.FormatInt(limit, 10)), 0); err != nil {
				tried = errors.Join(tried, err, os.Remove(dir))
				continue
			}
			t.Cleanup(func() {
				if err := os.Remove(dir); err != nil {
					t.Error(err)
				}
			})
			return memoryGroup{dir, highest}
		}
	}
	t.Fatalf("cannot make a memory cgroup, which may need root: %v", tried)
	return memoryGroup{}
}

// peak returns the most memory that the group has had at any time.
func (g memoryGroup) peak(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(g.dir, g.highest))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A recovered fault in the caller's memory leaves the half as any panic does: no
// byte was moved, and the half stays usable.
func TestFaultsInTheCallersMemory(t *testing.T) {
	bad, err := syscall.Mmap(-1, 0, 1<<12, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(bad)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	faults := func(p *Producer, c *Consumer) {
		panics(t, "Write", func() { p.Write(bad[:2]) }, "memory address")
		panics(t, "TryWrite", func() { p.TryWrite(bad[:2]) }, "memory address")
		fill(t, p, 3)
		panics(t, "Read", func() { c.Read(bad[:2]) }, "memory address")
		panics(t, "TryRead", func() { c.TryRead(bad[:2]) }, "memory address")
		state(t, p, c, 3, nil, nil)
	}
	p, c := pair(t, 1<<12) // which has a short path
	faults(p, c)
	p.Close()
	drain(t, c, stream(0, 3), io.EOF)
	for _, opts := range [][]Option{nil, {Prefault()}} {
		p, cs := cast(t, 1<<12, 2, opts...)
		c := cs[0]
		faults(p, c)
		p.Close()
		drain(t, c, stream(0, 3), io.EOF)
		c.Close()
		if cs[0].Limits() {
			t.Error("a closed consumer still holds its bytes")
		}
		cs[1].Close()
	}
}

// remaps tries the system call with which this package maps files and maps memory
// twice. An emulator of Linux, such as qemu-user, may refuse it.
var remaps = sync.OnceValue(func() error {
	size := os.Getpagesize()
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	defer syscall.Munmap(b)
	const mayMove = 1
	again, _, errno := syscall.Syscall6(syscall.SYS_MREMAP, reflect.ValueOf(b).Pointer(), 0, uintptr(size), mayMove, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("mremap with an old size of 0", errno)
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_MUNMAP, again, uintptr(size), 0); errno != 0 {
		return os.NewSyscallError("munmap", errno)
	}
	return nil
})
