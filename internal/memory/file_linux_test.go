package memory

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFileHoldsTheBytes(t *testing.T) {
	for _, o := range []Options{{}, {Mirror: true}, {Align: HugePage}} {
		o.File = tempFile(t)
		m := mustMake(t, 3*page+1, o)
		o.File.Close() // the mapping does without
		b := m.Bytes()
		b[0], b[len(b)-1] = 'a', 'z'
		got, err := os.ReadFile(o.File.Name())
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%+v: the file has %d bytes, the memory %d, %v", o, len(got), len(b), err)
		}
		var s syscall.Stat_t
		if err := syscall.Stat(o.File.Name(), &s); err != nil || s.Blocks*512 < int64(len(b)) {
			t.Errorf("%+v: %d bytes of the file have their place on the disk, %v", o, s.Blocks*512, err)
		}
		if err := m.Free(); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(o.File.Name()); err != nil || info.Size() != int64(len(b)) {
			t.Errorf("%+v: after Free: %v", o, err)
		}
	}
}

func TestFilesThatCannotHoldARing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "empty")
	full := filepath.Join(dir, "full")
	os.WriteFile(name, nil, 0o600)
	os.WriteFile(full, []byte("something"), 0o600)
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer w.Close()
	closed := tempFile(t)
	closed.Close()
	open := func(name string, flags int) *os.File {
		f, err := os.OpenFile(name, flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	cases := []struct {
		f    *os.File
		want string
	}{
		{pipe, "no regular file (p"},
		{open(dir, os.O_RDONLY), "is a directory"},
		{open("/dev/zero", os.O_RDWR), "no regular file (D"},
		{open(name, os.O_RDONLY), "not open for both reading and writing"},
		{open(name, os.O_WRONLY), "not open for both reading and writing"},
		{open(full, os.O_RDWR), "not empty, but has 9 bytes"},
		{open("/proc/self/oom_score_adj", os.O_RDWR), "cannot be mapped"},
		{closed, "closed"},
	}
	for _, c := range cases {
		for _, mirror := range []bool{false, true} {
			m, err := New(page, Options{File: c.f, Mirror: mirror})
			if !errors.Is(err, ErrFile) || m != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.f.Name()) {
				t.Errorf("%s: %v, want %q", c.f.Name(), err, c.want)
			}
		}
	}
	if b, _ := os.ReadFile(full); string(b) != "something" {
		t.Errorf("the file has %q now", b)
	}
}

// Where the file system cannot set space aside, zeros are written instead.
func TestFileWithoutFallocate(t *testing.T) {
	saved := allocate
	allocate = func(int, int64, int64) error { return syscall.EOPNOTSUPP }
	defer func() { allocate = saved }()
	plain := tempFile(t)
	appending, err := os.OpenFile(filepath.Join(t.TempDir(), "appending"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer appending.Close()
	for _, f := range []*os.File{plain, appending} {
		const n = 5<<20 + 3
		m := mustMake(t, n, Options{File: f})
		info, err := f.Stat()
		if err != nil || info.Size() != n || info.Sys().(*syscall.Stat_t).Blocks*512 < n {
			t.Errorf("%+v, %v", info, err)
		}
		check(t, m, n, Options{File: f})
	}
}

// A disk that is full says so at once, and gets back what it gave.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("mount: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	f, err := os.Create(filepath.Join(dir, "ring"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	saved := allocate
	defer func() { allocate = saved }()
	for _, able := range []bool{true, false} {
		if !able {
			allocate = func(int, int64, int64) error { return syscall.EOPNOTSUPP }
		}
		for _, mirror := range []bool{false, true} {
			m, err := New(2<<20, Options{File: f, Mirror: mirror})
			if !errors.Is(err, ErrFile) || !errors.Is(err, syscall.ENOSPC) || m != nil {
				t.Fatalf("2 MiB on a disk of 1: %v", err)
			}
			if info, err := f.Stat(); err != nil || info.Size() != 0 {
				t.Errorf("the file has %d bytes, %v", info.Size(), err)
			}
			m, err = New(1<<20, Options{File: f, Mirror: mirror})
			if err != nil {
				t.Fatalf("1 MiB on a disk of 1: %v", err)
			}
			touch(m.Bytes())
			m.Free()
			f.Truncate(0)
		}
	}
}
