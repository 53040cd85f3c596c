package main

import (
	"fmt"
	"slices"
	"strings"
)

// A suite is one question put to several contenders. To add one, write a file
// that has a function like streams and name it in suites.
type suite struct {
	name   string
	title  string
	op     string   // what the figures are for: "chunk", "round trip"
	legend []string // what a reader must know to judge the tables

	// sizes are those without the flag, in bytes that one operation moves.
	sizes []int
	// ops says how many operations make a trial. Without it they are as many
	// as take the wanted time.
	ops func(cfg config, size int) int
	// metrics are what is reported; without any, the time.
	metrics []metric
	// each makes a verdict name every rival, where they differ in what they do.
	each bool

	// The first contender is what the others are compared with.
	contenders []contender
}

// A contender is one way to do the suite's job.
type contender struct {
	name string
	ours bool
	// part is for one that does less than the whole job, and shows where the
	// time goes. It is in the table, but cannot win.
	part bool

	// prepare makes everything that a trial needs, outside of the timing. The
	// size is the bytes that one operation moves.
	prepare func(cfg config, size int) (trial, error)
}

// A trial is run once with a number of operations, then finished.
type trial interface {
	// run does n operations. This is what is timed. It checks every count and
	// every error, and enough of the bytes to notice any that are lost,
	// repeated or out of order.
	run(n int) error
	// finish checks what is left to check, and gives everything back.
	finish() error
}

// A reporter is a trial that knows some figures better than the clocks around
// run do, such as the processor time of other processes.
type reporter interface {
	// report corrects the sample of a run of n operations.
	report(s *sample, n int)
}

// suites returns all there are, in the order in which they run.
func suites(cfg config) []suite {
	return slices.Concat(
		[]suite{streams(), micro()}, // in memory
		policies(),
		memories(),
		conns(),
		[]suite{relays(), idles(cfg), news(), bursts()},     // pump
		[]suite{pipes(cfg), burstyPipes(cfg), latency(cfg)}, // the command
	)
}

// choose returns the suites that are named, separated by commas, or all.
func choose(names string, cfg config) ([]suite, error) {
	all := suites(cfg)
	if names == "all" {
		return all, nil
	}
	var chosen []suite
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(s suite) bool { return s.name == name })
		if i < 0 {
			var known []string
			for _, s := range all {
				known = append(known, s.name)
			}
			return nil, fmt.Errorf("no suite %q: there are %s, and all", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
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
