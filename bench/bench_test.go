package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// TestLinks sends bytes in pieces of every length through every link, and compares
// all of them.
func TestLinks(t *testing.T) {
	for _, l := range links() {
		t.Run(l.name, func(t *testing.T) {
			const capacity = 1000 // not a power of two
			w, r, err := l.open(capacity)
			if err != nil {
				t.Fatal(err)
			}
			want := make([]byte, 200_000)
			fill(want, 1)
			written := make(chan error, 1)
			go func() {
				rng := rand.New(rand.NewPCG(1, 2))
				for rest := want; len(rest) > 0; {
					n := min(1+rng.IntN(capacity), len(rest))
					if err := writeChunk(w, rest[:n]); err != nil {
						w.Close()
						written <- err
						return
					}
					rest = rest[n:]
				}
				written <- w.Close()
			}()
			rng := rand.New(rand.NewPCG(3, 4))
			var got []byte
			for {
				b := make([]byte, 1+rng.IntN(capacity))
				n, err := r.Read(b)
				got = append(got, b[:n]...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := <-written; err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got %d bytes, want %d, or they differ", len(got), len(want))
			}
		})
	}
}

// TestLinksBuffer writes as much as the capacity before anything is read. io.Pipe
// holds nothing.
func TestLinksBuffer(t *testing.T) {
	for _, l := range links() {
		if !l.holds() {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			const capacity = 4096
			w, r, err := l.open(capacity)
			if err != nil {
				t.Fatal(err)
			}
			if err := writeChunk(w, make([]byte, capacity)); err != nil {
				t.Fatal(err)
			}
			if err := readChunk(r, make([]byte, capacity)); err != nil {
				t.Fatal(err)
			}
			if err := (&stream{w: w, r: r, in: make([]byte, 1)}).finish(); err != nil {
				t.Error(err)
			}
		})
	}
}

// tiny returns a configuration for one short trial of anything.
func tiny(t *testing.T) config {
	cfg, err := parse([]string{"-bytes=300000", "-capacity=1024", "-procs=2"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cfg.shop.close)
	return cfg
}

// TestMain lets the test binary run as the command, for trials that start it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-life" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestSuites runs a short trial of every contender of every suite.
func TestSuites(t *testing.T) {
	cfg := tiny(t)
	for _, s := range suites(cfg) {
		if len(s.sizes) == 0 {
			t.Errorf("suite %s has no sizes of its own", s.name)
		}
		sizes := []int{8, 15, 16, 100, 1 << 10}
		if len(s.metrics) > 0 {
			sizes = []int{1000, 64 << 10} // system calls take the time, not copying
		}
		if s.name == "latency" || strings.HasPrefix(s.name, "window") {
			sizes = s.sizes
		}
		for _, c := range s.contenders {
			for _, size := range sizes {
				c := &cell{contender: c, size: size}
				n := 500
				if strings.HasPrefix(s.name, "policy-") {
					n = 50 // sixteen pairs that spin are slow
				}
				if s.ops != nil {
					n = max(1, s.ops(cfg, size))
				}
				sample, _, err := c.trial(cfg, n)
				if err != nil {
					t.Errorf("%s: %v", s.name, err)
				}
				for _, m := range s.metrics {
					if x := m.of(sample); x < 0 || x == 0 && m.best != "" {
						t.Errorf("%s, %s: %s is %v", s.name, c.contender.name, m.name, m.of(sample))
					}
				}
			}
		}
	}
}

// A faulty link spoils the nth chunk that passes.
type faulty struct {
	io.WriteCloser
	n     int
	spoil func([]byte)
}

func (f *faulty) Write(b []byte) (int, error) {
	if f.n--; f.n == 0 {
		b = bytes.Clone(b) // b may be the payload that all contenders share
		f.spoil(b)
	}
	return f.WriteCloser.Write(b)
}

func TestFaultsAreFound(t *testing.T) {
	const size, capacity = 64, 128
	preamble := 2 * capacity / size
	for name, f := range map[string]faulty{
		"a byte of the preamble":   {n: 2, spoil: func(b []byte) { b[30]++ }},
		"the beginning of a chunk": {n: preamble + 5, spoil: func(b []byte) { b[0]++ }},
		"the end of a chunk":       {n: preamble + 5, spoil: func(b []byte) { b[size-1]++ }},
		"a repeated chunk":         {n: preamble + 5, spoil: func(b []byte) { stamp(b, 3) }},
	} {
		l := link{name: "faulty", open: func(capacity int) (io.WriteCloser, io.Reader, error) {
			w, r, err := openParking(capacity)
			f.WriteCloser = w
			return &f, r, err
		}}
		s, err := newStream(l, capacity, size)
		if err == nil {
			err = s.run(100)
		}
		if err == nil {
			t.Errorf("%s went unnoticed", name)
		}
	}

	// A byte is left over at the end.
	s, err := newStream(links()[0], capacity, size)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeChunk(s.w, []byte{1}); err != nil {
		t.Fatal(err)
	}
	if s.finish() == nil {
		t.Error("a byte left over went unnoticed")
	}
}

func TestCounts(t *testing.T) {
	for _, n := range []int{-1, 0, 9} {
		if readChunk(liar(n), make([]byte, 8)) == nil {
			t.Errorf("a reader's count of %d for 8 bytes went unnoticed", n)
		}
		if writeChunk(liar(n), make([]byte, 8)) == nil {
			t.Errorf("a writer's count of %d for 8 bytes went unnoticed", n)
		}
	}
}

type liar int

func (l liar) Read([]byte) (int, error)  { return int(l), nil }
func (l liar) Write([]byte) (int, error) { return int(l), nil }

func TestQuantile(t *testing.T) {
	for _, test := range []struct {
		xs      []float64
		q, want float64
	}{
		{nil, 0.5, 0},
		{[]float64{7}, 0.25, 7},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 3, 2}, 0.5, 2.5},
		{[]float64{5, 4, 3, 2, 1}, 0.25, 2},
		{[]float64{5, 4, 3, 2, 1}, 1, 5},
	} {
		if got := quantile(test.xs, test.q); got != test.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", test.xs, test.q, got, test.want)
		}
	}
}

