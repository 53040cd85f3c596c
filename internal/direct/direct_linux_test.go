package direct

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/memory"
)

// A flags stands in for a kernel with the flags of one descriptor, whatever the
// file system supports.
type flags struct {
	value int
	sets  int
	fail  map[bool]syscall.Errno // errors of setting the flag and of clearing it
}

func fake(t *testing.T, f *flags, block uint32, known bool) {
	fcntl, align := kernel.Fcntl, kernel.DirectAlign
	kernel.Fcntl = func(_ uintptr, cmd, arg int) (int, syscall.Errno) {
		if cmd == syscall.F_GETFL {
			return f.value, 0
		}
		if errno := f.fail[arg&syscall.O_DIRECT != 0]; errno != 0 {
			return 0, errno
		}
		f.value = arg
		f.sets++
		return 0, 0
	}
	kernel.DirectAlign = func(uintptr) (uint32, uint32, bool) { return min(block, 512), block, known }
	t.Cleanup(func() { kernel.Fcntl, kernel.DirectAlign = fcntl, align })
}

func file(t *testing.T, at int64) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestNext checks which calls are direct, and how long they are.
func TestNext(t *testing.T) {
	for _, c := range []struct {
		block      uint32
		at         int64
		room, next int
		direct     bool
	}{
		{512, 0, 511, 511, false}, {512, 0, 512, 512, true}, {512, 0, 513, 512, true}, {512, 0, 1535, 1024, true},
		{512, 1, 510, 510, false}, {512, 1, 511, 511, false}, {512, 1, 9999, 511, false}, {512, 511, 9999, 1, false},
		{4096, 512, 9999, 3584, false}, {4096, 1 << 40, 9999, 8192, true}, {4096, 1<<40 - 1, 9999, 1, false},
		{1, 7, 9, 9, true}, {1 << 16, 1 << 16, 65535, 65535, false},
	} {
		fs := &flags{}
		fake(t, fs, c.block, true)
		d := open(file(t, c.at))
		n, err := d.Next(c.room)
		if n != c.next || err != nil || (fs.value&syscall.O_DIRECT != 0) != c.direct {
			t.Errorf("%+v: Next returned %d, %v, flags are %#x", c, n, err, fs.value)
		}
		counted := 0
		if c.direct {
			counted = n
		}
		if got := d.Moved(n); got != counted || d.at != c.at+int64(n) {
			t.Errorf("%+v: %d bytes were direct, up to offset %d", c, got, d.at)
		}
		if err := d.Close(); err != nil || fs.value != 0 {
			t.Errorf("%+v: Close returned %v, flags are %#x", c, err, fs.value)
		}
		if fs.sets > 2 {
			t.Errorf("%+v: the flag was changed %d times", c, fs.sets)
		}
	}
}

