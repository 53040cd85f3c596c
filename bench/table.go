package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// busy is what a round trip between two processors, in ns, takes nowhere where
// both are ours.
const busy = 2000

// print writes the suite's tables and verdicts as Markdown.
func (r *result) print(out io.Writer, extra bool) {
	op := r.suite.op
	fmt.Fprintf(out, "\n## %s\n\n", r.suite.title)
	r.table(out, "ns per "+op+" (times the first row)", func(c *cell) string {
		return fmt.Sprintf("%s (%.2f)", figure(median(c.column(perOp))), r.ratio(c))
	})
	fmt.Fprintln(out)
	for col := range r.sizes {
		fmt.Fprintln(out, r.verdict(col))
	}
	fmt.Fprintln(out)
	for _, l := range r.suite.legend {
		fmt.Fprintf(out, "- %s\n", l)
	}
	fmt.Fprintf(out, "- Medians. A round trip between two processors took %s ns; %d of %d trials were discarded because it was off by more than twice.\n",
		figure(r.probe), r.discarded, r.total)
	if r.probe > busy {
		fmt.Fprintln(out, "- THE MACHINE WAS BUSY with something else: that round trip should take some hundred ns. Do not trust this run.")
	}
	if !extra {
		return
	}
	fmt.Fprintln(out)
	r.table(out, "quartiles, ns", func(c *cell) string {
		xs := c.column(perOp)
		return figure(quantile(xs, 0.25)) + "–" + figure(quantile(xs, 0.75))
	})
	fmt.Fprintln(out)
	r.table(out, "allocations per "+op, func(c *cell) string {
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

// ratio returns how many times as long as the first contender c took.
func (r *result) ratio(c *cell) float64 {
	for i, size := range r.sizes {
		if size == c.size {
			return median(c.column(perOp)) / median(r.cells[0][i].column(perOp))
		}
	}
	return 0
}

// verdict says who wins a column, and where the first contender, if it is
// ours, stands against the fastest rival.
func (r *result) verdict(col int) string {
	var fastest, rival *cell
	for _, row := range r.cells {
		c := row[col]
		if len(c.samples) == 0 || c.contender.part {
			continue
		}
		if fastest == nil || faster(c, fastest) {
			fastest = c
		}
		if !c.contender.ours && (rival == nil || faster(c, rival)) {
			rival = c
		}
	}
	size := sizeName(r.sizes[col])
	if fastest == nil {
		return fmt.Sprintf("- %s: all trials were discarded.", size)
	}
	s := fmt.Sprintf("- %s: %s wins.", size, fastest.contender.name)
	first := r.cells[0][col]
	if rival == nil || !first.contender.ours || len(first.samples) == 0 {
		return s
	}
	x, y := median(first.column(perOp)), median(rival.column(perOp))
	switch {
	case even(first, rival):
		s += fmt.Sprintf(" %s and the fastest rival, %s, are too close to call (%.2f).", first.contender.name, rival.contender.name, x/y)
	case x < y:
		s += fmt.Sprintf(" %s beats the fastest rival, %s, which takes %.2f times as long.", first.contender.name, rival.contender.name, y/x)
	default:
		s += fmt.Sprintf(" %s LOSES to %s and takes %.2f times as long.", first.contender.name, rival.contender.name, x/y)
	}
	return s
}

func faster(a, b *cell) bool {
	return median(a.column(perOp)) < median(b.column(perOp))
}

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
	if n >= 1<<10 && n%(1<<10) == 0 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
