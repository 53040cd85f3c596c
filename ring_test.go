package bytering

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// sizes are capacities on both sides of every limit that could matter.
var sizes = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 31, 33, 63, 65, 100}

func TestNewRefuses(t *testing.T) {
	cases := []struct {
		capacity, consumers int
		opts                []Option
		err                 error
		value               int
	}{
		{0, 1, nil, ErrInvalidCapacity, 0},
		{-1, 1, nil, ErrInvalidCapacity, -1},
		{math.MinInt, 1, nil, ErrInvalidCapacity, math.MinInt},
		{8, 1, []Option{Align(0)}, ErrInvalidAlignment, 0},
		{8, 1, []Option{Align(3)}, ErrInvalidAlignment, 3},
		{8, 1, []Option{Align(-8)}, ErrInvalidAlignment, -8},
		{8, 1, []Option{Align(math.MinInt)}, ErrInvalidAlignment, math.MinInt},
		{8, 1, []Option{Align(8), Align(6)}, ErrInvalidAlignment, 6},
		{8, 0, nil, ErrInvalidConsumers, 0},
		{8, -1, nil, ErrInvalidConsumers, -1},
		{8, math.MaxInt, nil, ErrInvalidConsumers, math.MaxInt},
	}
	if strconv.IntSize == 64 {
		// A 32-bit process may really get all the memory that an int can count.
		limit := uint64(maxCapacity)
		for _, c := range []struct {
			capacity int
			err      error
		}{
			{math.MaxInt, ErrInvalidCapacity},
			{int(limit) + 1, ErrInvalidCapacity},
			{int(limit), ErrNoMemory},
		} {
			cases = append(cases, cases[0])
			last := &cases[len(cases)-1]
			last.capacity, last.err, last.value = c.capacity, c.err, c.capacity
		}
	}
	for _, tc := range cases {
		check := func(what string, err error, got bool) {
			if !errors.Is(err, tc.err) || !strings.Contains(err.Error(), strconv.Itoa(tc.value)) {
				t.Errorf("%s of %d to %d: %v; want %v with %d in it", what, tc.capacity, tc.consumers, err, tc.err, tc.value)
			}
			if tc.err == ErrInvalidCapacity && !strings.HasSuffix(err.Error(), "not within 1 to 1<<61") {
				t.Errorf("%s of %d to %d: %v, which does not name the limits", what, tc.capacity, tc.consumers, err)
			}
			if got {
				t.Errorf("%s of %d to %d returns halves with its error", what, tc.capacity, tc.consumers)
			}
		}
		p, cs, err := NewBroadcast(tc.capacity, tc.consumers, tc.opts...)
		check("NewBroadcast", err, p != nil || cs != nil)
		if tc.consumers == 1 {
			p, c, err := New(tc.capacity, tc.opts...)
			check("New", err, p != nil || c != nil)
		}
	}
}

func TestMemoryIsAlignedZeroedAndClipped(t *testing.T) {
	for _, align := range []int{1, 2, 8, 64, 512, 4096, 1 << 16} {
		for _, capacity := range []int{1, 7, 8, 4095, 4096, 1<<20 + 1} {
			p, c := pair(t, capacity, Align(align))
			a, b := p.Slices()
			if len(a) != capacity || cap(a) != capacity || b != nil {
				t.Errorf("capacity %d: the empty space is %d (cap %d) and %d bytes", capacity, len(a), cap(a), len(b))
			}
			if at := reflect.ValueOf(a).Pointer(); at%uintptr(align) != 0 {
				t.Errorf("capacity %d: memory at %#x, want a multiple of %d", capacity, at, align)
			}
			for i, v := range a {
				if v != 0 {
					t.Fatalf("capacity %d: byte %d is %d", capacity, i, v)
				}
			}
			if p.Cap() != capacity || c.Cap() != capacity {
				t.Errorf("Cap is %d and %d, want %d", p.Cap(), c.Cap(), capacity)
			}
			state(t, p, c, 0, nil, nil)
		}
	}
}

