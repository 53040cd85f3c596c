package vectored

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/internal/scripted"
)

// create returns a new file with content, and a File over it.
func create(t testing.TB, content string) (*os.File, *File) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	must(t, f, err)
	t.Cleanup(func() { f.Close() })
	_, err = f.WriteString(content)
	must(t, f, err)
	return f, must2(NewFile(f))(t)
}

func TestPreadv(t *testing.T) {
	_, file := create(t, "0123456789")
	for _, tc := range []struct {
		name  string
		off   int64
		sizes []int
		want  string
		err   error
	}{
		{"at the beginning", 0, []int{2, 3}, "01234", nil},
		{"in the middle", 4, []int{1, 0, 2}, "456", nil},
		{"to the end", 7, []int{0, 2, 1}, "789", nil},
		{"over the end", 7, []int{1, 5, 4}, "789", nil},
		{"the last byte", 9, []int{2, 2}, "9", nil},
		{"at the end", 10, []int{1, 1}, "", io.EOF},
		{"beyond", 11, []int{1}, "", io.EOF},
		{"far beyond", 1 << 62, []int{1, 1}, "", io.EOF},
		{"no slices", 3, nil, "", nil},
		{"no room", 3, []int{0, 0}, "", nil},
		{"no room at the end", 10, []int{0}, "", nil},
		{"negative", -1, []int{1}, "", errOffset},
		{"negative without room", -1 << 63, nil, "", errOffset},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bufs, all := makeSlices(tc.sizes, func([]byte) {})
			n, err := file.Preadv(bufs, tc.off)
			want(t, "Preadv", n, err, len(tc.want), tc.err)
			if string(all[:n]) != tc.want || !bytes.Equal(all[n:], make([]byte, len(all)-n)) {
				t.Errorf("got %q", all)
			}
		})
	}
}

func TestPwritev(t *testing.T) {
	for _, tc := range []struct {
		name string
		off  int64
		bufs []string
		want string // what "0123456789" becomes
		err  error
	}{
		{"at the beginning", 0, []string{"ab", "", "c"}, "abc3456789", nil},
		{"in the middle", 4, []string{"", "a", "bc"}, "0123abc789", nil},
		{"over the end", 8, []string{"ab", "cd"}, "01234567abcd", nil},
		{"at the end", 10, []string{"a", "b"}, "0123456789ab", nil},
		{"behind a hole", 13, []string{"a", "b"}, "0123456789\x00\x00\x00ab", nil},
		{"nothing", 3, []string{"", ""}, "0123456789", nil},
		{"nothing beyond the end", 30, nil, "0123456789", nil},
		{"negative", -1, []string{"a"}, "0123456789", errOffset},
		{"negative and nothing", -1, nil, "0123456789", errOffset},
		{"above what a file can have", 1<<63 - 1, []string{"a", "b"}, "0123456789", syscall.EINVAL},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, file := create(t, "0123456789")
			var bufs [][]byte
			total := 0
			for _, s := range tc.bufs {
				bufs = append(bufs, []byte(s))
				total += len(s)
			}
			if tc.err != nil {
				total = 0
			}
			n, err := file.Pwritev(bufs, tc.off)
			want(t, "Pwritev", n, err, total, tc.err)
			got, err := os.ReadFile(f.Name())
			if string(must(t, got, err)) != tc.want {
				t.Errorf("the file has %q, want %q", got, tc.want)
			}
		})
	}
}

// Offsets may take more than 32 bits, and no machine may lose the upper half. The
// file has a mark at each place where a truncated offset would lead.
func TestOffsetsAbove4GiB(t *testing.T) {
	f, file := create(t, "")
	for _, off := range []int64{7, 1<<31 + 7, 1<<32 + 7, 3<<32 + 7, 1<<40 + 7} {
		mark := []byte("offset ..")
		mark[7], mark[8] = byte(off>>40)+'0', byte(off>>31)+'0'
		n, err := file.Pwritev([][]byte{mark[:3], mark[3:]}, off)
		if off == 1<<40+7 && errors.Is(err, syscall.EFBIG) {
			t.Skip("no file system for 1 TiB")
		}
		want(t, "Pwritev", n, err, len(mark), nil)
		info, err := f.Stat()
		if must(t, info, err).Size() != off+int64(len(mark)) {
			t.Fatalf("written at %d the file ends at %d", off, info.Size())
		}
		a, b := make([]byte, 4), make([]byte, 9)
		n, err = file.Preadv([][]byte{a, b}, off)
		want(t, "Preadv", n, err, len(mark), nil)
		if got := string(a) + string(b[:5]); got != string(mark) {
			t.Errorf("read %q at %d, want %q", got, off, mark)
		}
		n, err = file.Preadv([][]byte{a, b}, off-1)
		want(t, "Preadv one before", n, err, len(mark)+1, nil)
		if off > 7 && a[0] != 0 {
			t.Errorf("there is data in the hole before %d", off)
		}
	}
	first := make([]byte, 9)
	n, err := file.Preadv([][]byte{first}, 7)
	want(t, "Preadv", n, err, 9, nil)
	if string(first) != "offset 00" {
		t.Errorf("the first mark has become %q", first)
	}
}

