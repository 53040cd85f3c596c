package memory

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Bytes written across the end are also at the beginning, wherever the write
// begins, while the collector runs. It neither moves nor frees mappings.
func TestMirrorUnderGarbageCollection(t *testing.T) {
	for _, o := range []Options{{Mirror: true}, {Mirror: true, File: tempFile(t)}} {
		m := mustMake(t, 4*page, o)
		n := len(m.Bytes())
		var garbage [][]byte
		for start := 0; start < n; start += 1021 {
			pattern := bytes.Repeat([]byte{byte(start), byte(start >> 8), 7}, n)[:n]
			copy(m.Twice()[start:start+n], pattern)
			garbage = append(garbage[:len(garbage)/2], make([]byte, 1<<20))
			runtime.GC()
			if !bytes.Equal(m.Bytes()[start:], pattern[:n-start]) || !bytes.Equal(m.Bytes()[:start], pattern[n-start:]) {
				t.Fatalf("the bytes read at %d differ from those written", start)
			}
			if !bytes.Equal(m.Twice()[n:], m.Bytes()) {
				t.Fatal("the two mappings differ")
			}
		}
	}
}

// The pages before and after the memory cannot be accessed.
func TestGuardPages(t *testing.T) {
	m := mustMake(t, page, Options{Mirror: true})
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	begin, end := address(m.Twice()), address(m.Twice())+uintptr(len(m.Twice()))
	var before, behind bool
	for line := range strings.Lines(string(maps)) {
		before = before || strings.Contains(line, fmt.Sprintf("-%08x ---p", begin))
		behind = behind || strings.HasPrefix(line, fmt.Sprintf("%08x-", end)) && strings.Contains(line, " ---p ")
	}
	if !before || !behind {
		t.Errorf("guard before: %v, behind: %v\n%s", before, behind, maps)
	}
}

func TestHugePagesAreHad(t *testing.T) {
	enabled, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || strings.Contains(string(enabled), "[never]") {
		t.Skipf("the system has no huge pages: %s%v", enabled, err)
	}
	advised := 0
	madvise = func(b []byte, advice int) error {
		if advice == syscall.MADV_HUGEPAGE {
			advised = len(b)
		}
		return syscall.Madvise(b, advice)
	}
	defer func() { madvise = syscall.Madvise }()
	m := mustMake(t, 3*HugePage, Options{HugePages: true, Prefault: true})
	if advised != 3*HugePage {
		t.Errorf("huge pages were requested for %d bytes", advised)
	}
	if n, ok := m.Huge(); !ok || n%HugePage != 0 || n > 3*HugePage {
		t.Errorf("Huge = %d, %v", n, ok)
	} else if n == 0 {
		t.Skip("the system has no huge pages left")
	} else {
		t.Logf("%d of %d bytes lie in huge pages", n, len(m.Bytes()))
	}

	shared := mustMake(t, HugePage, Options{HugePages: true, Mirror: true, Prefault: true})
	if n, ok := shared.Huge(); !ok || n > HugePage {
		t.Errorf("Huge of mirrored memory = %d, %v", n, ok)
	}
	if n, ok := mustMake(t, HugePage, Options{}).Huge(); ok {
		t.Errorf("Huge on the heap = %d", n)
	}
}

// Huge does not report on what was mapped at the same address later.
func TestHugeAfterFree(t *testing.T) {
	m := mustMake(t, HugePage, Options{HugePages: true})
	if n, ok := m.Huge(); !ok || n != 0 {
		t.Skipf("untouched: %d, %v", n, ok)
	}
	m.Free()
	next := mustMake(t, HugePage, Options{HugePages: true, Prefault: true})
	if n, ok := m.Huge(); ok {
		t.Errorf("Huge after Free is %d", n)
	}
	if address(m.Bytes()) != address(next.Bytes()) {
		t.Skip("the memory was mapped at another address")
	}
}

func TestLockedIsLocked(t *testing.T) {
	for _, o := range []Options{{Lock: true}, {Lock: true, Mirror: true}, {Lock: true, File: tempFile(t)}} {
		m := mustMake(t, 4*page, o)
		n, ok := smaps(m.Bytes(), "Locked")
		if !ok {
			t.Skip("the system does not report locked memory")
		}
		if n != 4*page {
			t.Errorf("%+v: %d bytes are locked, want %d", o, n, 4*page)
		}
	}
}

// faults returns how many page faults of this thread f causes.
func faults(t *testing.T, f func()) int64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &before); err != nil {
		t.Fatal(err)
	}
	f()
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &after); err != nil {
		t.Fatal(err)
	}
	return int64(after.Minflt+after.Majflt) - int64(before.Minflt+before.Majflt)
}

// After Prefault touching the memory causes no page fault, with the madvise of
// Linux 5.14 and without it.
func TestPrefaulted(t *testing.T) {
	const pages = 64
	old := func(b []byte, advice int) error {
		if advice == madvPopulateWrite {
			return syscall.EINVAL
		}
		return syscall.Madvise(b, advice)
	}
	for _, advise := range []func([]byte, int) error{syscall.Madvise, old} {
		madvise = advise
		defer func() { madvise = syscall.Madvise }()
		for _, o := range []Options{{Lock: false}, {Lock: true}, {Mirror: true}, {HugePages: true}} {
			o.Prefault = true
			// The runtime may fault once by itself, but not each time.
			var n int64
			for range 5 {
				m, err := New(pages*page, o)
				if err != nil {
					t.Skip(err)
				}
				b := m.Bytes()
				if m.Twice() != nil {
					b = m.Twice()
				}
				n = faults(t, func() { touch(b) })
				m.Free()
				if n == 0 {
					break
				}
			}
			if n != 0 {
				t.Errorf("%+v: touching caused %d page faults", o, n)
			}
		}
	}
	m := mustMake(t, pages*page, Options{Mirror: true})
	if n := faults(t, func() { touch(m.Bytes()) }); n == 0 {
		t.Error("without Prefault no page fault was seen, so the test proves nothing")
	}
}
