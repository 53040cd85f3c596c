package main

import (
	"strings"
	"testing"
	"time"
)

var begun = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// TestGauge: the rate is that of the last moments, a stall is one, and the slow
// end is the one that the other waits for.
func TestGauge(t *testing.T) {
	g := newGauge(1000_000, begun)
	var st progress
	n := int64(0)
	look := func(seconds int, each int64, filled float64) {
		for range seconds * 10 {
			n += each
			st = g.look(st.now.Add(100*time.Millisecond), n, filled, 0)
		}
	}
	st.now = begun
	look(5, 10_000, 0.9)
	if st.rate < 99_000 || st.rate > 101_000 || st.average < 99_000 || st.average > 101_000 || st.slow != "sink" || st.still != 0 {
		t.Errorf("while it moves: %+v", st)
	}
	if left, ok := st.left(st.rate); !ok || left.Round(time.Second) != 5*time.Second || st.percent() != 50 {
		t.Errorf("%v left, %v, of %+v", left, ok, st)
	}
	look(6, 0, 0)
	if st.rate != 0 || st.average < 45_000 || st.average > 46_000 || st.slow != "source" || st.still != 6*time.Second {
		t.Errorf("after a stall: %+v", st)
	}
	if _, ok := st.left(st.rate); ok {
		t.Error("what stalls has an end")
	}
	look(3, 1000, 0.5)
	if st.rate < 9_900 || st.rate > 10_100 || st.slow != "" || st.still != 0 {
		t.Errorf("after that: %+v", st)
	}
	if len(g.samples) > 25 {
		t.Errorf("%d samples are kept", len(g.samples))
	}
}

// TestOwnLine: what there is no room for is left out, the least important first.
func TestOwnLine(t *testing.T) {
	st := progress{n: 500 << 20, size: 1000 << 20, rate: 120 << 20, average: 98.5 * (1 << 20), filled: 0.75, slow: "sink"}
	idle := progress{n: 500 << 20, size: -1, average: 83 << 20, slow: "source", still: 6*time.Second + 1}
	over := progress{n: 1000 << 20, size: 1000 << 20, rate: 1, average: 1, done: true, still: time.Hour}
	for _, c := range []struct {
		columns int
		name    string
		st      progress
		want    string
	}{
		{1, "", st, ""},
		{8, "", st, " 500MiB"},
		{19, "", st, " 500MiB  120MiB/s"},
		{24, "home", st, " 500MiB  50%  120MiB/s"},
		{40, "home", st, "home:  500MiB  50%  120MiB/s 4s left"},
		{79, "", st, " 500MiB [====>    ]  50%  120MiB/s avg 98.5MiB/s ring  75% slow sink   4s left"},
		{79, "home", st, "home:  500MiB  50%  120MiB/s avg 98.5MiB/s ring  75% slow sink   4s left"},
		{199, "home", st, "home:  500MiB [===================>                  ]  50%  120MiB/s avg 98.5MiB/s ring  75% slow sink   4s left"},
		{79, "", idle, " 500MiB stalled 6s avg 83.0MiB/s ring   0% slow source"},
		{79, "", over, "0.98GiB [============================>] 100%  1.00 B/s avg  1.00 B/s ring   0%"},
	} {
		got := ownLine(c.name, c.st, c.columns)
		if strings.TrimRight(got, " ") != c.want || wide(got) > c.columns {
			t.Errorf("%d columns: %q, want %q", c.columns, got, c.want)
		}
	}
	for columns := range 250 {
		for _, st := range []progress{st, idle, over} {
			if line := ownLine("name", st, columns); wide(line) > columns {
				t.Errorf("%q is wider than %d", line, columns)
			}
		}
	}
}

func TestSizeText(t *testing.T) {
	for n, want := range map[float64]string{
		0: " 0.00 B", 9.99: " 9.99 B", 10: " 10.0 B", 999: "  999 B", 1023: " 1023 B", 1024: "1.00KiB",
		10235: "10.0KiB", 999 << 10: " 999KiB", 1000 << 10: "0.98MiB", 1 << 20: "1.00MiB", 1.5 * (1 << 30): "1.50GiB", 1 << 60: "1.00EiB",
	} {
		if got := sizeText(n); got != want {
			t.Errorf("%v is %q, want %q", n, got, want)
		}
	}
}

// TestLabel: a name is shown as the terminal can show it, and has the width that
// it takes there.
func TestLabel(t *testing.T) {
	for _, c := range []struct {
		locale, name string
		most         int
		want         string
		wide         int
	}{
		{"C", "plain", 10, "plain", 5},
		{"C", `a"b`, 10, `a"b`, 3},
		{"C", "Müller", 20, `M\u00fcller`, 11},
		{"de_DE.UTF-8", "Müller", 20, "Müller", 6},
		{"C.utf8", "日本語", 20, "日本語", 6},
		{"C.utf8", "日本語", 5, "日本", 4},
		{"C.utf8", "e\u0301a", 2, "e\u0301a", 2},
		{"C.utf8", "a\x1b[2Jb\n", 20, `a\x1b[2Jb\n`, 11},
		{"", "ü", 20, `\u00fc`, 6},
	} {
		t.Setenv("LC_ALL", "")
		t.Setenv("LC_CTYPE", "")
		t.Setenv("LANG", c.locale)
		if got := label(c.name, c.most); got != c.want || wide(got) != c.wide {
			t.Errorf("%s: %q is %q, %d wide, want %q, %d", c.locale, c.name, got, wide(got), c.want, c.wide)
		}
	}
}

// TestPvLine: the parts, in pv's order.
func TestPvLine(t *testing.T) {
	st := progress{n: 3 << 20, size: 6 << 20, elapsed: 90061 * time.Second, rate: 1 << 20, average: 1 << 20, filled: 1, now: begun}
	all := display{bar: true, timer: true, eta: true, arrival: true, rate: true, average: true, bytes: true, fill: true, name: "n"}
	over := st
	over.done, over.n = true, over.size
	for _, c := range []struct {
		d       display
		st      progress
		columns int
		want    string
	}{
		{all, st, 100, "        n: 3.00MiB {100%} 1:01:01:01 [1.00MiB/s] [1.00MiB/s] [====>   ] 50% ETA 0:00:03 ETA 03:04:08"},
		{all, st, 40, "        n: 3.00MiB {100%} 1:01:01:01"},
		{display{bytes: true}, st, 80, "3.00MiB"},
		{display{eta: true}, over, 80, "           "},
		{display{bar: true}, over, 20, "[============>] 100%"},
		{display{bar: true}, progress{size: -1, elapsed: 2 * time.Second}, 20, "[    <=>           ]"},
		{display{eta: true}, progress{size: -1}, 20, ""},
	} {
		if got := c.d.pvLine(c.st, c.columns); got != c.want && got != c.want+" " || wide(got) > c.columns {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for text, d := range map[string]display{"50": {}, "3145728": {bytes: true}, "90061.0000 50": {timer: true}} {
		if got := d.numbers(st); got != text {
			t.Errorf("%q, want %q", got, text)
		}
	}
}
