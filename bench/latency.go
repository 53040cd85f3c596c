package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"
)

const (
	greetings = 20                     // in a trial
	pause     = 2 * time.Millisecond   // before each greeting, so that X sleeps
	silence   = 500 * time.Millisecond // after this time no answer is expected
)

var greeting = []byte("hi")

// latency measures how soon a few bytes that went in come out again.
func latency(cfg config) suite {
	found, missing := tools(cfg)
	s := suite{
		name:    "latency",
		title:   "Two bytes are written to X, and read from it",
		op:      "greeting",
		sizes:   []int{len(greeting)},
		ops:     func(config, int) int { return greetings },
		metrics: []metric{tookMs("greeting")},
		each:    true,
		legend: append(missing,
			fmt.Sprintf("A trial is the median of %d greetings, each after a pause in which X falls asleep.", greetings),
			fmt.Sprintf("\"Never\" means that nothing came within %v: X waits for a full block or the end.", silence)),
	}
	for _, t := range found {
		silent := false
		s.contenders = append(s.contenders, contender{t.name, t.ours, false, func(cfg config, size int) (trial, error) {
			g := &greeter{silent: silent}
			if silent {
				return g, nil
			}
			err := g.open(cfg, t)
			silent = g.silent
			return g, err
		}})
	}
	return s
}

// A greeter is a process between two pipes.
type greeter struct {
	x      *child
	w, r   *os.File
	took   []float64
	silent bool
}

func (g *greeter) open(cfg config, t tool) error {
	var err error
	if g.x, g.w, g.r, err = open(cfg, t); err != nil {
		return err
	}
	// The first greeting takes longer, because X is still starting.
	_, err = g.greet()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		g.silent = true
		err = g.finish()
	}
	return err
}

// open starts a tool and returns the ends of its pipes.
func open(cfg config, t tool) (x *child, w, r *os.File, err error) {
	if x, err = cfg.shop.child(t.argv); err != nil {
		return nil, nil, nil, err
	}
	in, w, err := sizedPipe(t.pipe)
	if err != nil {
		return nil, nil, nil, err
	}
	r, out, err := sizedPipe(t.pipe)
	if err != nil {
		return nil, nil, nil, err
	}
	x.Stdin, x.Stdout = in, out
	return x, w, r, start(x)
}

// greet sends a greeting and waits for it.
func (g *greeter) greet() (time.Duration, error) {
	start := time.Now()
	if err := writeChunk(g.w, greeting); err != nil {
		return 0, err
	}
	g.r.SetReadDeadline(start.Add(silence))
	got := make([]byte, len(greeting))
	if err := readChunk(g.r, got); err != nil {
		return 0, err
	}
	if string(got) != string(greeting) {
		return 0, fmt.Errorf("%q came out, want %q", got, greeting)
	}
	return time.Since(start), nil
}

func (g *greeter) run(n int) error {
	for range n {
		if g.silent {
			break
		}
		time.Sleep(pause)
		d, err := g.greet()
		if err != nil {
			return err
		}
		g.took = append(g.took, float64(d))
	}
	return nil
}

func (g *greeter) report(s *sample, _ int) {
	s.perOp = median(g.took)
	if g.silent {
		s.perOp = math.Inf(1)
	}
}

// finish checks that nothing more comes, except the answer to a greeting that was
// reported as never.
func (g *greeter) finish() error {
	if g.x == nil {
		return nil
	}
	defer g.r.Close()
	g.w.Close()
	g.r.SetReadDeadline(time.Now().Add(patience))
	rest, err := io.ReadAll(g.r)
	want := 0
	if g.silent {
		want = len(greeting)
	}
	if len(rest) != want {
		err = errors.Join(err, fmt.Errorf("after the end: %q", rest))
	}
	err = errors.Join(err, g.x.end())
	g.x = nil
	return err
}
