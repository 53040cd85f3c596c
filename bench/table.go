package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// busy is the time of a round trip between two processors, in ns, that is exceeded
// only if other processes use them.
const busy = 2000

// reported returns the metrics of a suite.
func (r *result) reported() []metric {
	if len(r.suite.metrics) > 0 {
		return r.suite.metrics
	}
	return []metric{took(r.suite.op)}
}

// heading names the suite, and how many processors it had.
func (r *result) heading() string {
	if r.procs == 1 {
		return r.suite.title + " (1 processor)"
	}
	return fmt.Sprintf("%s (%d processors)", r.suite.title, r.procs)
}

// print writes the suite's tables and verdicts as Markdown. If picture is not
// nil, it returns the picture of a metric's table, or "".
func (r *result) print(out io.Writer, picture func(i int) string) {
	fmt.Fprintf(out, "\n## %s\n\n", r.heading())
	metrics := r.reported()
	for i, m := range metrics {
		r.table(out, m.name+" (times the first row)", func(c *cell) string {
			return m.entry(c, r.first(c))
		})
		fmt.Fprintln(out)
		if picture != nil {
			if p := picture(i); p != "" {
				fmt.Fprintf(out, "%s\n\n", p)
			}
		}
	}
	for _, m := range metrics {
		if m.best == "" {
			continue
		}
		for col := range r.sizes {
			fmt.Fprintln(out, r.verdict(m, col))
		}
	}
	fmt.Fprintln(out)
	for _, l := range r.suite.legend {
		fmt.Fprintf(out, "- %s\n", l)
	}
	fmt.Fprintf(out, "- Medians of %d trials.", r.trials)
	if r.probe > 0 {
		fmt.Fprintf(out, " A round trip between two processors took %s ns;", figure(r.probe))
		if r.kept {
			fmt.Fprint(out, " with -keep no trial was discarded for it.")
		} else {
			fmt.Fprintf(out, " %d of all %d trials were discarded because it was off by more than a factor of two.", r.discarded, r.total)
		}
	}
	fmt.Fprintln(out)
	if r.probe > busy {
		fmt.Fprintln(out, "- THE MACHINE WAS BUSY with something else: that round trip should take some hundred ns. Do not trust this run.")
	}
}

// table writes a table of what show returns for each cell.
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

// column returns the cells of a column that have samples and can win, and those
// of them that are rivals.
func (r *result) column(col int) (all, rivals []*cell) {
	for _, row := range r.cells {
		c := row[col]
		if len(c.samples) == 0 || c.contender.part {
			continue
		}
		all = append(all, c)
		if !c.contender.ours {
			rivals = append(rivals, c)
		}
	}
	return all, rivals
}

// verdict returns which contender wins a column, and how the first contender, if it
// is ours, compares with the best rival or with each.
func (r *result) verdict(m metric, col int) string {
	all, rivals := r.column(col)
	size := sizeName(r.sizes[col]) + m.what
	if len(all) == 0 {
		return fmt.Sprintf("- %s: all trials were discarded.", size)
	}
	s := fmt.Sprintf("- %s: %s wins.", size, m.winner(all).contender.name)
	first, rival := r.cells[0][col], m.winner(rivals)
	if rival == nil || !first.contender.ours || len(first.samples) == 0 {
		return s
	}
	if !r.suite.each {
		return s + " " + m.stand(first, rival, "the "+m.best+" rival, "+rival.contender.name+",")
	}
	for _, c := range rivals {
		s += " " + m.stand(first, c, c.contender.name)
	}
	return s
}

func ratio(q float64) string { return strconv.FormatFloat(q, 'f', 2, 64) }

// figure formats x with three digits.
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
