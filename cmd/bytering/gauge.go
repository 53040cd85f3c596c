package main

import (
	"time"
)

// momentary is the time over which the current rate is measured.
const momentary = 2 * time.Second

// A gauge computes rates from samples of a transfer.
type gauge struct {
	size    int64
	samples []sample // of the last moments, the oldest first
	still   sample   // the last one of which it had moved on
	first   time.Time
}

// A sample is the state of a transfer at one time.
type sample struct {
	at     time.Time
	n      int64 // bytes that were written
	filled float64
}

// A progress is what a line shows.
type progress struct {
	n, size       int64 // size is -1 where it is not known
	elapsed       time.Duration
	rate, average float64 // bytes a second
	filled        float64 // the part of the ring that is full
	slow          string  // which end the other one waits for, or ""
	still         time.Duration
	block         int64         // the offset of the one that the source is waited for
	blockAge      time.Duration // for how long that is under way
	now           time.Time
	done          bool
}

func newGauge(size int64, begin time.Time) *gauge {
	zero := sample{at: begin}
	return &gauge{size: size, samples: []sample{zero}, still: zero, first: begin}
}

// look takes a sample and returns the progress. The current rate is that over
// momentary, or over window if that is longer.
func (g *gauge) look(now time.Time, n int64, filled float64, window time.Duration) progress {
	s := sample{now, n, filled}
	if n > g.still.n {
		g.still = s
	}
	g.samples = append(g.samples, s)
	for len(g.samples) > 2 && now.Sub(g.samples[1].at) >= max(window, momentary) {
		g.samples = g.samples[1:]
	}
	from := g.samples[0]
	st := progress{
		n: n, size: g.size, now: now, filled: filled, elapsed: now.Sub(g.first), still: now.Sub(g.still.at),
		rate:    perSecond(n-from.n, now.Sub(from.at)),
		average: perSecond(n, now.Sub(g.first)),
	}
	mean := 0.0
	for _, s := range g.samples[1:] {
		mean += s.filled / float64(len(g.samples)-1)
	}
	// An end is slow only if the other one waits for it.
	switch {
	case mean >= 2.0/3:
		st.slow = "sink"
	case mean <= 1.0/3:
		st.slow = "source"
	}
	return st
}

func perSecond(n int64, d time.Duration) float64 {
	return float64(n) / max(d.Seconds(), 1e-9)
}

// left returns how long the rest takes at the rate, if the size is known.
func (st *progress) left(rate float64) (time.Duration, bool) {
	if st.size <= st.n || rate <= 0 {
		return 0, false
	}
	const most = 1e6 * 3600 // seconds, for which no line has room
	return time.Duration(min(float64(st.size-st.n)/rate, most) * float64(time.Second)), true
}

// percent returns how much of the size was written, in percent.
func (st *progress) percent() int64 {
	if st.size <= 0 {
		return 100
	}
	return int64(float64(st.n) * 100 / float64(st.size))
}