// For every capacity, offset and filled count, the slices are those in the picture
// in doc.go.
func TestGeometry(t *testing.T) {
	for _, capacity := range sizes {
		for off := range capacity {
			for n := 0; n <= capacity; n++ {
				p, c := at(t, capacity, off, n)
				base := &p.ring.mem[0]
				lies := func(what string, b []byte, from, n int) {
					if len(b) != n || cap(b) != n {
						t.Fatalf("capacity %d, %d bytes at %d: %s is %d (cap %d) bytes, want %d", capacity, n, off, what, len(b), cap(b), n)
					}
					if n > 0 && reflect.ValueOf(&b[0]).Pointer() != reflect.ValueOf(base).Pointer()+uintptr(from) {
						t.Fatalf("capacity %d, %d bytes at %d: %s is not at %d", capacity, n, off, what, from)
					}
				}
				first := min(n, capacity-off)
				a, b := c.Slices()
				lies("filled a", a, off, first)
				lies("filled b", b, 0, n-first)
				if err := errors.Join(checkStream(a, uint64(off)), checkStream(b, uint64(off+first))); err != nil {
					t.Fatal(err)
				}
				from, free := (off+n)%capacity, capacity-n
				first = min(free, capacity-from)
				a, b = p.Slices()
				lies("empty a", a, from, first)
				lies("empty b", b, 0, free-first)
				state(t, p, c, n, nil, nil)
			}
		}
	}
}

// A cursor wraps at 1<<63 without effect, and so does one that passes the middle,
// where a signed comparison would change.
func TestCursorsComeRound(t *testing.T) {
	for _, border := range []uint64{1 << 63, 1 << 62, 1 << 61} {
		for _, capacity := range []int{1, 2, 3, 7, 8, 10, 16, 17, 64, 100} {
			for _, before := range []int{1, 2, capacity, capacity + 1, 2*capacity - 1} {
				start := border - uint64(before)
				p, c := pair(t, capacity, startAt(start))
				if p.Position() != start || c.Position() != start {
					t.Fatalf("positions %d and %d, want %d", p.Position(), c.Position(), start)
				}
				moved := 0
				buf := make([]byte, capacity)
				for step := 1; moved < 5*capacity; step = step%capacity + 1 {
					fill(t, p, step)
					state(t, p, c, step, nil, nil)
					n, err := c.TryRead(buf)
					want(t, "TryRead", n, err, step, nil)
					if err := checkStream(buf[:n], start+uint64(moved)); err != nil {
						t.Fatalf("capacity %d from %d: %v", capacity, start, err)
					}
					moved += n
				}
				if pos := (start + uint64(moved)) & cursorMask; p.Position() != pos || c.Position() != pos {
					t.Errorf("positions %d and %d after %d bytes, want %d", p.Position(), c.Position(), moved, pos)
				}
			}
		}
	}
}

// The closed bit does not change the count, wherever the cursor is.
func TestCloseWhileCursorsComeRound(t *testing.T) {
	for _, capacity := range []int{1, 3, 8} {
		for before := range uint64(capacity + 2) {
			p, c := pair(t, capacity, startAt((1<<63-before)&cursorMask))
			fill(t, p, capacity)
			wrote := stream(c.Position(), capacity)
			p.Close()
			state(t, p, c, capacity, io.ErrClosedPipe, nil)
			drain(t, c, wrote, io.EOF)
			state(t, p, c, 0, io.ErrClosedPipe, io.EOF)
			c.Close()
			state(t, p, c, 0, io.ErrClosedPipe, io.ErrClosedPipe)
		}
	}
}

// Two cursors that a third goroutine loads one after the other may be further apart
// than they ever were, or the wrong way round.
func TestFilledIsBroughtIntoRange(t *testing.T) {
	p, _ := pair(t, 8)
	for _, tc := range []struct {
		read, write uint64
		want        int
	}{
		{5, 5, 0}, {5, 9, 4}, {5, 13, 8}, {5, 14, 8}, {5, 1000, 8}, {6, 5, 0}, {1000, 5, 0},
		{1<<63 - 3, 2, 5}, {2, 1<<63 - 3, 0}, {1<<63 - 3, 100, 8},
	} {
		if got := p.ring.filled(tc.read, tc.write); got != tc.want {
			t.Errorf("filled(%d, %d) is %d, want %d", tc.read, tc.write, got, tc.want)
		}
	}
}

