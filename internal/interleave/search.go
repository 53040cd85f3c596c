package interleave

// A set is a set of choices, a bit each.
type set uint16

// The compiler holds that there are bits enough.
const _ = uint(16 - 2*maxThreads)

func (c choice) bit() set {
	b := set(1) << (2 * c.thread)
	if c.done {
		b <<= 1
	}
	return b
}

// reduce reports whether sleep sets are used. Under a bound they would leave out
// schedules whose representatives are beyond it.
func (e *explorer) reduce() bool { return e.Preemptions < 0 && !e.NoReduction }

// inherit gives the last node what follows from the one before it: the number of
// preemptions, and the choices that were tried there, or were in its sleep set,
// and that are independent of what was done instead. The threads of these choices
// have not moved since, so the same operations are pending.
func (e *explorer) inherit(t *T) {
	if len(e.path) < 2 {
		return
	}
	n, prev := &e.path[len(e.path)-1], &e.path[len(e.path)-2]
	c := prev.choices[prev.at]
	n.preemptions = prev.preemptions + prev.cost(c)
	if !e.reduce() {
		return
	}
	for i, x := range prev.choices {
		if x.thread != c.thread && (i < prev.at || prev.sleep&x.bit() != 0) &&
			independent(t.threads[x.thread].pending, t.did) {
			n.sleep |= x.bit()
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

// skip moves n on to the next choice that may be tried, which can be the present
// one. It reports whether there is one.
func (e *explorer) skip(n *node) bool {
	for ; n.at < len(n.choices); n.at++ {
		c := n.choices[n.at]
		if e.Preemptions >= 0 && n.preemptions+n.cost(c) > e.Preemptions {
			continue
		}
		if n.sleep&c.bit() == 0 {
			return true
		}
	}
	return false
}

// backtrack changes the last decision that has another choice. It reports whether
// there is one.
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
