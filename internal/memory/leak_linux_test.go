package memory

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A refuser refuses one of the steps of a mapping, lets the others through, and
// records what is mapped.
type refuser struct {
	step, refused int
	mapped        map[*byte]int
}

// next reports whether the step must fail.
func (r *refuser) next() bool {
	r.step++
	return r.step == r.refused
}

var errRefused = syscall.EIO

// install puts r between this package and the system until the test ends.
func (r *refuser) install(t *testing.T) {
	saved := system
	r.mapped = map[*byte]int{}
	system.mmap = func(fd int, offset int64, length, prot, flags int) ([]byte, error) {
		if r.next() {
			return nil, errRefused
		}
		b, err := saved.mmap(fd, offset, length, prot, flags)
		if err == nil {
			r.mapped[&b[0]] = len(b)
		}
		return b, err
	}
	system.munmap = func(b []byte) error {
		if r.mapped[&b[0]] != len(b) {
			t.Errorf("%d bytes are unmapped that were not mapped as a whole", len(b))
		}
		delete(r.mapped, &b[0])
		return saved.munmap(b)
	}
	system.lock = func(b []byte) error {
		if r.next() {
			return errRefused
		}
		return saved.lock(b)
	}
	duplicate = func(from, to []byte) error {
		if r.next() {
			return errRefused
		}
		return mremap(from, to)
	}
	protect = func(b []byte, prot int) error {
		if r.next() {
			return errRefused
		}
		return syscall.Mprotect(b, prot)
	}
	madvise = func(b []byte, advice int) error {
		if advice == madvPopulateWrite && r.next() {
			return errRefused
		}
		return syscall.Madvise(b, advice)
	}
	savedAllocate := allocate
	allocate = func(fd int, at, n int64) error {
		if r.next() {
			return errRefused
		}
		return savedAllocate(fd, at, n)
	}
	t.Cleanup(func() {
		system, allocate = saved, savedAllocate
		duplicate, protect, madvise = mremap, syscall.Mprotect, syscall.Madvise
	})
}

// descriptors returns how many descriptors are open.
func descriptors(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// sharedMappings returns the lines of /proc/self/maps that name shared memory or f.
func sharedMappings(t *testing.T, f *os.File) (lines []string) {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "/dev/zero") || f != nil && strings.Contains(line, f.Name()) {
			lines = append(lines, line)
		}
	}
	return lines
}

// Whatever step the system refuses, nothing is left mapped, open or grown. After a
// success nothing is left once the memory is freed.
func TestNothingLeaks(t *testing.T) {
	cases := []Options{
		{Lock: true, Prefault: true},
		{Lock: true, Prefault: true, HugePages: true, Align: 4 * HugePage},
		{Mirror: true, Lock: true, Prefault: true},
		{Mirror: true, HugePages: true, Prefault: true},
		{File: tempFile(t), Lock: true},
		{File: tempFile(t), Mirror: true, Lock: true},
		{File: tempFile(t), Mirror: true, HugePages: true},
	}
	for _, o := range cases {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			before := descriptors(t)
			for k := 1; ; k++ {
				r := &refuser{refused: k}
				r.install(t)
				m, err := New(3*page, o)
				if err == nil && r.step >= k {
					t.Errorf("step %d was refused, but New returned no error", k)
				}
				if err != nil && r.step < k {
					t.Skip(err) // the system itself refused
				}
				if err == nil {
					if len(r.mapped) != 1 {
						t.Errorf("the memory has %d mappings, want one for all of it", len(r.mapped))
					}
					m.Free()
					if k < 3 {
						t.Errorf("only %d steps were refused, so the test proves nothing", k-1)
					}
				} else if !errors.Is(err, errRefused) ||
					!errors.Is(err, ErrNoMemory) && !errors.Is(err, ErrLock) && !errors.Is(err, ErrFile) {
					t.Errorf("step %d: the error is %v", k, err)
				}
				if len(r.mapped) != 0 {
					t.Errorf("step %d: %d mappings are left", k, len(r.mapped))
				}
				if left := sharedMappings(t, o.File); left != nil {
					t.Errorf("step %d: the mappings %q are left", k, left)
				}
				if n := descriptors(t); n != before {
					t.Errorf("step %d: %d descriptors are open, before %d", k, n, before)
				}
				if err == nil {
					return
				}
				if o.File == nil {
					continue
				}
				if info, err := o.File.Stat(); err != nil || info.Size() != 0 {
					t.Errorf("step %d: the file has %d bytes, %v", k, info.Size(), err)
				}
			}
		})
	}
}