// A closed consumer may fall behind by more than an int holds on 32-bit systems.
func TestFilledIsInRange(t *testing.T) {
	p, _ := pair(t, 100)
	for _, far := range []uint64{0, 1, 99, 100, 101, 1<<31 - 1, 1 << 31, 1<<31 + 7, 1 << 32, 1<<33 + 1, 1 << 61} {
		for _, read := range []uint64{0, 1<<63 - 1} {
			want := int(min(far, 100))
			if got := p.ring.filled(read, (read+far)&cursorMask); got != want {
				t.Errorf("filled from %d over %d bytes is %d, want %d", read, far, got, want)
			}
		}
	}
}

// SlicesAtLeast uses what the half has seen if that is enough. Otherwise it looks
// at the other half.
func TestSlicesAtLeast(t *testing.T) {
	for _, tc := range []struct {
		seen, there, n, want int // for either half
	}{
		{0, 0, 0, 0}, {0, 0, 5, 0}, {0, 5, 0, 0}, {0, 5, 1, 5}, {0, 5, 8, 5},
		{3, 5, 0, 3}, {3, 5, 3, 3}, {3, 5, 4, 5}, {3, 8, 8, 8}, {8, 8, 8, 8},
	} {
		for off := range 8 {
			p, c := at(t, 8, off, 0)
			fill(t, p, tc.seen)
			c.Slices()
			fill(t, p, tc.there-tc.seen)
			a, b, err := c.SlicesAtLeast(tc.n)
			want(t, "consumer's SlicesAtLeast", len(a)+len(b), err, tc.want, nil)
			if bad := checkStream(append(bytes.Clone(a), b...), c.Position()); bad != nil {
				t.Error(bad)
			}
			c.Discard(tc.want)

			p, c = at(t, 8, off, 8)
			c.Discard(tc.seen)
			p.Slices()
			c.Discard(tc.there - tc.seen)
			a, b, err = p.SlicesAtLeast(tc.n)
			want(t, "producer's SlicesAtLeast", len(a)+len(b), err, tc.want, nil)
			if cap(a) != len(a) || cap(b) != len(b) {
				t.Error("the slices are not clipped")
			}
			// What Slices handed out before counts too.
			want(t, "Commit", 0, p.Commit(max(tc.want, tc.seen)), 0, nil)
		}
	}
	p, c := at(t, 8, 0, 4)
	for _, n := range []int{-1, 9} {
		_, _, err := p.SlicesAtLeast(n)
		want(t, "producer's SlicesAtLeast", 0, err, 0, ErrRange)
		_, _, err = c.SlicesAtLeast(n)
		want(t, "consumer's SlicesAtLeast", 0, err, 0, ErrRange)
	}
	c.Close()
	a, _, _ := c.SlicesAtLeast(1)
	b, _, _ := p.SlicesAtLeast(1)
	want(t, "SlicesAtLeast after the end", len(a)+len(b), nil, 0, nil)
}

// TestMutantsOfTests runs the tests against the defects that the explorer does not
// find.
func TestMutantsOfTests(t *testing.T) {
	mutants.Skip(t)
	mutants.Run(t, mutants.Read(t, "testdata/mutants/tests.txt"), mutants.Tests,
		"-failfast", "-timeout=20s", "-run", "Spinning|ShortPath|AtLeast|Large|Inside|Reset|Commit|Panics|Fuzz|EmptySpace|Faults|Limits|OneFree|Spill|Space|Whole|NoSpill|EmptyMessage|KeepsWhat|Outlive|Yield|NoSpin|Processors|FallBehind|Trails|Claim|Unmapping|AfterTheConsumersClose", ".")
}

// The text of an exported error starts with the name of its package.
func TestErrorsNameTheirPackage(t *testing.T) {
	for _, err := range []error{
		ErrInvalidCapacity, ErrRange, ErrInvalidAlignment, ErrInvalidConsumers, ErrInvalidReset,
		ErrNoMemory, ErrInvalidMemory, ErrLock, ErrFile,
	} {
		if !strings.HasPrefix(err.Error(), "bytering: ") {
			t.Errorf("%q does not start with the name of its package", err)
		}
	}
	if says := ErrInvalidCount.Error(); !strings.HasPrefix(says, "vectored: ") {
		t.Errorf("%q does not start with the name of its package", says)
	}
}
