package main

import (
	"fmt"
	"math"
	"strings"
)

// A metric is one figure of the samples that a suite reports. Less is better,
// however it is shown.
type metric struct {
	name string
	of   func(sample) float64
	// show is how a figure is shown; rate, that it is as bytes per that figure,
	// of which more is better.
	show func(x float64, size int) string
	rate bool
	// what goes before a verdict; best and much are its words. Without them
	// there is none.
	what, best, much string
}

// took is the time of an operation.
func took(op string) metric {
	return metric{
		name: "ns per " + op, of: perOp, best: "fastest", much: "long",
		show: func(x float64, _ int) string { return figure(x) },
	}
}

// tookMs is took in milliseconds.
func tookMs(op string) metric {
	m := took(op)
	m.name = "ms per " + op
	m.show = func(x float64, _ int) string { return figure(x / 1e6) }
	return m
}

// throughput is took, shown as what it comes to.
func throughput() metric {
	m := took("")
	m.name, m.rate = "GB/s", true
	m.show = func(x float64, size int) string { return figure(float64(size) / x) }
	return m
}

// processor is the processor time of whatever a sample's field covers.
func processor(whose string, of func(sample) float64) metric {
	return metric{
		name: "processor seconds per GB, " + whose, of: of,
		show: func(x float64, _ int) string { return figure(x) },
		what: ", processor time, " + whose, best: "cheapest", much: "much",
	}
}

// mid is the median of a cell.
func (m metric) mid(c *cell) float64 { return median(c.column(m.of)) }

func (m metric) better(a, b *cell) bool { return m.mid(a) < m.mid(b) }

// even tells whether two cells are too close to call: the middle half of the
// samples of one overlaps that of the other, or they differ by less than 3 %,
// which where the code lies in memory can do.
func (m metric) even(a, b *cell) bool {
	x, y := a.column(m.of), b.column(m.of)
	if q := median(x) / median(y); q > 0.97 && q < 1.03 {
		return true
	}
	return quantile(x, 0.25) <= quantile(y, 0.75) && quantile(y, 0.25) <= quantile(x, 0.75)
}

// entry is a cell as the table has it.
func (m metric) entry(c, first *cell) string {
	x := m.mid(c)
	if math.IsInf(x, 1) {
		return "never"
	}
	s := m.show(x, c.size)
	if len(first.samples) == 0 || m.mid(first) == 0 {
		return s
	}
	q := x / m.mid(first)
	if m.rate {
		q = 1 / q
	}
	return s + " (" + ratio(q) + ")"
}

// stand says where ours stands against a rival. The title is the rival's name,
// with "the fastest rival" before it and a comma after it where it is that.
func (m metric) stand(ours, rival *cell, title string) string {
	x, y, name := m.mid(ours), m.mid(rival), ours.contender.name
	switch {
	case m.even(ours, rival):
		return fmt.Sprintf("%s and %s are too close to call (%s).", name, title, ratio(x/y))
	case math.IsInf(y, 1):
		return fmt.Sprintf("%s beats %s, which never comes.", name, strings.TrimSuffix(title, ","))
	case x < y:
		return fmt.Sprintf("%s beats %s, which takes %s times as %s.", name, strings.TrimSuffix(title, ","), ratio(y/x), m.much)
	}
	return fmt.Sprintf("%s LOSES to %s and takes %s times as %s.", name, rival.contender.name, ratio(x/y), m.much)
}
