package direct

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/memory"
	"github.com/bytering/bytering/internal/pattern"
)

// atGeometry suits every file of the test, whatever its block.
var atGeometry = Ring{Capacity: 1 << 20, Call: 64 << 10}

// openAt opens path, or skips the test if it can't be direct.
func openAt(t *testing.T, path string, mode int) *At {
	t.Helper()
	f, err := os.OpenFile(path, mode|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	a := atGeometry.OpenAt(f, mode, 0)
	if _, why := a.Moved(); why != nil {
		t.Skip(why)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// has reports whether a descriptor has the flag.
func has(t *testing.T, f *os.File) bool {
	t.Helper()
	flags, errno := kernel.Fcntl(f.Fd(), syscall.F_GETFL, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return flags&syscall.O_DIRECT != 0
}

// TestDirectAt checks that every byte is written and read, whatever the sizes of the
// file and the calls, and that whole blocks before the end are direct.
func TestDirectAt(t *testing.T) {
	dir := t.TempDir()
	mem, err := memory.Alloc(1<<20, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	probe := openAt(t, filepath.Join(dir, "probe"), os.O_WRONLY)
	block := int(probe.block)
	for _, size := range []int{0, 1, block - 1, block, block + 1, 3*block - 1, 3 * block, 5*block + 700} {
		want := pattern.Bytes(0, size)
		for _, call := range []int{block, 2 * block, 2*block - 7, block/2 + 1} {
			path := filepath.Join(dir, "file")
			os.Remove(path)
			whole := 0
			for off := 0; off < size; off += call {
				if from, to := (off+block-1)/block*block, min(off+call, size)/block*block; to > from {
					whole += to - from
				}
			}
			w := openAt(t, path, os.O_WRONLY)
			each(t, mem, size, call, func(b []byte, off int64) (int, error) {
				copy(b, want[off:])
				return w.WriteAt(b[:min(len(b), size-int(off))], off)
			})
			if n, why := w.Moved(); n != int64(whole) || why != nil {
				t.Errorf("%d bytes by %d: %d written direct, want %d: %v", size, call, n, whole, why)
			}
			got := make([]byte, 0, size)
			r := openAt(t, path, os.O_RDONLY)
			each(t, mem, size, call, func(b []byte, off int64) (int, error) {
				n, err := r.ReadAt(b, off)
				got = append(got, b[:n]...)
				if ends := int(off)+len(b) > size; ends != (err == io.EOF) {
					t.Errorf("%d bytes by %d: %d bytes at %d, %v", size, call, n, off, err)
				}
				return n, nil
			})
			if n, why := r.Moved(); n != int64(whole) || why != nil {
				t.Errorf("%d bytes by %d: %d read direct, want %d: %v", size, call, n, whole, why)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes by %d: %d bytes that differ", size, call, len(got))
			}
			if n, err := r.ReadAt(mem[:block], int64(size+2*block)/int64(block)*int64(block)); n != 0 || err != io.EOF {
				t.Errorf("%d bytes: behind the end: %d, %v", size, n, err)
			}
			if has(t, w.file) || has(t, r.file) || !has(t, w.past) || !has(t, r.past) {
				t.Error("the flag is not that of the second descriptor alone")
			}
			if w.Close() != nil || w.past.Close() == nil {
				t.Error("the second descriptor stays open")
			}
			w.file.Close()
			r.file.Close()
			r.Close()
		}
	}
}

// each calls f for every call of a file of that size, with memory as far from a
// block as its offset.
func each(t *testing.T, mem []byte, size, call int, f func(b []byte, off int64) (int, error)) {
	t.Helper()
	for off := 0; off < size; off += call {
		if n, err := f(mem[off:off+call], int64(off)); err != nil || n != min(call, size-off) {
			t.Fatalf("%d bytes at %d of %d: %d, %v", call, off, size, n, err)
		}
	}
}

// TestDirectAtWhy checks what makes a file buffered.
func TestDirectAtWhy(t *testing.T) {
	page := os.Getpagesize()
	for name, c := range map[string]struct {
		block uint32
		from  int64
		ring  Ring
		why   string
	}{
		"the offset":        {512, 512, Ring{Capacity: 16 * page, Call: page}, "its offset 512 is not a multiple"},
		"the position":      {512, 0, Ring{Capacity: 16 * page, Call: page, Position: uint64(3*page + 1)}, "of the stream, which is not a multiple"},
		"the calls":         {512, 0, Ring{Capacity: 16 * page, Call: page + 512}, "are not whole blocks"},
		"the ring":          {512, 0, Ring{Capacity: 16*page - 512, Call: page}, "is not whole blocks"},
		"blocks over pages": {uint32(4 * page), 0, Ring{Capacity: 16 * page, Call: 2 * page}, "are not whole blocks"},
		"no direct I/O":     {0, 0, atGeometry, errNone.Error()},
		"no power of two":   {12288, 0, atGeometry, "not a power of two"},
	} {
		fake(t, &flags{}, c.block, true)
		a := c.ring.OpenAt(file(t, 0), os.O_RDONLY, c.from)
		if _, why := a.Moved(); why == nil || !strings.Contains(why.Error(), c.why) || a.past != nil {
			t.Errorf("%s: %v", name, why)
		}
		if n, err := a.WriteAt([]byte("buffered"), 3); n != 8 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("%s: closed: %v", name, err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.Close()
	if _, why := atGeometry.OpenAt(r, os.O_RDONLY, 0).Moved(); why != errKind {
		t.Errorf("a pipe: %v", why)
	}
	// It was opened for writing only, and may not be opened for reading.
	if os.Getuid() != 0 {
		f, err := os.OpenFile(filepath.Join(t.TempDir(), "file"), os.O_WRONLY|os.O_CREATE, 0o200)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, why := atGeometry.OpenAt(f, os.O_RDONLY, 0).Moved(); !errors.Is(why, os.ErrPermission) {
			t.Errorf("a file that can't be read: %v", why)
		}
	}
}

// TestDirectAtRefused checks that a call that is refused because it is direct is made
// again, and that later calls are buffered.
func TestDirectAtRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	w := openAt(t, path, os.O_WRONLY)
	if _, _, known := kernel.DirectAlign(w.file.Fd()); !known {
		t.Skip("the file system may take any memory")
	}
	block := int(w.block)
	want := pattern.Bytes(0, 3*block)
	mem, err := memory.Alloc(4*block, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	b := mem[1:][:len(want)]
	copy(b, want)
	n, err := w.WriteAt(b, 0)
	if direct, why := w.Moved(); n != len(b) || err != nil || direct != 0 || !errors.Is(why, syscall.EINVAL) {
		t.Errorf("written: %d, %v; %d direct, %v", n, err, direct, why)
	}
	r := openAt(t, path, os.O_RDONLY)
	clear(b)
	n, err = r.ReadAt(b, 0)
	if direct, why := r.Moved(); n != len(b) || err != nil || direct != 0 || !errors.Is(why, syscall.EINVAL) {
		t.Errorf("read: %d, %v; %d direct, %v", n, err, direct, why)
	}
	if !bytes.Equal(b, want) {
		t.Error("other bytes")
	}
}

// TestDirectAtFails checks that an error unrelated to the flag is returned by the call
// and names the file.
func TestDirectAtFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	a := openAt(t, path, os.O_WRONLY)
	a.Close()
	mem, err := memory.Alloc(int(a.block), 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	n, err := a.WriteAt(mem, 0)
	if _, why := a.Moved(); n != 0 || !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), path) || why != nil {
		t.Errorf("%d, %v; buffered: %v", n, err, why)
	}
}
