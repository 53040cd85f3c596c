package main

import (
	"bytes"
	"encoding/xml"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestRecord checks that -json keeps what was measured to four digits, including the
// discarded trials.
func TestRecord(t *testing.T) {
	r := measured([]float64{1.23456, 2, 3}, []float64{10, math.Inf(1), 30})
	r.suite.name, r.suite.legend = "stream", []string{"a legend"}
	r.suite.contenders = []contender{r.cells[0][0].contender, r.cells[1][0].contender}
	r.procs, r.trials = 2, 3
	r.cells[0][0].samples[1].probe = 1000
	r.cells[1][0].samples[0].figures = []float64{7, 8}
	r.cells[1][0].samples[1].figures = []float64{9, 10}
	r.cells[1][0].samples[2].figures = []float64{11, 12}
	r.cells[1][0].samples[2].own = 5e6
	r.discard()

	path := filepath.Join(t.TempDir(), "r.json")
	if err := (&record{Machine: machine{Go: "go1"}, Results: []*result{r}}).save(path); err != nil {
		t.Fatal(err)
	}
	got, err := load(path, tiny(t))
	if err != nil {
		t.Fatal(err)
	}
	if got.Machine.Go != "go1" {
		t.Errorf("machine %+v", got.Machine)
	}
	want := *r
	want.cells[0][0].samples[0].perOp = 1.235
	got.Results[0].suite.metrics, got.Results[0].suite.each = nil, false
	if !reflect.DeepEqual(*got.Results[0], want) {
		t.Errorf("got %+v\nwant %+v", *got.Results[0], want)
	}

	var lines strings.Builder
	got.lines(&lines)
	if want := "BenchmarkStream/ours/size=8-2 0 1.235 ns/op\n" +
		"BenchmarkStream/ours/size=8-2 0 3 ns/op\n" +
		"BenchmarkStream/rival/size=8-2 0 10 ns/op\n" +
		"BenchmarkStream/rival/size=8-2 0 30 ns/op\n"; lines.String() != want {
		t.Errorf("lines\n%swant\n%s", lines.String(), want)
	}
}

func TestRecordFaults(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":          "{",
		"an unknown suite": `{"results":[{"suite":"nonesuch"}]}`,
		"a missing cell":   `{"results":[{"suite":"stream","sizes":[8,64],"contenders":[{"name":"x","cells":[{"size":8,"ns":[1]}]}]}]}`,
	} {
		path := filepath.Join(t.TempDir(), "r.json")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := load(path, tiny(t)); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

// TestPage checks that the page and the figures in README.md match the kept
// results.
func TestPage(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := pages(dir, tiny(t))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Error(err)
		}
		// On another processor the last digit of a coordinate may differ.
		if filepath.Ext(path) == ".md" && !bytes.Equal(got, want) {
			t.Errorf("%s is not what go run ./bench -report makes of %s", path, resultsDir)
		}
	}
	links := regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(string(files[pagePath]), -1)
	for _, link := range links {
		if path := filepath.Join(filepath.Dir(pagePath), link[1]); files[path] == nil {
			if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
				t.Error(err)
			}
		}
	}
	headings := regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(string(files[pagePath]), -1)
	for _, h := range headings {
		if !strings.Contains(string(files[pagePath]), "](#"+anchor(h[1])+")") {
			t.Errorf("no link to %q", h[1])
		}
	}
}

// TestPictures checks that a plot is XML and names every contender, and that its
// colors stand out against a white page and a dark one.
func TestPictures(t *testing.T) {
	wide := measured([]float64{10, 11, 12}, []float64{20, 21, 22})
	for _, row := range wide.cells {
		for _, size := range []int{64, 512} {
			row = append(row, &cell{contender: row[0].contender, size: size, samples: row[0].samples})
		}
		wide.cells[slices.Index([]string{"ours", "rival"}, row[0].contender.name)] = row
	}
	wide.sizes = []int{8, 64, 512}
	for name, r := range map[string]*result{
		"lines": wide,
		"dots":  measured([]float64{10, 11, 12}, []float64{20, 21, 22}),
		"never": measured([]float64{10, 11, 12}, []float64{20, math.Inf(1), math.Inf(1)}),
	} {
		svg, err := r.plotOf(took("op"))
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Contains(svg, []byte(">ours<")) || name != "never" && !bytes.Contains(svg, []byte(">rival<")) {
			t.Errorf("%s: lacks a name:\n%s", name, svg)
		}
		if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
			t.Errorf("%s: a coordinate is not a number:\n%s", name, svg)
		}
		seen := regexp.MustCompile(`(?i)#[0-9a-f]{6}`).FindAllString(string(svg), -1)
		if len(seen) < 3 {
			t.Errorf("%s: the plot has only the colors %v", name, seen)
		}
	}
	if svg, err := measured([]float64{0, 0}, []float64{0, 0}).plotOf(allocated("op")); svg != nil || err != nil {
		t.Errorf("a plot of zeros: %q, error %v", svg, err)
	}
	for _, c := range slices.Concat(oursColors, rivalColors, []color.RGBA{ink}) {
		for _, page := range []color.RGBA{{0xff, 0xff, 0xff, 0xff}, {0x0d, 0x11, 0x17, 0xff}} {
			// WCAG asks for a contrast of 3 where there is no small text. The ink is
			// for text.
			want := 3.0
			if c == ink {
				want = 4.3
			}
			if got := contrast(c, page); got < want {
				t.Errorf("%v has a contrast of %.2f against %v, want %v", c, got, page, want)
			}
		}
	}
}

// contrast returns the contrast ratio of WCAG 2.
func contrast(a, b color.RGBA) float64 {
	luminance := func(c color.RGBA) float64 {
		var sum float64
		for i, v := range []uint8{c.R, c.G, c.B} {
			x := float64(v) / 255
			if x <= 0.04045 {
				x /= 12.92
			} else {
				x = math.Pow((x+0.055)/1.055, 2.4)
			}
			sum += x * []float64{0.2126, 0.7152, 0.0722}[i]
		}
		return sum
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestMarks checks that a rival gets the mark that fits its result.
func TestMarks(t *testing.T) {
	for _, test := range []struct {
		ours, rival []float64
		want        string
	}{
		{[]float64{10, 11}, []float64{20, 21}, markWin},
		{[]float64{20, 21}, []float64{10, 11}, markLoss},
		{[]float64{10, 20}, []float64{11, 18}, markEven},
	} {
		r := measured(test.ours, test.rival)
		for _, m := range []metric{took("op"), throughput()} {
			if got := m.entry(r.cells[1][0], r.cells[0][0]); !strings.HasSuffix(got, test.want+")") {
				t.Errorf("%s: %v and %v: entry %q, want mark %q", m.name, test.ours, test.rival, got, test.want)
			}
		}
		line, err := r.headline(headline{what: "it", size: 8, rival: "rival"})
		if want := map[string]string{markWin: "**wins**, 1.95 ×", markLoss: "**loses**, 1.95 ×", markEven: "too close"}[test.want]; err != nil || !strings.Contains(line, want) {
			t.Errorf("headline %q, error %v, want %q", line, err, want)
		}
	}
	if _, err := measured([]float64{1}, []float64{2}).headline(headline{size: 8, rival: "none"}); err == nil {
		t.Error("a headline without its rival: not noticed")
	}
	line, err := measured([]float64{1}, nil).headline(headline{size: 8, rival: "rival"})
	if err != nil || !strings.Contains(line, "discarded") {
		t.Errorf("headline %q of no samples, error %v", line, err)
	}
}
