package memory

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestAllocIsAlignedZeroedAndClipped(t *testing.T) {
	for _, align := range []int{1, 2, 64, 512, 4096, 1 << 16, 1 << 21} {
		for _, n := range []int{1, 3, 4096, probeFrom - 1, probeFrom + 1} {
			b, err := Alloc(n, align)
			if err != nil {
				t.Fatalf("Alloc(%d, %d): %v", n, align, err)
			}
			if len(b) != n || cap(b) != n {
				t.Errorf("Alloc(%d, %d): len %d, cap %d", n, align, len(b), cap(b))
			}
			if m := Misalignment(b, align); m != 0 {
				t.Errorf("Alloc(%d, %d) is %d bytes past a multiple of the alignment", n, align, m)
			}
			for i, v := range b {
				if v != 0 {
					t.Fatalf("Alloc(%d, %d): byte %d is %d", n, align, i, v)
				}
			}
		}
	}
}

func TestAllocOfWhatCannotBeHad(t *testing.T) {
	cases := []struct{ n, align int }{
		{math.MaxInt, 2},
		{math.MaxInt - 4094, 4096},
	}
	if math.MaxInt > math.MaxInt32 {
		// A 32-bit process may really get all the memory that an int can count.
		const half = math.MaxInt / 2
		cases = append(cases, []struct{ n, align int }{{math.MaxInt, 1}, {half, 1}, {half >> 16, 1}}...)
	}
	for _, c := range cases {
		b, err := Alloc(c.n, c.align)
		if !errors.Is(err, ErrNoMemory) || b != nil {
			t.Errorf("Alloc(%d, %d) = %d bytes, %v; want ErrNoMemory", c.n, c.align, len(b), err)
		} else if got := strings.Contains(err.Error(), "aligned to"); got != (c.align > 1) {
			t.Errorf("Alloc(%d, %d): %v", c.n, c.align, err)
		}
	}
}
