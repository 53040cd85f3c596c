package interleave

import (
	"fmt"
	"slices"
)

const errDiverged = "the scenario is not deterministic: the threads that can run differ from the last time"

// A node is a point of decision on the way to a schedule's end.
type node struct {
	choices     []choice // in the order in which they are tried
	at          int      // which one is under way
	last        int      // the thread that ran before, -1 at first
	preemptions int      // preemptions before this node
	sleep       set      // choices that others represent
	replay      bool     // from a seed: the choice was made
}

// A choice is a thread that may run, and how its Take ends.
type choice struct {
	thread int
	done   bool
}

// run runs one schedule: along e.path to its end, and from there on with the first
// choice at each node.
func (e *explorer) run(tr *tracer) (failure string) {
	t := &T{trace: tr, search: e}
	world = t
	defer func() {
		t.unwind()
		world = nil
	}()
	e.scenario(t)
	for _, th := range t.threads {
		t.resume(th) // up to its first operation
	}
	t.started = true
	t.schedule()
	for !t.over {
		th := t.threads[t.chosen.thread]
		t.resume(th)
		if th.done {
			t.schedule() // otherwise th did that itself
		}
	}
	return t.failure
}

// schedule ends an operation and chooses the next one. It runs in the coroutine of
// that operation.
func (t *T) schedule() {
	e := t.search
	if t.depth > 0 {
		e.result.Steps++
	}
	if t.depth > 0 && t.failure == "" {
		for _, check := range t.checks {
			if err := check(); err != nil {
				t.fail(err.Error())
			}
		}
	}
	if t.failure != "" {
		e.path = e.path[:min(t.depth, len(e.path))]
		t.over = true
		return
	}
	last := -1
	if t.depth > 0 {
		last = t.chosen.thread
	}
	e.choices = t.enabled(e.choices[:0], last)
	switch {
	case len(e.choices) == 0:
		e.result.Schedules++
		e.result.Depth = max(e.result.Depth, t.depth)
		t.over = true
		t.fail(t.end())
		return
	case t.depth == maxSteps:
		t.over = true
		t.fail(fmt.Sprintf("no end after %d operations", maxSteps))
		return
	case t.depth == len(e.path):
		n := e.push(last)
		e.inherit(t)
		if !e.skip(n) {
			e.path = e.path[:t.depth]
			e.result.Pruned++
			t.over = true
			return
		}
	}
	n := &e.path[t.depth]
	c := n.choices[n.at]
	if !slices.Equal(e.choices, n.choices) && !(n.replay && slices.Contains(e.choices, c)) {
		t.over = true
		t.fail(errDiverged)
		return
	}
	th := t.threads[c.thread]
	t.chosen, t.did = c, th.pending
	th.result = !c.done
	t.depth++
}

// push adds a node with the present choices. It reuses the memory of an old one.
func (e *explorer) push(last int) *node {
	k := len(e.path)
	if k < cap(e.path) {
		e.path = e.path[:k+1]
	} else {
		e.path = append(e.path, node{})
	}
	n := &e.path[k]
	*n = node{choices: append(n.choices[:0], e.choices...), last: last}
	return n
}

// end returns what is wrong with a schedule in which no thread can run any more, or
// the empty string.
func (t *T) end() string {
	stuck := ""
	for _, th := range t.threads {
		if !th.done {
			stuck += " " + th.name
		}
	}
	if stuck != "" && t.stuck == nil {
		return "deadlock: these sleep for ever:" + stuck
	}
	if stuck != "" {
		if err := t.stuck(); err != nil {
			return err.Error() + "; these sleep for ever:" + stuck
		}
		return ""
	}
	for _, f := range t.finals {
		if err := f(); err != nil {
			return err.Error()
		}
	}
	return ""
}

// enabled lists the threads that can run, the one that ran last first.
func (t *T) enabled(cs []choice, last int) []choice {
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
			if t.changes-th.ownChanges > th.seenChanges {
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