// Calls at an offset do not move the file's own offset, which Read and Write use.
func TestOwnOffsetIsLeftAlone(t *testing.T) {
	f, file := create(t, "0123456789")
	_, err := f.Seek(3, io.SeekStart)
	must(t, f, err)
	two := [][]byte{make([]byte, 2), make([]byte, 2)}
	n, err := file.Preadv(two, 6)
	want(t, "Preadv", n, err, 4, nil)
	n, err = file.Pwritev(two, 20)
	want(t, "Pwritev", n, err, 4, nil)
	at, err := f.Seek(0, io.SeekCurrent)
	if must(t, at, err) != 3 {
		t.Errorf("the offset is %d, want 3", at)
	}
}

func TestFileOpenedWithAppend(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	must(t, 0, os.WriteFile(name, []byte("0123"), 0o600))
	f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0)
	must(t, f, err)
	defer f.Close()
	file := must2(NewFile(f))(t)
	n, err := file.Pwritev([][]byte{{'a'}, {'b'}}, 1)
	want(t, "Pwritev", n, err, 0, ErrUnsupported)
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is not one line", err)
	}
	if e, ok := errors.AsType[*os.PathError](err); !ok || e.Op != "pwritev" || e.Path != name {
		t.Errorf("%v lacks the file's name", err)
	}
	b := make([]byte, 8)
	n, err = file.Preadv([][]byte{b[:1], b[1:]}, 1)
	want(t, "Preadv", n, err, 3, nil)
	if string(b[:n]) != "123" {
		t.Errorf("the file has 0%s", b[:n])
	}
}

func TestNoFile(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, 0, err)
	defer r.Close()
	defer w.Close()
	a, b := socketpair(t)
	defer a.Close()
	defer b.Close()
	closed, _ := create(t, "")
	closed.Close()
	for _, tc := range []struct {
		name string
		f    *os.File
		also error
	}{
		{"pipe to read", r, errNoOffsets},
		{"pipe to write", w, errNoOffsets},
		{"socket", a, errNoOffsets},
		{"closed", closed, os.ErrClosed},
		{"nil", nil, os.ErrInvalid},
	} {
		file, err := NewFile(tc.f)
		if file != nil || !errors.Is(err, ErrUnsupported) || !errors.Is(err, tc.also) {
			t.Errorf("%s: %v, %v; want %v", tc.name, file, err, tc.also)
		}
	}
}

func TestFileFails(t *testing.T) {
	f, file := create(t, "0123")
	ro, err := os.Open(f.Name())
	must(t, f, err)
	defer ro.Close()
	bufs := [][]byte{make([]byte, 1), make([]byte, 2)}
	n, err := must2(NewFile(ro))(t).Pwritev(bufs, 0)
	want(t, "Pwritev to a file open to read", n, err, 0, syscall.EBADF)
	wo, err := os.OpenFile(f.Name(), os.O_WRONLY, 0)
	must(t, f, err)
	defer wo.Close()
	n, err = must2(NewFile(wo))(t).Preadv(bufs, 0)
	want(t, "Preadv of a file open to write", n, err, 0, syscall.EBADF)

	f.Close()
	n, err = file.Preadv(bufs, 0)
	want(t, "Preadv after Close", n, err, 0, os.ErrClosed)
	n, err = file.Pwritev(bufs, 0)
	want(t, "Pwritev after Close", n, err, 0, os.ErrClosed)
}

// script makes the calls on f return results, and checks the offset and the slices
// of each.
func script(t *testing.T, f *os.File, op kernel.Op, off int64, results []result) {
	scripted.Serve(t, descriptor(t, f), func(o kernel.Op, _ uintptr, vec []syscall.Iovec, at int64) (int, syscall.Errno) {
		if o != op || at != off || len(vec) != 2 {
			t.Errorf("%v at %d of %d slices", o, at, len(vec))
		}
		r := results[0]
		if len(results) > 1 {
			results = results[1:]
		}
		if r.err != nil {
			return 0, r.err.(syscall.Errno)
		}
		return r.n, 0
	})
}

