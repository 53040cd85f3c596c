package main

import (
	"fmt"
	"math"
	"strings"
)

// A metric is one figure of the samples that a suite reports. The smaller figure is
// the better one, even if its value is then shown as a rate.
type metric struct {
	name string
	of   func(sample) float64
	// value converts a figure to what the name says. If value is nil the figure is
	// shown as it is.
	value func(x float64, size int) float64
	// rate marks values of which more are better.
	rate bool
	// what precedes a verdict; best and much are words in it. Without best there is
	// no verdict.
	what, best, much string
}

// took is the time of an operation.
func took(op string) metric {
	return metric{name: "ns per " + op, of: perOp, best: "fastest", much: "long"}
}

// tookMs is took in milliseconds.
func tookMs(op string) metric {
	m := took(op)
	m.name = "ms per " + op
	m.value = func(x float64, _ int) float64 { return x / 1e6 }
	return m
}

// throughput is took, shown in GB/s.
func throughput() metric {
	m := took("")
	m.name, m.rate = "GB/s", true
	m.value = func(x float64, size int) float64 { return float64(size) / x }
	return m
}

// processor is the processor time in a field of the samples.
func processor(whose string, of func(sample) float64) metric {
	return metric{
		name: "processor seconds per GB, " + whose, of: of,
		what: ", processor time, " + whose, best: "cheapest", much: "much",
	}
}

// allocated is the number of allocations of an operation. It has no verdict.
func allocated(op string) metric { return metric{name: "allocations per " + op, of: allocs} }

// mid is the median of a cell.
func (m metric) mid(c *cell) float64 { return median(c.column(m.of)) }

func (m metric) better(a, b *cell) bool { return m.mid(a) < m.mid(b) }

// winner returns the best cell, or nil if there are none.
func (m metric) winner(cells []*cell) (best *cell) {
	for _, c := range cells {
		if best == nil || m.better(c, best) {
			best = c
		}
	}
	return best
}

// shown returns the value of a figure.
func (m metric) shown(x float64, size int) float64 {
	if m.value == nil {
		return x
	}
	return m.value(x, size)
}

// even reports whether two cells are too close to call: the middle half of the
// samples of one overlaps that of the other, or the medians differ by less than
// 3 %, which the placement of the code in memory alone can cause.
func (m metric) even(a, b *cell) bool {
	x, y := a.column(m.of), b.column(m.of)
	if q := median(x) / median(y); q > 0.97 && q < 1.03 {
		return true
	}
	return quantile(x, 0.25) <= quantile(y, 0.75) && quantile(y, 0.25) <= quantile(x, 0.75)
}

// entry returns a cell as the table shows it. A rival is marked with what it
// means for ours.
func (m metric) entry(c, first *cell) string {
	x := m.mid(c)
	if math.IsInf(x, 1) {
		return "never"
	}
	s := figure(m.shown(x, c.size))
	if len(first.samples) == 0 || m.mid(first) == 0 {
		return s
	}
	q := x / m.mid(first)
	if m.rate {
		q = 1 / q
	}
	return s + " (" + ratio(q) + m.mark(c, first) + ")"
}

// Marks of a rival's cell.
const (
	markWin  = " ▲"
	markLoss = " ▼"
	markEven = " ="
)

func (m metric) mark(c, first *cell) string {
	switch {
	case m.best == "" || c.contender.ours || c.contender.part || !first.contender.ours:
		return ""
	case m.even(first, c):
		return markEven
	case m.better(first, c):
		return markWin
	}
	return markLoss
}

// stand returns how ours compares with a rival. The title is the rival's name,
// perhaps between "the fastest rival" and a comma.
func (m metric) stand(ours, rival *cell, title string) string {
	x, y, name := m.mid(ours), m.mid(rival), ours.contender.name
	switch {
	case m.even(ours, rival):
		return fmt.Sprintf("%s and %s are too close to call (%s).", name, title, ratio(x/y))
	case math.IsInf(y, 1):
		return fmt.Sprintf("%s beats %s, which never answers.", name, strings.TrimSuffix(title, ","))
	case x < y:
		return fmt.Sprintf("%s beats %s, which takes %s times as %s.", name, strings.TrimSuffix(title, ","), ratio(y/x), m.much)
	}
	return fmt.Sprintf("%s LOSES to %s and takes %s times as %s.", name, rival.contender.name, ratio(x/y), m.much)
}
