package main

import (
	"errors"
	"io"
	"math"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestFaultyCommands checks that a trial fails if the command loses, adds or changes
// a byte.
func TestFaultyCommands(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	cfg := tiny(t)
	cfg.bytes = 100_000
	for name, script := range map[string]string{
		"loses the last":  "head -c 99999",
		"loses the first": "tail -c +2",
		"one too many":    "cat; printf x",
		"another":         "tr a b",
		"fails":           "cat; exit 1",
	} {
		bad := tool{name: name, argv: []string{"sh", "-c", script}}
		p := &pipeline{shop: cfg.shop, tool: bad, size: 1000}
		if p.checkAll(100) == nil {
			t.Errorf("hash: %s: not noticed", name)
		}
		if p.run(100) == nil && name != "another" { // dd's count does not show that a byte was changed
			t.Errorf("run: %s: not noticed", name)
		}
		b := &bursty{size: 50_000}
		var err error
		if b.x, b.w, b.r, err = open(cfg, bad); err != nil {
			t.Fatal(err)
		}
		if b.run(2) == nil {
			t.Errorf("bursty: %s: not noticed", name)
		}
		b.finish()
	}
}

// TestFaultyGreeters checks that a trial fails if the command answers with other
// bytes, or with more.
func TestFaultyGreeters(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	for name, script := range map[string]string{
		"other bytes": "echo ho; cat",
		"more":        "cat; echo x",
	} {
		g := &greeter{}
		err := g.open(tiny(t), tool{argv: []string{"sh", "-c", script}})
		if err == nil {
			err = errors.Join(g.run(2), g.finish())
		}
		if err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

// TestSilentGreeter checks that a command that answers only at the end is no fault,
// and is reported as never.
func TestSilentGreeter(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	g := &greeter{}
	err := g.open(tiny(t), tool{argv: []string{"sh", "-c", `x=$(cat); printf %s "$x"`}})
	if err == nil {
		err = errors.Join(g.run(2), g.finish())
	}
	var s sample
	g.report(&s, 2)
	if err != nil || !math.IsInf(s.perOp, 1) {
		t.Errorf("error %v, %v ns", err, s.perOp)
	}
}

// spoiled is a way that copies with a fault.
func spoiled(spoil func([]byte) []byte) way {
	return way{"spoiled", false, func(dst io.Writer, src io.Reader) (int64, error) {
		b, err := io.ReadAll(src)
		if err != nil {
			return 0, err
		}
		n := int64(len(b))
		_, err = dst.Write(spoil(b))
		return n, err
	}}
}

func TestFaultyWays(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"a lost byte":     func(b []byte) []byte { return b[:len(b)-1] },
		"one too many":    func(b []byte) []byte { return append(b, 0) },
		"another":         func(b []byte) []byte { b[77]++; return b },
		"a repeated byte": func(b []byte) []byte { b[77] = b[76] ^ b[77]; return b },
	} {
		r, err := newRelay(spoiled(spoil), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if errors.Join(r.run(20), r.finish()) == nil {
			t.Errorf("relay: %s: not noticed", name)
		}
		b, err := newBursty(spoiled(spoil), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if errors.Join(b.run(20), b.finish()) == nil {
			t.Errorf("bursty: %s: not noticed", name)
		}
	}
}

// TestPlacingFaults checks that a checker finds a wrong byte in pieces of any length.
func TestPlacingFaults(t *testing.T) {
	const size, chunks = 40, 5
	for _, whole := range []bool{true, false} {
		m := maker{chunk: make([]byte, size), whole: whole}
		m.begin(chunks)
		good, err := io.ReadAll(&m)
		if err != nil || len(good) != size*chunks {
			t.Fatalf("made %d bytes, error %v", len(good), err)
		}
		for _, piece := range []int{1, 7, 8, 39, 40, 41, 200} {
			for at := -1; at < len(good); at++ {
				b := append([]byte(nil), good...)
				seen := true
				if at >= 0 {
					b[at]++
					in := at % size
					seen = whole || in < stampSize || in >= size-stampSize
				}
				k := checker{size: size}
				if whole {
					k.want = make([]byte, size)
				}
				k.begin(chunks)
				var err error
				for rest := b; len(rest) > 0 && err == nil; rest = rest[min(piece, len(rest)):] {
					_, err = k.Write(rest[:min(piece, len(rest))])
				}
				if ok := err == errEnough; ok != (at < 0 || !seen) {
					t.Fatalf("whole %v, pieces of %d, byte %d wrong: %v", whole, piece, at, err)
				}
				if _, err := k.Write([]byte{0}); at < 0 && (err == nil || err == errEnough) {
					t.Error("a byte too many: not noticed")
				}
			}
		}
	}
}

func TestMissing(t *testing.T) {
	found, missing := tools(config{commands: []string{"nonesuch -q", "bytering -m 4M"}})
	for _, x := range found {
		if x.argv[0] == "nonesuch" {
			t.Error("what is not installed was found")
		}
	}
	if !strings.Contains(strings.Join(missing, " "), "nonesuch is not installed") {
		t.Errorf("missing: %q", missing)
	}
	if last := found[len(found)-1]; last.name != "bytering -m 4M" || !last.ours {
		t.Errorf("the last is %+v", last)
	}
}

func TestDDCount(t *testing.T) {
	if n, err := ddCount("1+0 records in\n1+0 records out\n1048576 bytes (1.0 MB, 1.0 MiB) copied, 0.1 s, 10 GB/s\n"); n != 1<<20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, said := range []string{"", "1+0 records in\n", "dd: broken"} {
		if _, err := ddCount(said); err == nil {
			t.Errorf("%q has a count", said)
		}
	}
}

func TestCalls(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil || runtime.GOOS != "linux" {
		t.Skip("no strace")
	}
	var out strings.Builder
	if err := run([]string{"-calls", "-bytes=4194304"}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| bytering -q | kept as they come |") {
		t.Errorf("the output lacks a row:\n%s", out.String())
	}
	if _, err := parseCalls("nothing"); err == nil {
		t.Error("a table without a total was accepted")
	}
}

func TestNever(t *testing.T) {
	r := measured([]float64{1e6, 1e6}, []float64{math.Inf(1), math.Inf(1)})
	r.suite.metrics = []metric{tookMs("op")}
	var out strings.Builder
	r.print(&out, nil)
	r.suite.each = true
	if s := r.verdict(took("op"), 0); !strings.Contains(s, "ours beats rival, which never answers") {
		t.Error(s)
	}
	if !strings.Contains(out.String(), "| rival | never |") || !strings.Contains(out.String(), "ours beats the fastest rival, rival, which never answers") {
		t.Error(out.String())
	}
}
