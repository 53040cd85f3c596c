package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// A suite is one question put to several contenders. To add one, write a file
// with a function like streams and list it in suites.
type suite struct {
	name   string
	title  string
	op     string   // what the figures are for: "chunk", "round trip"
	legend []string // what a reader must know to judge the tables

	// sizes are the numbers of bytes that one operation moves, unless a flag sets
	// others.
	sizes []int
	// oneAndTwo measures with one processor and then with two, unless a flag sets
	// the number.
	oneAndTwo bool
	// duration is roughly how long a trial takes, unless a flag sets it. 0 means 60
	// ms.
	duration time.Duration
	// ops says how many operations make a trial. Without it, a trial has as many
	// as fill its duration.
	ops func(cfg config, size int) int
	// metrics are the figures to report. Without any, the time is reported.
	metrics []metric
	// each makes a verdict name every rival, for rivals that do different things.
	each bool

	// The others are compared with the first contender.
	contenders []contender
}

// A contender is one way to do the suite's job.
type contender struct {
	name string
	ours bool
	// part marks a contender that does less than the whole job, to show where the
	// time goes. It is in the table, but cannot win.
	part bool

	// prepare makes everything that a trial needs; this is not timed. The size
	// is the bytes that one operation moves.
	prepare func(cfg config, size int) (trial, error)
}

// A trial is run once with a number of operations, then finished.
type trial interface {
	// run does n operations; it is what is timed. It checks every count and
	// every error, and enough of the bytes to notice any that are lost,
	// repeated or out of order.
	run(n int) error
	// finish makes the remaining checks and releases everything.
	finish() error
}

// A reporter is a trial that knows some figures better than the clocks around
// run, such as the processor time of other processes.
type reporter interface {
	// report corrects the sample of a run of n operations.
	report(s *sample, n int)
}

// suites returns all suites, in the order in which they run.
func suites(cfg config) []suite {
	return slices.Concat(
		// Between goroutines.
		[]suite{withRtrb(streams(), cfg), micro(), linkTrips()},
		policies(),
		memories(),
		// Connections.
		conns(),
		// Copies from end to end.
		[]suite{relays(), relayTrips(), idles(cfg), news(), bursts()},
		// Whole processes.
		[]suite{pipes(cfg), burstyPipes(cfg), latency(cfg)},
		windows(cfg),
	)
}

// choose returns the suites whose name matches one of the patterns, which are
// separated by commas, or all of them.
func choose(patterns string, cfg config) ([]suite, error) {
	all := suites(cfg)
	if patterns == "all" {
		return all, nil
	}
	wanted := make([]bool, len(all))
	for pattern := range strings.SplitSeq(patterns, ",") {
		known, found := make([]string, len(all)), false
		for i, s := range all {
			known[i] = s.name
			if ok, err := path.Match(pattern, s.name); err != nil {
				return nil, fmt.Errorf("-suite: %q: %w", pattern, err)
			} else if ok {
				wanted[i], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no suite %q: there are %s, and all", pattern, strings.Join(known, ", "))
		}
	}
	var chosen []suite
	for i, s := range all {
		if wanted[i] {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}

// only keeps the contenders whose name contains one of the words, separated by
// commas.
func (s suite) only(words string) suite {
	if words == "" {
		return s
	}
	s.contenders = slices.DeleteFunc(slices.Clone(s.contenders), func(c contender) bool {
		return !slices.ContainsFunc(strings.Split(words, ","), func(w string) bool {
			return strings.Contains(c.name, w)
		})
	})
	return s
}
