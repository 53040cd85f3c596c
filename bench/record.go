package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A record is one run as -json keeps it: the machine, and every trial,
// including the discarded ones.
type record struct {
	Machine machine   `json:"machine"`
	Results []*result `json:"results"`
}

// save writes r to a file.
func (r *record) save(path string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	// Each suite, contender and cell gets a line, so that a diff can be read.
	for _, head := range []string{`{"suite"`, `{"name"`, `{"size"`} {
		b = bytes.ReplaceAll(b, []byte(head), []byte("\n"+head))
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// load reads a record. The metrics of a suite are taken from the suite of the same
// name.
func load(path string, cfg config) (*record, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	all := suites(cfg)
	for _, res := range r.Results {
		i := slices.IndexFunc(all, func(s suite) bool { return s.name == res.suite.name })
		if i < 0 {
			return nil, fmt.Errorf("%s: no suite %q", path, res.suite.name)
		}
		res.suite.metrics, res.suite.each = all[i].metrics, all[i].each
		res.discard()
	}
	return r, nil
}

type (
	resultJSON struct {
		Suite      string          `json:"suite"`
		Title      string          `json:"title"`
		Op         string          `json:"op"`
		Legend     []string        `json:"legend"`
		Procs      int             `json:"procs"`
		Trials     int             `json:"trials"`
		Keep       bool            `json:"keep,omitempty"`
		Sizes      []int           `json:"sizes"`
		Contenders []contenderJSON `json:"contenders"`
	}
	contenderJSON struct {
		Name  string     `json:"name"`
		Ours  bool       `json:"ours,omitempty"`
		Part  bool       `json:"part,omitempty"`
		Cells []cellJSON `json:"cells"`
	}
	// A cellJSON has a number for each trial in each of its lists.
	cellJSON struct {
		Size    int       `json:"size"`
		Ops     int       `json:"ops"`
		Ns      numbers   `json:"ns"`
		Allocs  numbers   `json:"allocs,omitempty"`
		CPU     numbers   `json:"cpu,omitempty"` // seconds per GB
		Own     numbers   `json:"own,omitempty"` // likewise, of the contender alone
		Probe   numbers   `json:"probe,omitempty"`
		Figures []numbers `json:"figures,omitempty"`
	}
)

func (r *result) MarshalJSON() ([]byte, error) {
	j := resultJSON{r.suite.name, r.suite.title, r.suite.op, r.suite.legend, r.procs, r.trials, r.kept, r.sizes, nil}
	for _, row := range r.cells {
		c := contenderJSON{row[0].contender.name, row[0].contender.ours, row[0].contender.part, nil}
		for _, cell := range row {
			c.Cells = append(c.Cells, cell.json())
		}
		j.Contenders = append(j.Contenders, c)
	}
	return json.Marshal(j)
}

func (c *cell) json() cellJSON {
	all := &cell{samples: slices.Concat(c.samples, c.discarded)}
	j := cellJSON{Size: c.size, Ops: c.ops, Ns: all.column(perOp)}
	for list, figure := range map[*numbers]func(sample) float64{
		&j.Allocs: allocs, &j.CPU: cpu, &j.Own: own, &j.Probe: func(s sample) float64 { return s.probe },
	} {
		xs := all.column(figure)
		if slices.ContainsFunc(xs, func(x float64) bool { return x != 0 }) {
			*list = xs
		}
	}
	if len(all.samples) > 0 {
		for i := range all.samples[0].figures {
			j.Figures = append(j.Figures, all.column(figureOf(i)))
		}
	}
	return j
}

func (r *result) UnmarshalJSON(b []byte) error {
	var j resultJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*r = result{
		suite: suite{name: j.Suite, title: j.Title, op: j.Op, legend: j.Legend},
		procs: j.Procs, trials: j.Trials, kept: j.Keep, sizes: j.Sizes,
	}
	for _, c := range j.Contenders {
		r.suite.contenders = append(r.suite.contenders, contender{name: c.Name, ours: c.Ours, part: c.Part})
		var row []*cell
		for _, cell := range c.Cells {
			row = append(row, cell.cell(r.suite.contenders[len(r.suite.contenders)-1]))
		}
		if len(row) != len(r.sizes) || len(row) == 0 {
			return fmt.Errorf("%s, %s: %d cells for %d sizes", j.Suite, c.Name, len(row), len(r.sizes))
		}
		r.cells = append(r.cells, row)
	}
	return nil
}

func (j cellJSON) cell(of contender) *cell {
	c := &cell{contender: of, size: j.Size, ops: j.Ops}
	for i := range j.Ns {
		s := sample{
			perOp: j.Ns[i], allocs: j.Allocs.at(i), probe: j.Probe.at(i),
			cpu: seconds(j.CPU.at(i)), own: seconds(j.Own.at(i)),
		}
		for _, xs := range j.Figures {
			s.figures = append(s.figures, xs.at(i))
		}
		c.samples = append(c.samples, s)
	}
	return c
}

func seconds(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }

// numbers are floats in JSON with four digits. Infinity, which JSON lacks, is null.
type numbers []float64

// at returns the number of trial i, or 0 in a list that was left out.
func (ns numbers) at(i int) float64 {
	if i >= len(ns) {
		return 0
	}
	return ns[i]
}

func (ns numbers) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, x := range ns {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsInf(x, 1) {
			b = append(b, "null"...)
		} else {
			short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
			if err != nil {
				return nil, err
			}
			b = strconv.AppendFloat(b, short, 'f', -1, 64)
		}
	}
	return append(b, ']'), nil
}

func (ns *numbers) UnmarshalJSON(b []byte) error {
	var xs []*float64
	if err := json.Unmarshal(b, &xs); err != nil {
		return err
	}
	*ns = make(numbers, len(xs))
	for i, x := range xs {
		if (*ns)[i] = math.Inf(1); x != nil {
			(*ns)[i] = *x
		}
	}
	return nil
}

// lines writes the trials that were kept in the format of go test -bench, one
// line each, which benchstat reads. The names are those of the Go benchmarks.
func (r *record) lines(out io.Writer) {
	for _, res := range r.Results {
		for _, row := range res.cells {
			for _, c := range row {
				for _, s := range c.samples {
					if math.IsInf(s.perOp, 1) {
						continue
					}
					fmt.Fprintf(out, "Benchmark%s/%s-%d %d %g ns/op\n", goName(res.suite.name), c.name(), res.procs, c.ops, s.perOp)
				}
			}
		}
	}
}

// goName is the name of a suite as Go writes one: conns-trip is ConnsTrip.
func goName(name string) string {
	var s strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		s.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return s.String()
}

// name returns the name of a cell among the benchmarks of a suite. A slash would
// make two levels of it.
func (c *cell) name() string {
	return strings.NewReplacer("/", "+", " ", "_").Replace(c.contender.name) + "/size=" + strconv.Itoa(c.size)
}
