//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package memory

import (
	"errors"
	"math"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

const readWrite = syscall.PROT_READ | syscall.PROT_WRITE

// system holds the system calls that make and end mappings, so that tests can
// refuse and count them.
var system = struct {
	mmap   func(fd int, offset int64, length, prot, flags int) ([]byte, error)
	munmap func([]byte) error
	lock   func([]byte) error
}{syscall.Mmap, syscall.Munmap, mlock}

func unmap(whole []byte) error { return system.munmap(whole) }

// probe maps size bytes and unmaps them untouched.
func probe(size int) error {
	b, err := system.mmap(-1, 0, size, readWrite, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return err
	}
	return unmap(b)
}

// A plan is the geometry of a mapping.
type plan struct {
	size  int // of the memory
	span  int // size, rounded up to pages
	total int // of all mappings of it, one after the other
	align int // of the address
	room  int // for total bytes so aligned at any address, and a page on each side
}

// plan returns the geometry for n bytes. ok is false if it is beyond an int.
func (o Options) plan(n int) (p plan, ok bool) {
	page := os.Getpagesize()
	unit, times := 1, 1
	p.align = max(page, o.Align)
	if o.Mirror {
		unit, times = max(page, sharedAlign()), 2
	}
	if o.Mirror || o.File != nil {
		p.align = max(sharedAlign(), p.align)
	}
	if o.HugePages {
		unit = HugePage // a multiple of every other
		p.align = max(HugePage, p.align)
	}
	// Rounding up adds less than a huge page, the largest unit.
	most := (math.MaxInt-page-p.align)/times - HugePage
	if n > most {
		return plan{}, false
	}
	p.size = roundUp(n, unit)
	p.span = roundUp(p.size, page)
	p.total = p.span * times
	p.room = p.total + p.align + page
	return p, true
}

// sharedAlign returns what the address of shared memory must be a multiple of where
// this package chooses it: Linux's SHMLBA, on machines whose caches are indexed by
// the virtual address. Elsewhere a page is enough, and sharedAlign returns 1.
func sharedAlign() int {
	if runtime.GOOS != "linux" && runtime.GOOS != "android" {
		return 1
	}
	switch runtime.GOARCH {
	case "arm":
		return 16 << 10
	case "loong64":
		return 64 << 10
	case "mips", "mipsle", "mips64", "mips64le":
		return 256 << 10
	}
	return 1
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

func newMapping(n int, o Options) (m *Memory, err error) {
	p, ok := o.plan(n)
	if !ok {
		return nil, noMemory(n, o.Align, nil)
	}
	if o.File != nil {
		claims.Lock()
		defer claims.Unlock()
		if err := claim(o.File); err != nil {
			return nil, err
		}
	}
	whole, area, err := place(p, o)
	if err != nil {
		return nil, err
	}
	m = &Memory{bytes: area[:p.size:p.size], whole: whole, mapped: true}
	if o.Mirror {
		m.twice = area
	}
	if err := settle(area, p, o); err != nil {
		err = errors.Join(err, m.Free())
		if o.File != nil {
			err = errors.Join(err, o.File.Truncate(0))
		}
		return nil, err
	}
	return m, nil
}

// claims is held from the check that a file is empty until it has its size. So of
// two calls that make a ring in the same file one is refused.
var claims sync.Mutex

// settle gives a new mapping the properties that o asks for. The file grows after
// it has been mapped, because the system refuses to map an unsuitable one, and
// before the memory is touched. The lock comes before the pages, because it may be
// refused.
func settle(area []byte, p plan, o Options) error {
	if o.File != nil {
		kernel.Control(o.File, inPlace)
		if err := grow(o.File, p.size); err != nil {
			return err
		}
	}
	if o.HugePages {
		wantHuge(area)
	}
	if o.Lock {
		if err := lock(area[:p.span]); err != nil {
			return err
		}
	}
	if o.Prefault {
		if err := populate(area); err != nil {
			return noMemory(p.size, o.Align, err)
		}
	}
	return nil
}

// touch makes the system provide the pages of zeroed memory one by one.
func touch(b []byte) {
	for i := 0; i < len(b); i += os.Getpagesize() {
		b[i] = 0
	}
}