func TestDiscard(t *testing.T) {
	r := measured([]float64{1, 1, 1}, []float64{2, 2, 2})
	r.cells[0][0].samples[1].probe = 201
	r.cells[1][0].samples[2].probe = 49
	r.discard()
	if r.total != 6 || r.discarded != 2 || r.probe != 100 {
		t.Errorf("discarded %d of %d at a median of %v, want 2 of 6 at 100", r.discarded, r.total, r.probe)
	}
	if len(r.cells[0][0].samples) != 2 || len(r.cells[1][0].samples) != 2 {
		t.Error("the wrong samples were discarded")
	}
	r = measured([]float64{1, 1, 1}, []float64{2, 2, 2})
	r.cells[0][0].samples[1].probe, r.kept = 201, true
	if r.discard(); r.discarded != 0 || len(r.cells[0][0].samples) != 3 {
		t.Error("a sample was discarded where all are kept")
	}
	// With one processor there are no probes.
	if !sameRegime(0, 0) {
		t.Error("a trial without a probe is discarded")
	}
}

// measured returns a result of two contenders, ours and a rival.
func measured(ours, rival []float64) *result {
	r := &result{
		suite: suite{title: "T", op: "op"},
		sizes: []int{8},
		cells: [][]*cell{
			{{contender: contender{name: "ours", ours: true}, size: 8}},
			{{contender: contender{name: "rival"}, size: 8}},
		},
	}
	for i, xs := range [][]float64{ours, rival} {
		for _, x := range xs {
			r.cells[i][0].samples = append(r.cells[i][0].samples, sample{perOp: x, probe: 100})
		}
	}
	return r
}

func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		ours, rival []float64
		want        string
	}{
		{[]float64{10, 11}, []float64{20, 21}, "ours beats the fastest rival, rival, which takes 1.95 times"},
		{[]float64{20, 21}, []float64{10, 11}, "ours LOSES to rival and takes 1.95 times"},
		{[]float64{10, 20}, []float64{11, 18}, "too close to call"},
		{nil, []float64{1}, "- 8 B: rival wins."},
		{nil, nil, "all trials were discarded"},
	} {
		r := measured(test.ours, test.rival)
		if got := r.verdict(took("op"), 0); !strings.Contains(got, test.want) {
			t.Errorf("verdict of %v and %v: %q, want %q", test.ours, test.rival, got, test.want)
		}
		var out strings.Builder
		r.print(&out, nil) // print must cope with the same result
		if !strings.Contains(out.String(), "| rival |") {
			t.Errorf("the table lacks a row:\n%s", out.String())
		}
	}
}

func TestProbe(t *testing.T) {
	if got := pingPong(1); got != 0 {
		t.Errorf("pingPong(1) = %v", got)
	}
	if got := pingPong(2); got <= 0 || got > float64(time.Second) {
		t.Errorf("pingPong(2) = %v", got)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range []string{"-sizes=7", "-sizes=x", "-capacity=0", "-bytes=0", "-x=", "-trials=0", "-procs=-1", "-duration=-1s", "stray"} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("parse(%q) found nothing wrong", args)
		}
	}
	for _, args := range []string{"-life=nonesuch -sizes=4096", "-life=heap", "-life=heap -sizes=8,16", "-rtrb=nonesuch -only=rtrb"} {
		if err := run(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("run(%q) found nothing wrong", args)
		}
	}
	for _, pattern := range []string{"nonesuch", "stream,none*", "[", ""} {
		if _, err := choose(pattern, tiny(t)); err == nil {
			t.Errorf("choose(%q) found nothing wrong", pattern)
		}
	}
	chosen, err := choose("latency,conns*,conns", tiny(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range chosen {
		names = append(names, s.name)
	}
	if got, want := strings.Join(names, " "), "conns conns-busy conns-trip conns-http conns-http8 conns-grpc latency"; got != want {
		t.Errorf("chosen: %s, want %s", got, want)
	}
	var out strings.Builder
	err = run(strings.Fields("-suite=stream,micro -only=bufconn,Write -sizes=8,64 -trials=2 -duration=1ms -procs=2"), &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| grpc bufconn |", "| bytering Write/Read |", "wins", "(2 processors)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}
