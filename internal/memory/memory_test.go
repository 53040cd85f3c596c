package memory

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

var page = os.Getpagesize()

// tempFile returns an empty file that is open for reading and writing.
func tempFile(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "ring"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// mustMake is New, but skips the test if this system lacks an option or does not
// allow it to this process.
func mustMake(t *testing.T, n int, o Options) *Memory {
	t.Helper()
	m, err := New(n, o)
	switch {
	case errors.Is(err, errors.ErrUnsupported) && runtime.GOOS != "linux", o.Lock && errors.Is(err, ErrLock):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Free(); err != nil {
			t.Errorf("Free: %v", err)
		}
	})
	return m
}

// wantSize returns how many bytes of memory Options promises for n bytes.
func wantSize(n int, o Options) int {
	switch {
	case o.HugePages:
		return roundTo(n, HugePage)
	case o.Mirror:
		unit := page
		if more, ok := map[string]int{"arm": 16 << 10, "loong64": 64 << 10}[runtime.GOARCH]; ok {
			unit = max(unit, more)
		} else if strings.HasPrefix(runtime.GOARCH, "mips") {
			unit = max(unit, 256<<10)
		}
		return roundTo(n, unit)
	}
	return n
}

func roundTo(n, to int) int {
	if n%to != 0 {
		n += to - n%to
	}
	return n
}

// check compares new memory with what was asked for.
func check(t *testing.T, m *Memory, n int, o Options) {
	t.Helper()
	b := m.Bytes()
	if len(b) != wantSize(n, o) || cap(b) != len(b) {
		t.Errorf("Bytes has len %d, cap %d, want %d", len(b), cap(b), wantSize(n, o))
	}
	align := max(1, o.Align)
	if o.HugePages {
		align = max(align, HugePage)
	}
	if k := Misalignment(b, align); k != 0 {
		t.Errorf("Bytes is %d bytes past a multiple of %d", k, align)
	}
	for i, v := range b {
		if v != 0 {
			t.Fatalf("byte %d is %d", i, v)
		}
	}
	mapped := o.Map || o.Mirror || o.HugePages || o.Lock || o.Prefault || o.File != nil
	if m.Mapped() != mapped {
		t.Errorf("Mapped is %v", m.Mapped())
	}
	twice := m.Twice()
	if !o.Mirror {
		if twice != nil {
			t.Errorf("Twice has %d bytes without Mirror", len(twice))
		}
		twice = b
	} else if len(twice) != 2*len(b) || cap(twice) != len(twice) || &twice[0] != &b[0] {
		t.Errorf("Twice has len %d, cap %d", len(twice), cap(twice))
	}
	for _, i := range []int{0, len(b) / 2, len(b) - 1, len(twice) - 1} {
		twice[i]++
		if b[i%len(b)] != twice[i] || twice[i] == 0 {
			t.Errorf("byte %d is %d after a write, its other address has %d", i, twice[i], b[i%len(b)])
		}
	}
}

// All options can be combined, except a file with Prefault.
func TestOptionsCombine(t *testing.T) {
	for bits := range 1 << 5 {
		for _, align := range []int{0, 64, page, 1 << 18, 4 * HugePage} {
			o := Options{Align: align, Mirror: bits&1 != 0, HugePages: bits&2 != 0, Lock: bits&4 != 0, Prefault: bits&8 != 0}
			name := fmt.Sprintf("%+v", o)
			t.Run(strings.Replace(name, "File:<nil>", fmt.Sprint("File:", bits&16 != 0), 1), func(t *testing.T) {
				if bits&16 != 0 {
					o.File = tempFile(t)
				}
				const n = 12345
				if o.File != nil && o.Prefault {
					if m, err := New(n, o); !errors.Is(err, ErrInvalid) || m != nil {
						t.Errorf("New: %v, want ErrInvalid", err)
					}
					return
				}
				check(t, mustMake(t, n, o), n, o)
			})
		}
	}
}

func TestSizes(t *testing.T) {
	for _, o := range []Options{{}, {Map: true}, {Mirror: true}, {HugePages: true}, {Prefault: true}, {Mirror: true, HugePages: true}} {
		for _, n := range []int{1, page - 1, page, page + 1, HugePage - 1, HugePage, HugePage + 1, 20 << 20} {
			t.Run(fmt.Sprintf("%d %+v", n, o), func(t *testing.T) { check(t, mustMake(t, n, o), n, o) })
		}
	}
}

func TestWhatCannotBeHad(t *testing.T) {
	type impossible struct {
		n    int
		o    Options
		want error
	}
	cases := []impossible{
		{0, Options{}, ErrInvalid},
		{-1, Options{Mirror: true}, ErrInvalid},
		{math.MinInt, Options{HugePages: true}, ErrInvalid},
		{1, Options{Align: 3}, ErrInvalid},
		{1, Options{Align: -4, Mirror: true}, ErrInvalid},
		{1, Options{Align: math.MinInt, Lock: true}, ErrInvalid},
		{math.MaxInt, Options{Align: 2}, ErrNoMemory},
		{math.MaxInt / 2, Options{Mirror: true}, ErrNoMemory},
		{math.MaxInt/2 + 1, Options{Mirror: true, HugePages: true}, ErrNoMemory},
	}
	for _, o := range []Options{{Map: true}, {Mirror: true}, {HugePages: true}, {Lock: true}, {Prefault: true}, {Mirror: true, HugePages: true}} {
		cases = append(cases, impossible{math.MaxInt, o, ErrNoMemory}, impossible{math.MaxInt - page, o, ErrNoMemory})
		if math.MaxInt > math.MaxInt32 {
			// More memory than any machine has, but less than its addresses.
			cases = append(cases, impossible{math.MaxInt >> 18, o, ErrNoMemory})
		}
		o.Align = math.MaxInt/2 + 1
		cases = append(cases, impossible{math.MaxInt / 2, o, ErrNoMemory})
	}
	for _, c := range cases {
		m, err := New(c.n, c.o)
		if runtime.GOOS != "linux" && errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if !errors.Is(err, c.want) || m != nil {
			t.Errorf("New(%d, %+v): %v, want %v", c.n, c.o, err, c.want)
		} else if c.want == ErrNoMemory && strings.Contains(err.Error(), "aligned to") != (c.o.Align > 1) {
			t.Errorf("New(%d, %+v): %v, which does not name exactly the alignment that was asked for", c.n, c.o, err)
		} else if strings.Count(err.Error(), "bytering: ") != 1 {
			t.Errorf("New(%d, %+v): %v, which does not name the package once", c.n, c.o, err)
		}
	}
}

func TestFreeOnce(t *testing.T) {
	for _, o := range []Options{{}, {Align: 64}, {Prefault: true}, {Mirror: true}} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			m := mustMake(t, page, o)
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					m.Huge()
					if err := m.Free(); err != nil {
						t.Errorf("Free: %v", err)
					}
				})
			}
			wg.Wait()
			if n, ok := m.Huge(); ok {
				t.Errorf("Huge after Free is %d", n)
			}
		})
	}
}
