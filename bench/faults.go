package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/bytering/bytering"
)

// A lifeWay is the memory of the first ring of a process.
type lifeWay struct {
	memory
	used bool // the process has used as much memory before, and the collector has freed it
}

func (w lifeWay) String() string {
	if w.used {
		return w.name + ", used before"
	}
	return w.name
}

func lifeWays(ms []memory) []lifeWay {
	var ways []lifeWay
	for _, m := range ms {
		ways = append(ways, lifeWay{m, false})
		if m.name == heap.name {
			ways = append(ways, lifeWay{m, true})
		}
	}
	return ways
}

var lifeMemories = []memory{heap, mirrored, mirrored.and(faulted), faulted, hugePages, hugePages.and(faulted), inFile}

// faults measures what it costs to touch memory for the first time, and when that
// cost is paid.
func faults() suite {
	s := suite{
		name:    "memory-faults",
		title:   "A ring is made, filled and emptied, and filled and emptied again",
		op:      "ring",
		sizes:   []int{64 << 20},
		ops:     func(config, int) int { return 1 },
		metrics: []metric{stepMs("New", 0), stepMs("the first round", 1), stepMs("the second round", 2)},
		legend: []string{
			"The column is the capacity of the ring. A round writes as much as it holds, in pieces of 64 KiB, reads it and compares every byte.",
			"Each trial is a process of its own, so that its memory is new.",
			"In the row \"used before\" the collector has freed as much memory as the ring takes, and New has to zero it.",
			"Prefault moves the faults of the first round into New. Mirrored memory is shared memory, for which huge pages are a separate setting of the system, in /sys/kernel/mm/transparent_hugepage.",
		},
	}
	if now, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled"); err == nil {
		s.legend = append(s.legend, "Huge pages on this system: "+strings.TrimSpace(string(now))+".")
	}
	found, missing := had(lifeMemories...)
	s.legend = append(s.legend, missing...)
	for _, way := range lifeWays(found) {
		s.contenders = append(s.contenders, contender{way.String(), true, false, func(cfg config, size int) (trial, error) {
			return &lived{shop: cfg.shop, name: way.String(), size: size}, nil
		}})
	}
	return s
}

// stepMs is the time of a step.
func stepMs(name string, step int) metric {
	m := tookMs("")
	m.name, m.what, m.of = "ms, "+name, ", "+name, figureOf(step)
	return m
}

// A lived is a trial of a ring in another process.
type lived struct {
	shop    *workshop
	name    string
	size    int
	figures []float64
}

// run makes one ring in the other process, whatever n is.
func (l *lived) run(int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c, err := l.shop.child([]string{self, "-life", l.name, "-sizes", strconv.Itoa(l.size)})
	if err != nil {
		return err
	}
	var said strings.Builder
	c.Stdout = &said
	if err := errors.Join(c.Start(), c.end()); err != nil {
		return err
	}
	for word := range strings.FieldsSeq(said.String()) {
		x, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return err
		}
		l.figures = append(l.figures, x)
	}
	if len(l.figures) != 3 {
		return fmt.Errorf("%q, want 3 figures", said.String())
	}
	return nil
}

func (l *lived) report(s *sample, _ int) { s.figures = l.figures }
func (l *lived) finish() error           { return nil }

// life makes a ring, uses it twice and prints the ns of New and of both rounds.
func life(name string, size int, out io.Writer) error {
	for _, way := range lifeWays(lifeMemories) {
		if way.String() != name {
			continue
		}
		r := &living{memory: way.memory, size: size, buf: make([]byte, 64<<10)}
		fill(r.buf, 0) // faults in the pages of the buffer itself
		if way.used {
			if err := errors.Join(r.begin(), r.round(), r.end()); err != nil {
				return err
			}
			r.p, r.c = nil, nil
			runtime.GC()
			runtime.GC() // finishes the sweep of the first collection
		}
		for _, step := range []func() error{r.begin, r.round, r.round} {
			start := time.Now()
			if err := step(); err != nil {
				return err
			}
			fmt.Fprintln(out, time.Since(start).Nanoseconds())
		}
		return r.end()
	}
	return fmt.Errorf("-life: no way %q", name)
}

// A living is a ring from New to Close.
type living struct {
	memory
	size int
	buf  []byte
	p    *bytering.Producer
	c    *bytering.Consumer
}

func (l *living) begin() (err error) {
	l.p, l.c, err = l.open(l.size)
	return err
}

// round fills the ring and empties it.
func (l *living) round() error {
	if err := pour(l.p, newPayload(), l.p.Cap(), len(l.buf)); err != nil {
		return err
	}
	return scoop(l.c, newPayload(), l.p.Cap(), l.buf)
}

func (l *living) end() error { return errors.Join(l.p.Close(), l.c.Close()) }
