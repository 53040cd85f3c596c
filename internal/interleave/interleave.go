// Package interleave runs concurrent code over all its interleavings.
//
// A scenario builds a small world and declares threads. The threads are
// coroutines: each hands control to the scheduler before every operation on a
// [Uint64], [Uint32], [Int32], [Pointer] or [Token], and before every announced
// access to memory. Only the order of these points can differ, because nothing
// else runs between two of them. The scheduler walks all orders depth-first: it
// runs the scenario again and again, each time with a different last decision.
//
// Operations are sequentially consistent, as Go's are, so for code without races
// these are all executions. Freedom from races is checked, not assumed: vector
// clocks track which operation happens before which, and an access to memory that
// is not ordered after a conflicting one is a failure.
//
// A preemption is a switch away from a thread that could go on. A bound on
// preemptions makes larger scenarios affordable; most defects need very few.
// Without a bound the search leaves out orders that differ only in independent
// operations (sleep sets, Godefroid 1996). It leaves out no state.
package interleave

import "fmt"

// maxThreads is how many threads a scenario may have.
const maxThreads = 6

// maxSteps ends a schedule that loops for ever.
const maxSteps = 5000

// Options say how much to explore.
type Options struct {
	Preemptions  int  // the bound; negative for none
	MaxSchedules int  // stop after so many; 0 for no limit
	NoReduction  bool // without a bound: no sleep sets
}

// A Result is the outcome of an exploration.
type Result struct {
	Schedules int  // schedules that were run to their end
	Pruned    int  // schedules cut short because others represent them
	Steps     int  // operations in all of them
	Depth     int  // operations in the longest
	Complete  bool // everything within the bound was run
	Failure   *Failure
}

// A Failure is a schedule on which something went wrong.
type Failure struct {
	Message string
	Seed    string // for Replay
	Trace   string // step by step
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s\nseed %s\n%s", f.Message, f.Seed, f.Trace)
}

// T is the world of one schedule.
type T struct {
	threads []*thread
	checks  []func() error
	finals  []func() error
	stuck   func() error
	names   map[*object]string
	holds   []hold
	clock   clock
	memory  map[*byte]*shadow
	owned   map[any]*shadow
	stepped vectorClock
	current *thread
	changes int // operations that changed something, for Spin
	failure string
	stopped bool // threads are unwound, operations act at once
	trace   *tracer

	search  *explorer
	started bool // every thread has come to its first operation
	over    bool
	chosen  choice // what to do next, unless over
	did     op     // what was done last
	depth   int    // operations done
}

// Check runs f after every operation.
func (t *T) Check(f func() error) { t.checks = append(t.checks, f) }

// Final runs f at the end of every schedule.
func (t *T) Final(f func() error) { t.finals = append(t.finals, f) }

// Standstill makes f decide about schedules in which no thread can go on and some
// have not ended. Without it they are failures.
func (t *T) Standstill(f func() error) { t.stuck = f }

// Fail ends the schedule as a failure, from inside a thread.
func (t *T) Fail(format string, args ...any) { panic(failed(fmt.Sprintf(format, args...))) }

type (
	failed  string   // the panic of Fail
	unwound struct{} // the panic that ends a thread of an abandoned schedule
)

func (t *T) fail(message string) {
	if t.failure == "" && !t.stopped {
		t.failure = message
	}
}

type explorer struct {
	Options
	scenario func(*T)
	path     []node
	choices  []choice // scratch
	workers  []*worker
	result   Result
}

// Explore runs the scenario over its interleavings until one fails or all have
// been run. The scenario must be deterministic.
func Explore(o Options, scenario func(*T)) Result {
	e := &explorer{Options: o, scenario: scenario}
	defer e.stop()
	for {
		if failure := e.run(nil); failure != "" {
			e.result.Failure = e.explain(failure)
			return e.result
		}
		if !e.backtrack() {
			e.result.Complete = true
			return e.result
		}
		if o.MaxSchedules > 0 && e.result.Schedules >= o.MaxSchedules {
			return e.result
		}
	}
}

// explain runs the failing schedule once more, and keeps its trace.
func (e *explorer) explain(failure string) *Failure {
	f := &Failure{Message: failure, Seed: e.seed()}
	again, err := Replay(f.Seed, e.scenario)
	switch {
	case err != nil:
		f.Trace = err.Error()
	case again == nil:
		f.Trace = "the scenario is not deterministic: its replay does not fail"
	default:
		f.Trace = again.Trace
	}
	return f
}

// Replay runs the schedule of a seed. It returns its failure with a trace, or nil
// if it does not fail.
func Replay(seed string, scenario func(*T)) (*Failure, error) {
	path, err := parseSeed(seed)
	if err != nil {
		return nil, err
	}
	e := &explorer{Options: Options{Preemptions: -1, NoReduction: true}, scenario: scenario}
	defer e.stop()
	tr := &tracer{}
	for _, c := range path {
		e.path = append(e.path, node{choices: []choice{c}, replay: true})
	}
	failure := e.run(tr)
	if failure == "" {
		return nil, nil
	}
	return &Failure{Message: failure, Seed: seed, Trace: tr.String()}, nil
}
