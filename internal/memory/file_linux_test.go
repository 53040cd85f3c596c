package memory

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
)

func TestFileHoldsTheBytes(t *testing.T) {
	for _, o := range []Options{{}, {Mirror: true}, {Align: HugePage}} {
		o.File = tempFile(t)
		m := mustMake(t, 3*page+1, o)
		o.File.Close() // the mapping does not need the file to be open
		b := m.Bytes()
		b[0], b[len(b)-1] = 'a', 'z'
		got, err := os.ReadFile(o.File.Name())
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%+v: the file has %d bytes, the memory has %d, error %v", o, len(got), len(b), err)
		}
		var s syscall.Stat_t
		if err := syscall.Stat(o.File.Name(), &s); err != nil || s.Blocks*512 < int64(len(b)) {
			t.Errorf("%+v: %d bytes of the file are allocated on the disk, error %v", o, s.Blocks*512, err)
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
		{pipe, "not a regular file (p"},
		{open(dir, os.O_RDONLY), "is a directory"},
		{open("/dev/zero", os.O_RDWR), "not a regular file (D"},
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
		t.Errorf("the file now has %q", b)
	}
}

// If the file system cannot allocate space, zeros are written instead.
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

// A full disk is an error at once, and gets back the space that was taken.
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
				t.Fatalf("2 MiB on a disk of 1 MiB: %v", err)
			}
			if info, err := f.Stat(); err != nil || info.Size() != 0 {
				t.Errorf("the file has %d bytes, %v", info.Size(), err)
			}
			m, err = New(1<<20, Options{File: f, Mirror: mirror})
			if err != nil {
				t.Fatalf("1 MiB on a disk of 1 MiB: %v", err)
			}
			touch(m.Bytes())
			m.Free()
			f.Truncate(0)
		}
	}
}

// If two rings are made in one file at the same time, one of them is refused, and
// neither shortens the file of the other.
func TestFileForOneRingOnly(t *testing.T) {
	for range 100 {
		f := tempFile(t)
		sizes := []int{1 << 16, 1 << 17, 1 << 18}
		made := make(chan *Memory, len(sizes))
		for _, n := range sizes {
			go func() {
				m, err := New(n, Options{File: f})
				if err != nil && !errors.Is(err, ErrFile) {
					t.Error(err)
				}
				made <- m
			}()
		}
		var all []*Memory
		for range sizes {
			if m := <-made; m != nil {
				all = append(all, m)
			}
		}
		if len(all) != 1 {
			t.Fatalf("%d rings are in one file, want 1", len(all))
		}
		if info, err := f.Stat(); err != nil || info.Size() != int64(len(all[0].Bytes())) {
			t.Fatalf("the file has %d bytes, want %d, error %v", info.Size(), len(all[0].Bytes()), err)
		}
		all[0].Free()
		f.Close()
	}
}

// btrfs writes to a new place each time. A disk that fills up after the ring was
// made must not be a fault.
func TestFileOnADiskThatFillsUp(t *testing.T) {
	if os.Getenv("LARGE") == "" {
		t.Skip("takes 20 s, most of them in umount: set LARGE=1")
	}
	image := filepath.Join(t.TempDir(), "image")
	dir := t.TempDir()
	if f, err := os.Create(image); err != nil || f.Truncate(48<<20) != nil || f.Close() != nil {
		t.Fatal(err)
	}
	for _, argv := range [][]string{{"mkfs.btrfs", "-q", "--mixed", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%v: %v %s", argv, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	f, err := os.Create(filepath.Join(dir, "ring"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := New(8<<20, Options{File: f})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Free()
	other, err := os.Create(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	junk := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(junk)
	for n := len(junk); n >= 512; {
		if _, err := other.Write(junk[:n]); err != nil {
			n /= 2
		}
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("the write faults: %v", p)
		}
	}()
	for b := m.Bytes(); len(b) > 0; b = b[len(junk):] {
		copy(b, junk)
	}
}
