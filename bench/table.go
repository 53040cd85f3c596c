package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// busy is what a round trip between two processors, in ns, takes nowhere where
// both are ours.
const busy = 2000

// print writes the suite's tables and verdicts as Markdown.
func (r *result) print(out io.Writer, extra bool) {
	fmt.Fprintf(out, "\n## %s\n\n", r.suite.title)
	metrics := r.suite.metrics
	if len(metrics) == 0 {
		metrics = []metric{took(r.suite.op)}
	}
	for _, m := range metrics {
		r.table(out, m.name+" (times the first row)", func(c *cell) string {
			return m.entry(c, r.first(c))
		})
		fmt.Fprintln(out)
	}
	for _, m := range metrics {
		for col := range r.sizes {
			if m.best == "" {
				continue
			}
			fmt.Fprintln(out, r.verdict(m, col))
		}
	}
	fmt.Fprintln(out)
	for _, l := range r.suite.legend {
		fmt.Fprintf(out, "- %s\n", l)
	}
	if r.kept {
		fmt.Fprintf(out, "- Medians of all %d trials, whatever the machine did: with -keep none is discarded. A round trip between two processors took %s ns.\n",
			r.total, figure(r.probe))
	} else {
		fmt.Fprintf(out, "- Medians. A round trip between two processors took %s ns; %d of %d trials were discarded because it was off by more than twice.\n",
			figure(r.probe), r.discarded, r.total)
	}
	if r.probe > busy {
		fmt.Fprintln(out, "- THE MACHINE WAS BUSY with something else: that round trip should take some hundred ns. Do not trust this run.")
	}
	if !extra {
		return
	}
	for _, m := range metrics {
		fmt.Fprintln(out)
		r.table(out, "quartiles, "+m.name, func(c *cell) string {
			xs := c.column(m.of)
			low, high := m.show(quantile(xs, 0.25), c.size), m.show(quantile(xs, 0.75), c.size)
			if m.rate {
				low, high = high, low
			}
			return low + "–" + high
		})
	}
	if len(r.suite.metrics) > 0 {
		return // what else there is to know it has said
	}
	fmt.Fprintln(out)
	r.table(out, "allocations per "+r.suite.op, func(c *cell) string {
		return fmt.Sprintf("%.2f", median(c.column(allocs)))
	})
	fmt.Fprintln(out)
	r.table(out, "processor seconds per GB", func(c *cell) string {
		return fmt.Sprintf("%.3g", median(c.column(cpu)))
	})
}

// table prints what show says of each cell.
func (r *result) table(out io.Writer, corner string, show func(*cell) string) {
	fmt.Fprintf(out, "| %s |", corner)
	for _, size := range r.sizes {
		fmt.Fprintf(out, " %s |", sizeName(size))
	}
	fmt.Fprintf(out, "\n| --- |%s\n", strings.Repeat(" ---: |", len(r.sizes)))
	for _, row := range r.cells {
		fmt.Fprintf(out, "| %s |", row[0].contender.name)
		for _, c := range row {
			if len(c.samples) == 0 {
				fmt.Fprint(out, " all discarded |")
				continue
			}
			fmt.Fprintf(out, " %s |", show(c))
		}
		fmt.Fprintln(out)
	}
}

// first returns the cell of the first contender in c's column.
func (r *result) first(c *cell) *cell { return r.cells[0][slices.Index(r.sizes, c.size)] }

// verdict says who wins a column, and where the first contender, if it is
// ours, stands against the best rival, or each.
func (r *result) verdict(m metric, col int) string {
	var best, bestRival *cell
	var rivals []*cell
	for _, row := range r.cells {
		c := row[col]
		if len(c.samples) == 0 || c.contender.part {
			continue
		}
		if best == nil || m.better(c, best) {
			best = c
		}
		if !c.contender.ours {
			rivals = append(rivals, c)
			if bestRival == nil || m.better(c, bestRival) {
				bestRival = c
			}
		}
	}
	size := sizeName(r.sizes[col]) + m.what
	if best == nil {
		return fmt.Sprintf("- %s: all trials were discarded.", size)
	}
	s := fmt.Sprintf("- %s: %s wins.", size, best.contender.name)
	first := r.cells[0][col]
	if bestRival == nil || !first.contender.ours || len(first.samples) == 0 {
		return s
	}
	if !r.suite.each {
		return s + " " + m.stand(first, bestRival, "the "+m.best+" rival, "+bestRival.contender.name+",")
	}
	for _, c := range rivals {
		s += " " + m.stand(first, c, c.contender.name)
	}
	return s
}

func ratio(q float64) string { return strconv.FormatFloat(q, 'f', 2, 64) }

// figure gives x three digits.
func figure(x float64) string {
	switch {
	case x < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case x < 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// sizeName names a size.
func sizeName(n int) string {
	if n >= 1<<30 && n%(1<<30) == 0 {
		return fmt.Sprintf("%d GiB", n>>30)
	}
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	if n >= 1<<10 && n%(1<<10) == 0 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
