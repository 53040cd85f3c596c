// Package interleave runs concurrent code over all its interleavings.
//
// A scenario builds a small world and declares threads. The threads are
// coroutines: each hands control to the scheduler before every operation on a
// [Uint64], [Uint32], [Int32], [Pointer] or [Token], and before every announced
// touch of memory. Between two such points nothing else runs, so the order of
// the points is all that can differ. The scheduler walks all orders
// depth-first, by running the scenario again and again, each time a little
// differently from the end on.
//
// Operations are sequentially consistent, as Go's are, so for code without
// races that is the whole story. Freedom from races is checked, not assumed:
// vector clocks follow which operation was seen by which, and an access of
// memory that is not ordered after a conflicting one is a failure.
//
// The bound on preemptions, switches away from a thread that could go on,
// makes larger scenarios affordable: most defects need very few. Without a
// bound the search leaves out orders that differ only in operations that do
// not touch each other (sleep sets, Godefroid 1996); no state is left out.
package interleave

import (
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
)

// maxThreads is how many threads a scenario may have. A clock is that long.
const maxThreads = 6

// maxSteps ends a schedule that goes round in circles.
const maxSteps = 5000

// Options say how much to explore.
type Options struct {
	Preemptions  int  // the bound; negative for none
	MaxSchedules int  // stop after so many; 0 for no limit
	NoReduction  bool // without a bound: no sleep sets
}

// A Result is what an exploration came to.
type Result struct {
	Schedules int  // schedules that were run to their end
	Pruned    int  // schedules cut short because others stand for them
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
	names   map[*object]string
	holds   []hold
	memory  map[*byte]*shadow
	owned   map[any]*shadow
	stepped clock
	current *thread
	changes int // operations that changed something, for Spin
	failure string
	stopped bool
	objects int // identified so far
	trace   *tracer
}

type thread struct {
	name    string
	id      int
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	pending op
	result  bool // of a Take
	done    bool
	clock   clock
}

// Go declares a thread. It starts once the scenario has returned.
func (t *T) Go(name string, f func()) {
	if len(t.threads) == maxThreads {
		panic("interleave: too many threads")
	}
	th := &thread{name: name, id: len(t.threads)}
	th.clock[th.id] = 1
	t.threads = append(t.threads, th)
	th.next, th.stop = iter.Pull(func(yield func(struct{}) bool) {
		th.yield = yield
		defer func() {
			th.done = true
			switch v := recover().(type) {
			case nil, unwound:
			case failed:
				t.fail(string(v))
			default:
				if !t.stopped {
					t.fail(fmt.Sprintf("panic in %s: %v\n%s", name, v, debug.Stack()))
				}
			}
		}()
		f()
	})
}

// Check runs f after every operation.
func (t *T) Check(f func() error) { t.checks = append(t.checks, f) }

// Final runs f at the end of every schedule.
func (t *T) Final(f func() error) { t.finals = append(t.finals, f) }

// Fail ends the schedule as a failure, from inside a thread.
func (t *T) Fail(format string, args ...any) { panic(failed(fmt.Sprintf(format, args...))) }

type (
	failed  string   // the panic of Fail
	unwound struct{} // the panic that ends a thread that nobody waits for
)

func (t *T) fail(message string) {
	if t.failure == "" && !t.stopped {
		t.failure = message
	}
}

// world is the schedule that runs now; nil outside of Explore. Coroutines take
// turns, so it needs no lock, and there is one exploration at a time.
var world *T

// point hands control to the scheduler before the operation o and returns the
// thread once it is its turn; nil if no thread runs.
func point(o op) *thread {
	t := world
	if t == nil || t.current == nil || t.stopped {
		return nil
	}
	th := t.current
	if o.obj != nil {
		o.id = o.obj.identify(t)
	}
	th.pending = o
	if !th.yield(struct{}{}) {
		panic(unwound{})
	}
	if o.kind.changes() {
		t.changes++
	}
	return th
}

// advance lets th do its pending operation and go on to its next one.
func (t *T) advance(th *thread) {
	t.current = th
	th.next()
	t.current = nil
}

