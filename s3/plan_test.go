package s3

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	const mib, gib, tib = 1 << 20, 1 << 30, 1 << 40
	for _, c := range []struct {
		name string
		l    layout
		want Plan
		err  string
	}{
		{"nothing given", layout{}, Plan{12 * mib, 4, 10_000}, ""},
		{"-m", layout{memory: 256 * mib}, Plan{51 * mib, 4, 10_000}, ""},
		{"-m that does not divide", layout{memory: 256*mib - 1}, Plan{51 * mib, 4, 10_000}, ""},
		{"the least -m", layout{memory: 10 * mib}, Plan{5 * mib, 1, 10_000}, ""},
		{"below the least -m", layout{memory: 10*mib - 1}, Plan{}, "-m 10 MiB"},
		{"-m for less depth", layout{memory: 24 * mib}, Plan{6 * mib, 3, 10_000}, ""},
		{"-m for the depth", layout{memory: 25 * mib}, Plan{5 * mib, 4, 10_000}, ""},
		{"more depth", layout{depth: 16}, Plan{5 * mib, 11, 10_000}, ""},
		{"depth 1", layout{depth: 1}, Plan{32 * mib, 1, 10_000}, ""},
		{"the largest part", layout{memory: 40 * gib}, Plan{5 * gib, 4, 10_000}, ""},
		{"a small --size", layout{size: 1}, Plan{12 * mib, 4, 10_000}, ""},
		{"--size that just fits", layout{size: 9900 * 12 * mib}, Plan{12 * mib, 4, 10_000}, ""},
		{"--size that takes less depth", layout{size: 9900*12*mib + 1}, Plan{16 * mib, 3, 10_000}, ""},
		{"--size that takes depth 1", layout{size: 9900 * 32 * mib}, Plan{32 * mib, 1, 10_000}, ""},
		{"--size that raises -m", layout{size: 9900*32*mib + 1}, Plan{33 * mib, 1, 10_000}, ""},
		{"--size beyond -m", layout{memory: 64 * mib, size: 9900*32*mib + 1}, Plan{}, "-m 66 MiB"},
		{"--size of 5 TiB", layout{size: 5 * tib}, Plan{530 * mib, 1, 10_000}, ""},
		{"--size beyond all parts", layout{size: 9900*5*gib + 1}, Plan{}, "parts of more than 5 GiB"},
		{"--max-parts", layout{maxParts: 1000, size: 990 * 12 * mib}, Plan{12 * mib, 4, 1000}, ""},
		{"--max-parts and less depth", layout{maxParts: 1000, size: 990*12*mib + 1}, Plan{16 * mib, 3, 1000}, ""},
		{"one part", layout{maxParts: 1, size: 7 * mib}, Plan{12 * mib, 4, 1}, ""},
		{"an upload's own part", layout{part: 8 * mib}, Plan{8 * mib, 4, 10_000}, ""},
		{"an upload's own odd part", layout{part: 8*mib + 1}, Plan{8*mib + 1, 4, 10_000}, ""},
		{"an upload's own large part", layout{part: 51 * mib}, Plan{51 * mib, 1, 10_000}, ""},
		{"an upload's own large part and -m", layout{part: 51 * mib, memory: 64 * mib}, Plan{}, "-m 102 MiB"},
		{"negative memory", layout{memory: -1}, Plan{}, "a memory of -1"},
		{"negative size", layout{size: -1}, Plan{}, "a size of -1"},
		{"negative depth", layout{depth: -1}, Plan{}, "a depth of -1"},
		{"no parts", layout{maxParts: -1}, Plan{}, "-1 parts"},
		{"too many parts", layout{maxParts: 10_001}, Plan{}, "10001 parts"},
	} {
		c.l.unit = mib
		got, err := c.l.plan()
		if c.err != "" {
			if !errors.Is(err, ErrOption) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if c.l.memory > 0 && got.Ring() > c.l.memory {
			t.Errorf("%s: a ring of %d", c.name, got.Ring())
		}
		if c.l.size > got.Limit() {
			t.Errorf("%s: a limit of %d", c.name, got.Limit())
		}
	}
	if n := (Plan{Part: math.MaxInt64 / 2, Depth: 1, MaxParts: 3}).Limit(); n != math.MaxInt64 {
		t.Error(n)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 1: "1 bytes", 1023: "1023 bytes", 1024: "1 KiB", 1536: "1.5 KiB", 5 << 20: "5 MiB",
		12 << 20 * 10_000: "117 GiB", 1<<20 - 1: "1023 KiB", 10<<30 - 1: "9.9 GiB", 1 << 62: "4 EiB",
	} {
		if got := size(n); got != want {
			t.Errorf("%d is %q, not %q", n, got, want)
		}
	}
}
