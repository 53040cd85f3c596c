package main

import "slices"

// quantile returns the value below which the fraction q of xs lies, interpolated
// between two of them. It returns 0 if xs is empty.
func quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	xs = slices.Sorted(slices.Values(xs))
	at := q * float64(len(xs)-1)
	i := int(at)
	if i+1 == len(xs) || xs[i+1] == xs[i] || at == float64(i) {
		return xs[i] // the sum below would not be a number if one of them is infinite
	}
	return xs[i] + (at-float64(i))*(xs[i+1]-xs[i])
}

func median(xs []float64) float64 { return quantile(xs, 0.5) }

// sameRegime reports whether a probe differs from the median by a factor of two
// at most.
func sameRegime(probe, median float64) bool {
	return probe <= 2*median && probe >= median/2
}

// discard sets aside the samples that were taken while the machine was in another
// regime, unless all are kept.
func (r *result) discard() {
	var probes []float64
	for _, row := range r.cells {
		for _, c := range row {
			for _, s := range c.samples {
				probes = append(probes, s.probe)
			}
		}
	}
	r.total, r.probe = len(probes), median(probes)
	for _, row := range r.cells {
		for _, c := range row {
			var kept []sample
			for _, s := range c.samples {
				if r.kept || sameRegime(s.probe, r.probe) {
					kept = append(kept, s)
				} else {
					c.discarded = append(c.discarded, s)
				}
			}
			c.samples = kept
			r.discarded += len(c.discarded)
		}
	}
}

// column returns one figure of every sample.
func (c *cell) column(figure func(sample) float64) []float64 {
	xs := make([]float64, len(c.samples))
	for i, s := range c.samples {
		xs[i] = figure(s)
	}
	return xs
}

func perOp(s sample) float64  { return s.perOp }
func allocs(s sample) float64 { return s.allocs }
func cpu(s sample) float64    { return s.cpu.Seconds() }
func own(s sample) float64    { return s.own.Seconds() }

// figureOf returns the function for one of the suite's own figures.
func figureOf(i int) func(sample) float64 {
	return func(s sample) float64 { return s.figures[i] }
}
