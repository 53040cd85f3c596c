package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"time"
)

// A sample is the result of one trial.
type sample struct {
	perOp  float64       // ns
	allocs float64       // per operation
	cpu    time.Duration // user and system time per GB; 0 if unknown
	own    time.Duration // the same for the contender alone, if the suite reports it
	probe  float64       // ns of a round trip between two processors, just before

	figures []float64 // further figures, whose meaning the suite knows
}

// A cell holds all samples of one contender at one size.
type cell struct {
	contender contender
	size      int
	ops       int // in a trial
	samples   []sample
	discarded []sample // taken while the machine was in another regime
}

// A result is a measured suite.
type result struct {
	suite  suite
	procs  int // GOMAXPROCS
	trials int
	sizes  []int
	cells  [][]*cell // of each contender, at each size
	probe  float64   // the median probe
	// The number of samples, and how many of them were discarded.
	total, discarded int
	kept             bool // whether the flags say to discard none
}

// measure runs trial k of every contender at every size in a random order,
// then trial k+1, so that a change of the machine affects them all.
func measure(s suite, cfg config, procs int) (*result, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	res := &result{suite: s, procs: procs, trials: cfg.trials, sizes: cfg.sizes, kept: cfg.keep}
	if res.sizes == nil {
		res.sizes = s.sizes
	}
	cfg.procs = procs
	if cfg.duration == 0 {
		cfg.duration = cmp.Or(s.duration, 60*time.Millisecond)
	}
	var order []*cell
	for _, c := range s.contenders {
		var row []*cell
		for _, size := range res.sizes {
			row = append(row, &cell{contender: c, size: size})
		}
		res.cells = append(res.cells, row)
		order = append(order, row...)
	}
	for _, c := range order {
		if s.ops != nil {
			c.ops = max(1, s.ops(cfg, c.size))
		} else if err := c.calibrate(cfg); err != nil {
			return nil, err
		}
	}
	for range cfg.trials {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, c := range order {
			if err := c.sample(cfg); err != nil {
				return nil, err
			}
		}
	}
	res.discard()
	return res, nil
}

// calibrate determines how many operations fill a trial of the wanted duration.
func (c *cell) calibrate(cfg config) error {
	for n := 64; ; n *= 4 {
		_, took, err := c.trial(cfg, n)
		if err != nil {
			return err
		}
		if took >= cfg.duration/8 {
			c.ops = max(1, int(float64(n)*float64(cfg.duration)/float64(took)))
			return nil
		}
	}
}

func (c *cell) sample(cfg config) error {
	probe := pingPong(cfg.procs)
	s, _, err := c.trial(cfg, c.ops)
	s.probe = probe
	c.samples = append(c.samples, s)
	return err
}

// trial runs n operations.
func (c *cell) trial(cfg config, n int) (sample, time.Duration, error) {
	fail := func(err error) (sample, time.Duration, error) {
		return sample{}, 0, fmt.Errorf("%s, %d bytes: %w", c.contender.name, c.size, err)
	}
	// New pages: where they lie in the caches is luck, and a run would keep it.
	debug.FreeOSMemory()
	t, err := c.contender.prepare(cfg, c.size)
	if err != nil {
		return fail(err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := processorTime(), time.Now()
	err = t.run(n)
	took := time.Since(start)
	cpu = processorTime() - cpu
	runtime.ReadMemStats(&after)
	if err != nil {
		return fail(err)
	}
	if err := t.finish(); err != nil {
		return fail(err)
	}
	s := sample{
		perOp:  float64(took) / float64(n),
		allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
		cpu:    perGB(cpu, n*c.size),
	}
	if r, ok := t.(reporter); ok {
		r.report(&s, n)
	}
	return s, took, nil
}

// perGB scales d from a number of bytes to a GB.
func perGB(d time.Duration, bytes int) time.Duration {
	return time.Duration(float64(d) * 1e9 / float64(bytes))
}
