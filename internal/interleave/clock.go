package interleave

import "fmt"

// A vectorClock has, for each thread, the last of its moments that happened before
// the present of the owner.
type vectorClock [maxThreads]uint32

func (c *vectorClock) join(d *vectorClock) {
	for i := range c {
		c[i] = max(c[i], d[i])
	}
}

// tick begins a new moment of the thread, after the old one has been released.
func (th *thread) tick() { th.clock[th.id]++ }

// A shadow records the accesses to a byte of memory: the last write, and the reads
// since.
type shadow struct {
	wrote *thread
	when  uint32
	reads vectorClock
	freed bool
}

// shadow returns the record of the byte at p.
func (t *T) shadow(p *byte) *shadow {
	s := t.memory[p]
	if s == nil {
		s = &shadow{}
		if t.memory == nil {
			t.memory = map[*byte]*shadow{}
		}
		t.memory[p] = s
	}
	return s
}

// access checks that th may read or write what s is the record of.
func (t *T) access(s *shadow, th *thread, write bool, what string) {
	if s.wrote != nil && s.wrote != th && s.when > th.clock[s.wrote.id] {
		panic(failed(fmt.Sprintf("race: %s touches %s, which %s wrote, and nothing orders the two", th.name, what, s.wrote.name)))
	}
	if !write {
		s.reads[th.id] = th.clock[th.id]
		return
	}
	for id, when := range s.reads {
		if id != th.id && when > th.clock[id] {
			panic(failed(fmt.Sprintf("race: %s writes %s, which %s reads, and nothing orders the two", th.name, what, t.threads[id].name)))
		}
	}
	s.wrote, s.when, s.reads = th, th.clock[th.id], vectorClock{}
}

// TouchRead announces that the thread now reads b.
func TouchRead(b []byte) { touch(b, opTouchRead) }

// TouchWrite announces that the thread now writes b.
func TouchWrite(b []byte) { touch(b, opTouchWrite) }

func touch(b []byte, k kind) {
	if len(b) == 0 {
		return
	}
	th := point(op{kind: k, obj: &memoryObject, bytes: b})
	if th == nil {
		return
	}
	for i := range b {
		s := world.shadow(&b[i])
		if s.freed {
			panic(failed(th.name + " touches memory that was freed"))
		}
		world.access(s, th, k == opTouchWrite, "ring memory")
	}
	if k == opTouchWrite {
		note[int](th, "write", nil, fmt.Sprintf("%d bytes", len(b)))
	} else {
		note[int](th, "read", nil, fmt.Sprintf("%d bytes", len(b)))
	}
}

// Free announces that the thread now frees b. Like a write it must happen after
// every access. A later access, or a second Free, is a failure.
func Free(b []byte) {
	TouchWrite(b)
	t := world
	if t == nil || t.stopped {
		return
	}
	for i := range b {
		t.shadow(&b[i]).freed = true
	}
}

// Owned announces that the thread now uses variables that belong to one goroutine at
// a time; p identifies them. It is checked, but is not a scheduling point.
func Owned[V any](p *V) {
	t := world
	if t == nil || t.current == nil || t.stopped {
		return
	}
	if t.owned == nil {
		t.owned = map[any]*shadow{}
	}
	s := t.owned[p]
	if s == nil {
		s = &shadow{}
		t.owned[p] = s
	}
	t.access(s, t.current, true, "what belongs to one goroutine")
}

// A hold is memory that a thread was handed.
type hold struct {
	by    *thread
	b     []byte
	write bool
}

// Hold announces that the running thread was handed b, to write or to read it. It is
// a failure if another thread holds a byte of it, unless both read.
func (t *T) Hold(b []byte, write bool) {
	th := t.current
	if th == nil || len(b) == 0 {
		return
	}
	for _, h := range t.holds {
		if h.by != th && (h.write || write) && overlap(h.b, b) {
			t.Fail("memory in two hands: %s was handed bytes that %s holds", th.name, h.by.name)
		}
	}
	t.holds = append(t.holds, hold{th, b, write})
}

// Unhold announces that the running thread is about to give back all that it was
// handed.
func (t *T) Unhold() {
	kept := t.holds[:0]
	for _, h := range t.holds {
		if h.by != t.current {
			kept = append(kept, h)
		}
	}
	t.holds = kept
}

func overlap(a, b []byte) bool {
	for i := range a {
		for j := range b {
			if &a[i] == &b[j] {
				return true
			}
		}
	}
	return false
}
