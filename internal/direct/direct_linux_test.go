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

// A flags is a kernel with the flags of one descriptor, whatever the file
// system under it knows of O_DIRECT.
type flags struct {
	value int
	sets  int
	fail  map[bool]syscall.Errno // to set it, to clear it
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

// TestNext: which calls are direct, and how long.
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
			t.Errorf("%+v: %d, %v, flags %#x", c, n, err, fs.value)
		}
		counted := 0
		if c.direct {
			counted = n
		}
		if got := d.Moved(n); got != counted || d.at != c.at+int64(n) {
			t.Errorf("%+v: %d direct, then at %d", c, got, d.at)
		}
		if err := d.Close(); err != nil || fs.value != 0 {
			t.Errorf("%+v: %v, flags %#x in the end", c, err, fs.value)
		}
		if fs.sets > 2 {
			t.Errorf("%+v: %d changes of the flag", c, fs.sets)
		}
	}
}

// TestOpen: what makes a file buffered from the beginning, and where it begins.
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
		"odd":         {12288, true, 0, 0, "12288 bytes are no power of two"},
		"largest":     {1 << 31, true, 0, 1 << 30, ""},
		"refused":     {512, true, syscall.EINVAL, 0, "invalid argument"},
		"not allowed": {512, true, syscall.EPERM, 0, "operation not permitted"},
	} {
		fs := &flags{fail: map[bool]syscall.Errno{true: c.fail}}
		fake(t, fs, c.block, c.known)
		d := open(file(t, 0))
		if c.why == "" && (!d.Active() || d.Block() != c.starts) ||
			c.why != "" && (d.Active() || !strings.Contains(d.Why().Error(), c.why) || fs.value != 0) {
			t.Errorf("%s: block %d, %v", name, d.Block(), d.Why())
		}
	}

	fs := &flags{value: syscall.O_APPEND | syscall.O_DIRECT}
	fake(t, fs, 0, true)
	f := file(t, 0)
	if err := f.Truncate(700); err != nil {
		t.Fatal(err)
	}
	if d := open(f); d.Active() || fs.value != syscall.O_APPEND || d.Close() != nil || fs.value != syscall.O_APPEND|syscall.O_DIRECT {
		t.Errorf("one that was direct already, and can't be: flags %#x", fs.value)
	}
	fake(t, fs, 512, true)
	if d := open(f); d.at != 700 || d.Rest() != 324 {
		t.Errorf("appends at %d, %d before the next block", d.at, d.Rest())
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	*fs = flags{}
	if d := open(r); d.Why() != errKind || fs.sets != 0 { // where the flag means packets
		t.Errorf("a pipe: %v", d.Why())
	}
	r.Close()
	for _, f := range []*os.File{r, nil} {
		if d := open(f); d.Active() || d.Close() != nil {
			t.Errorf("%v is active", f)
		}
	}
}

// TestRefused: a call that may have failed for being direct is to be made again,
// also one for which somebody else has set the flag.
func TestRefused(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.EOPNOTSUPP} {
		fs := &flags{}
		fake(t, fs, 512, true)
		d := open(file(t, 0))
		if d.Refused(nil) || d.Refused(syscall.EIO) || !d.Active() {
			t.Error("given up for nothing")
		}
		if !d.Refused(os.NewSyscallError("readv", errno)) || d.Active() || fs.value != 0 || !errors.Is(d.Why(), errno) {
			t.Errorf("%v, flags %#x", d.Why(), fs.value)
		}
		why := d.Why()
		fs.value = syscall.O_DIRECT
		if !d.Refused(errno) || fs.value != 0 || d.Why() != why {
			t.Errorf("flags %#x, given up for %v and %v", fs.value, why, d.Why())
		}
		fake(t, fs, 0, true)
		if d := open(file(t, 0)); d.Refused(errno) {
			t.Error("a file without direct I/O is asked again")
		}
	}
	var zero File
	if zero.Active() || zero.Refused(syscall.EINVAL) || zero.Close() != nil || zero.Rest() != 1 {
		t.Error("no file is active")
	}
}

// TestFlagStuck: a flag that can't be cleared is an error, not a wrong call.
func TestFlagStuck(t *testing.T) {
	fs := &flags{fail: map[bool]syscall.Errno{false: syscall.EIO}}
	fake(t, fs, 512, true)
	d := open(file(t, 0))
	if _, err := d.Next(100); !errors.Is(err, syscall.EIO) {
		t.Errorf("the last bytes: %v", err)
	}
	if d.Refused(syscall.EINVAL) || !errors.Is(d.Why(), syscall.EIO) {
		t.Errorf("a call that can't be buffered is made again: %v", d.Why())
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
		t.Errorf("one that can't be set again: %d, %v", n, err)
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
				t.Fatalf("%d at position %d: %v", off, position, got)
			}
		}
	}
}

// TestDirectAlign asks the system itself: it knows, or says that it doesn't.
func TestDirectAlign(t *testing.T) {
	f := file(t, 0)
	m, off, known := kernel.DirectAlign(f.Fd())
	if !known && (m != 0 || off != 0) || known && (m == 0) != (off == 0) || m&(m-1) != 0 {
		t.Errorf("%d and %d, %v", m, off, known)
	}
	f.Close()
	if _, _, known := kernel.DirectAlign(1 << 20); known {
		t.Error("it knows of a descriptor that isn't there")
	}
}