// A node is a point of decision on the way to a schedule's end.
type node struct {
	choices []choice // in the order in which they are tried
	at      int      // which one is under way
	last    int      // the thread that ran before, -1 at first
	spent   int      // preemptions before this node
	sleep   set      // choices that others stand for
	tried   set
	replay  bool // one choice of several
}

// A choice is a thread that may run, and how its Take ends.
type choice struct {
	thread int
	done   bool
}

type explorer struct {
	Options
	scenario func(*T)
	path     []node
	result   Result
}

// Explore runs the scenario over its interleavings until one fails or all
// have been run. The scenario must be deterministic.
func Explore(o Options, scenario func(*T)) Result {
	e := &explorer{Options: o, scenario: scenario}
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

// Replay runs the one schedule that seed stands for, and returns its failure
// with a trace, or nil if it does not fail.
func Replay(seed string, scenario func(*T)) (*Failure, error) {
	path, err := parseSeed(seed)
	if err != nil {
		return nil, err
	}
	e := &explorer{Options: Options{Preemptions: -1, NoReduction: true}, scenario: scenario}
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

const errDiverged = "the scenario is not deterministic: other threads can run than the last time"

// run runs one schedule: along e.path as far as that goes, and then on with
// the first choice at each node.
func (e *explorer) run(tr *tracer) (failure string) {
	t := &T{trace: tr}
	world = t
	defer func() {
		t.stopped = true
		for _, th := range t.threads {
			th.stop()
		}
		world = nil
	}()
	e.scenario(t)
	for _, th := range t.threads {
		t.advance(th) // up to its first operation
	}
	last, depth := -1, 0
	for ; t.failure == ""; depth++ {
		choices := t.enabled(last)
		if len(choices) == 0 {
			e.result.Schedules++
			e.result.Depth = max(e.result.Depth, depth)
			return t.end()
		}
		if depth == maxSteps {
			return fmt.Sprintf("no end after %d operations", maxSteps)
		}
		if depth == len(e.path) {
			n := node{choices: choices, last: last}
			e.inherit(t, &n)
			e.path = append(e.path, n)
			if !e.skip(&e.path[depth]) {
				e.path = e.path[:depth]
				e.result.Pruned++
				return t.failure
			}
		}
		n := &e.path[depth]
		c := n.choices[n.at]
		if !slices.Equal(choices, n.choices) && !(n.replay && slices.Contains(choices, c)) {
			return errDiverged
		}
		n.tried.add(c, t.threads[c.thread].pending)
		t.threads[c.thread].result = !c.done
		last = c.thread
		t.advance(t.threads[c.thread])
		e.result.Steps++
		for _, check := range t.checks {
			if err := check(); err != nil {
				t.fail(err.Error())
			}
		}
	}
	e.path = e.path[:depth]
	return t.failure
}

// end is the verdict on a schedule in which no thread can run any more.
func (t *T) end() string {
	stuck := ""
	for _, th := range t.threads {
		if !th.done {
			stuck += " " + th.name
		}
	}
	if stuck != "" {
		return "deadlock: these sleep for ever:" + stuck
	}
	for _, f := range t.finals {
		if err := f(); err != nil {
			return err.Error()
		}
	}
	return ""
}

// enabled lists the threads that can run, the one that ran last first.
func (t *T) enabled(last int) []choice {
	cs := make([]choice, 0, len(t.threads)+1)
	add := func(th *thread) {
		if th.done {
			return
		}
		switch o := th.pending; o.kind {
		case opTake:
			if o.token.full {
				cs = append(cs, choice{th.id, false})
			}
			if o.done != nil {
				select {
				case <-o.done:
					cs = append(cs, choice{th.id, true})
				default:
				}
			}
		case opSpin:
			if t.changes > o.seen {
				cs = append(cs, choice{th.id, false})
			}
		default:
			cs = append(cs, choice{th.id, false})
		}
	}
	if last >= 0 {
		add(t.threads[last])
	}
	for _, th := range t.threads {
		if th.id != last {
			add(th)
		}
	}
	return cs
}