// TestOpen checks what makes a file buffered from the start, and its block.
func TestOpen(t *testing.T) {
	for name, c := range map[string]struct {
		block  uint32
		known  bool
		fail   syscall.Errno
		starts int // the block
		why    string
	}{
		"known":       {4096, true, 0, 4096, ""},
		"unknown":     {0, false, 0, 4096, ""},
		"none":        {0, true, 0, 0, "no direct I/O"},
		"odd":         {12288, true, 0, 0, "12288 bytes are not a power of two"},
		"largest":     {1 << 31, true, 0, 1 << 30, ""},
		"refused":     {512, true, syscall.EINVAL, 0, "invalid argument"},
		"not allowed": {512, true, syscall.EPERM, 0, "operation not permitted"},
	} {
		fs := &flags{fail: map[bool]syscall.Errno{true: c.fail}}
		fake(t, fs, c.block, c.known)
		d := open(file(t, 0))
		if c.why == "" && (!d.Active() || d.Block() != c.starts) ||
			c.why != "" && (d.Active() || !strings.Contains(d.Why().Error(), c.why) || fs.value != 0) {
			t.Errorf("%s: the block is %d, Why is %v", name, d.Block(), d.Why())
		}
	}

	fs := &flags{value: syscall.O_APPEND | syscall.O_DIRECT}
	fake(t, fs, 0, true)
	f := file(t, 0)
	if err := f.Truncate(700); err != nil {
		t.Fatal(err)
	}
	if d := open(f); d.Active() || fs.value != syscall.O_APPEND || d.Close() != nil || fs.value != syscall.O_APPEND|syscall.O_DIRECT {
		t.Errorf("a file that was opened with O_DIRECT but cannot be direct: flags are %#x", fs.value)
	}
	fake(t, fs, 512, true)
	if d := open(f); d.at != 700 || d.Rest() != 324 {
		t.Errorf("the file appends at %d, %d bytes before the next block, want 700 and 324", d.at, d.Rest())
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	*fs = flags{}
	if d := open(r); d.Why() != errKind || fs.sets != 0 { // for a pipe the flag means packets
		t.Errorf("Why of a pipe is %v", d.Why())
	}
	r.Close()
	for _, f := range []*os.File{r, nil} {
		if d := open(f); d.Active() || d.Close() != nil {
			t.Errorf("%v is active", f)
		}
	}
}

// TestRefused checks that a call that may have failed because it was direct is to
// be made again, even if another process has set the flag.
func TestRefused(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.EOPNOTSUPP} {
		fs := &flags{}
		fake(t, fs, 512, true)
		d := open(file(t, 0))
		if d.Refused(nil) || d.Refused(syscall.EIO) || !d.Active() {
			t.Error("direct I/O was given up for an unrelated error")
		}
		if !d.Refused(os.NewSyscallError("readv", errno)) || d.Active() || fs.value != 0 || !errors.Is(d.Why(), errno) {
			t.Errorf("Why is %v, flags are %#x", d.Why(), fs.value)
		}
		why := d.Why()
		fs.value = syscall.O_DIRECT
		if !d.Refused(errno) || fs.value != 0 || d.Why() != why {
			t.Errorf("flags are %#x, Why is %v and then %v", fs.value, why, d.Why())
		}
		fake(t, fs, 0, true)
		if d := open(file(t, 0)); d.Refused(errno) {
			t.Error("a call on a file without direct I/O is to be made again")
		}
	}
	var zero File
	if zero.Active() || zero.Refused(syscall.EINVAL) || zero.Close() != nil || zero.Rest() != 1 {
		t.Error("the zero File is active")
	}
}

// TestFlagStuck checks that a flag that cannot be cleared is an error and does not
// lead to a wrong call.
func TestFlagStuck(t *testing.T) {
	fs := &flags{fail: map[bool]syscall.Errno{false: syscall.EIO}}
	fake(t, fs, 512, true)
	d := open(file(t, 0))
	if _, err := d.Next(100); !errors.Is(err, syscall.EIO) {
		t.Errorf("Next for the last bytes: %v", err)
	}
	if d.Refused(syscall.EINVAL) || !errors.Is(d.Why(), syscall.EIO) {
		t.Errorf("a call that cannot be buffered is to be made again: %v", d.Why())
	}
	if err := d.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("closed: %v", err)
	}

	*fs = flags{}
	d = open(file(t, 511))
	if n, err := d.Next(1000); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	d.Moved(1)
	fs.fail = map[bool]syscall.Errno{true: syscall.EINVAL}
	if n, err := d.Next(1000); n != 1000 || err != nil || d.Active() {
		t.Errorf("Next when the flag cannot be set again = %d, %v", n, err)
	}
}

func TestAligned(t *testing.T) {
	fake(t, &flags{}, 512, true)
	d := open(file(t, 0))
	b, err := memory.Alloc(2048, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for position := range uint64(1500) {
		for _, off := range []int{0, 1, 511, 512, 513} {
			if got, want := d.aligned(b[off:], position), (uint64(off)-position)%512 == 0; got != want {
				t.Fatalf("aligned(%d) at position %d is %v", off, position, got)
			}
		}
	}
}

// TestDirectAlign asks the system itself, which knows the alignment or says that it
// does not.
func TestDirectAlign(t *testing.T) {
	f := file(t, 0)
	m, off, known := kernel.DirectAlign(f.Fd())
	if !known && (m != 0 || off != 0) || known && (m == 0) != (off == 0) || m&(m-1) != 0 {
		t.Errorf("DirectAlign = %d, %d, %v", m, off, known)
	}
	f.Close()
	if _, _, known := kernel.DirectAlign(1 << 20); known {
		t.Error("DirectAlign knows a descriptor that does not exist")
	}
}