// A call at an offset treats the kernel's results as one on a stream does.
func TestFileOnAScriptedKernel(t *testing.T) {
	for _, tc := range []struct {
		name    string
		results []result
		n       int
		pread   error
		pwrite  error
	}{
		{"short", []result{{3, nil}}, 3, nil, nil},
		{"interrupted", []result{{0, syscall.EINTR}, {0, syscall.EINTR}, {5, nil}}, 5, nil, nil},
		{"nothing", []result{{0, nil}}, 0, io.EOF, io.ErrUnexpectedEOF},
		{"no space", []result{{0, syscall.ENOSPC}}, 0, syscall.ENOSPC, syscall.ENOSPC},
		{"broken", []result{{0, syscall.EINTR}, {0, syscall.EIO}}, 0, syscall.EIO, syscall.EIO},
		{"busy", []result{{0, syscall.EAGAIN}}, 0, syscall.EAGAIN, syscall.EAGAIN},
		{"negative", []result{{-1, nil}}, 0, ErrInvalidCount, ErrInvalidCount},
		{"too many", []result{{6, nil}}, 0, ErrInvalidCount, ErrInvalidCount},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, file := create(t, "")
			bufs := [][]byte{make([]byte, 2), {}, make([]byte, 3)}
			script(t, f, kernel.Preadv, 1<<33+1, tc.results)
			n, err := file.Preadv(bufs, 1<<33+1)
			want(t, "Preadv", n, err, tc.n, tc.pread)
			script(t, f, kernel.Pwritev, 1<<33+2, tc.results)
			n, err = file.Pwritev(bufs, 1<<33+2)
			if tc.pwrite != nil && tc.pwrite != ErrInvalidCount {
				sameError(t, "Pwritev", err, &os.PathError{Op: "write", Path: f.Name(), Err: tc.pwrite})
				err = errors.Unwrap(err)
			}
			want(t, "Pwritev", n, err, tc.n, tc.pwrite)
		})
	}
}

// TestFileInParallel checks that calls do not wait for each other. Each is held in
// the kernel until all are there.
func TestFileInParallel(t *testing.T) {
	const goroutines = 8
	f, file := create(t, "0123456789")
	arrived, all := make(chan bool, goroutines), make(chan bool)
	scripted.Serve(t, descriptor(t, f), func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		arrived <- true
		<-all
		return scripted.Real(op, fd, vec, off)
	})
	done := make(chan result, goroutines)
	for i := range goroutines {
		go func() {
			bufs := [][]byte{{'a'}, {'b'}}
			var r result
			if i%2 == 0 {
				r.n, r.err = file.Pwritev(bufs, int64(100+i*2))
			} else {
				r.n, r.err = file.Preadv(bufs, int64(i))
				if string(bytes.Join(bufs, nil)) != "0123456789"[i:i+2] {
					t.Errorf("read %q at %d", bufs, i)
				}
			}
			done <- r
		}()
	}
	late := time.After(10 * time.Second)
	for i := 0; i < goroutines; i++ {
		select {
		case <-arrived:
		case <-late:
			t.Errorf("only %d of %d calls are in the kernel at once", i, goroutines)
			i = goroutines
		}
	}
	close(all)
	for range goroutines {
		r := <-done
		want(t, "a call in parallel", r.n, r.err, 2, nil)
	}
}

// TestFileOfMany lets many goroutines write and read a file, each its own part, so
// that the race detector can look at it too.
func TestFileOfMany(t *testing.T) {
	const goroutines, rounds, size = 8, 50, 1000
	_, file := create(t, "")
	done := make(chan bool)
	for g := range goroutines {
		go func() {
			defer func() { done <- true }()
			at, got := int64(g*size), make([]byte, size)
			for i := range rounds {
				cut := (i*37 + g) % size
				b := pattern.Bytes(uint64(i*goroutines+g), size)
				n, err := file.Pwritev([][]byte{b[:cut], b[cut:]}, at)
				want(t, "Pwritev", n, err, size, nil)
				n, err = file.Preadv([][]byte{got[cut:], got[:cut]}, at)
				want(t, "Preadv", n, err, size, nil)
				if !bytes.Equal(got[cut:], b[:size-cut]) || !bytes.Equal(got[:cut], b[size-cut:]) {
					t.Errorf("goroutine %d, round %d: the bytes differ from those written", g, i)
				}
			}
		}()
	}
	for range goroutines {
		<-done
	}
}

// A character device is read and written if the caller asks for it, but ReaderOf
// and WriterOf do not find it.
func TestDevice(t *testing.T) {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(t, f, err)
	defer f.Close()
	n, err := WriteAll(must2(NewWriter(f))(t), make([]byte, 10), make([]byte, 10))
	want(t, "WriteAll", n, err, 20, nil)
	n, err = ReadFull(must2(NewReader(f))(t), make([]byte, 10))
	want(t, "ReadFull", n, err, 0, io.EOF)
}
