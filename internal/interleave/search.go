package interleave

// A set is a set of choices with the operations that they would do.
type set []member

type member struct {
	choice
	op op
}

func (s *set) add(c choice, o op) {
	if !s.has(c) {
		*s = append(*s, member{c, o})
	}
}

func (s set) has(c choice) bool {
	for _, m := range s {
		if m.choice == c {
			return true
		}
	}
	return false
}

// reduce tells whether sleep sets are used. Under a bound they would leave out
// schedules whose stand-ins are beyond it.
func (e *explorer) reduce() bool { return e.Preemptions < 0 && !e.NoReduction }

// inherit gives a new node what follows from the one before it: the
// preemptions spent, and the choices that have been tried from there and do not
// depend on what was done instead.
func (e *explorer) inherit(t *T, n *node) {
	if len(e.path) == 0 {
		return
	}
	prev := &e.path[len(e.path)-1]
	c := prev.choices[prev.at]
	n.spent = prev.spent + prev.cost(c)
	if !e.reduce() {
		return
	}
	var did op
	for _, m := range prev.tried {
		if m.choice == c {
			did = m.op
		}
	}
	for _, s := range []set{prev.sleep, prev.tried} {
		for _, m := range s {
			if m.thread != c.thread && independent(m.op, did) {
				n.sleep.add(m.choice, m.op)
			}
		}
	}
}

// cost is 1 if c takes the processor from a thread that could go on.
func (n *node) cost(c choice) int {
	if n.last < 0 || c.thread == n.last {
		return 0
	}
	for _, x := range n.choices {
		if x.thread == n.last {
			return 1
		}
	}
	return 0
}

// skip moves n on to its next choice that may be tried, the present one
// included. False means that there is none.
func (e *explorer) skip(n *node) bool {
	for ; n.at < len(n.choices); n.at++ {
		c := n.choices[n.at]
		if e.Preemptions >= 0 && n.spent+n.cost(c) > e.Preemptions {
			continue
		}
		if !n.sleep.has(c) {
			return true
		}
	}
	return false
}

// backtrack turns the last decision that can be taken otherwise. False means
// that everything has been run.
func (e *explorer) backtrack() bool {
	for len(e.path) > 0 {
		n := &e.path[len(e.path)-1]
		n.at++
		if e.skip(n) {
			return true
		}
		e.path = e.path[:len(e.path)-1]
	}
	return false
}
