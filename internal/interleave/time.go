package interleave

import "slices"

// The clock of a schedule stands still until its scenario moves it on.
type clock struct {
	object
	now    uint64
	timers []*Timer
}

// A Timer posts a token when the clock has come to a moment.
type Timer struct {
	at    uint64 // 0 if it is not set
	token *Token
}

// Now returns the moment of the clock, which begins at 1.
func Now() uint64 {
	t := world
	if t == nil {
		return 1
	}
	if th := point(op{kind: opLoad, obj: &t.clock.object}); th != nil {
		note(th, "clock", &t.clock.object, "%v", &t.clock.now)
	}
	return t.clock.now + 1
}

// Moment returns what Now does, without a scheduling point, for checks.
func (t *T) Moment() uint64 { return t.clock.now + 1 }

// Set makes the timer post k at the moment at. If that has come meanwhile, it
// does so now.
func (x *Timer) Set(k *Token, _, at uint64) {
	t := world
	if th := point(op{kind: opUpdate, obj: &t.clock.object}); th != nil {
		note(th, "timer", &t.clock.object, "%v", &at)
	}
	if x.at == 0 {
		t.clock.timers = append(t.clock.timers, x)
	}
	x.at, x.token = at, k
	t.ring()
}

// Stop keeps the timer from posting, until it is set again.
func (x *Timer) Stop() {
	t := world
	if th := point(op{kind: opUpdate, obj: &t.clock.object}); th != nil {
		note[int](th, "timer off", nil, "")
	}
	t.clock.timers = slices.DeleteFunc(t.clock.timers, func(y *Timer) bool { return y == x })
	x.at = 0
}

// IsSet reports whether the timer is going to post, for checks.
func (x *Timer) IsSet() bool { return x.at != 0 }

// Advance moves the clock on, and lets the timers that are due by then post,
// each in an operation of its own.
func (t *T) Advance(d uint64) {
	if th := point(op{kind: opUpdate, obj: &t.clock.object}); th != nil {
		note(th, "clock", &t.clock.object, "+%v", &d)
	}
	t.clock.now += d
	t.ring()
}

// ring lets the timers post that are due.
func (t *T) ring() {
	for i := 0; i < len(t.clock.timers); i++ {
		x := t.clock.timers[i]
		if x.at > t.clock.now+1 {
			continue
		}
		t.clock.timers = append(t.clock.timers[:i:i], t.clock.timers[i+1:]...)
		x.at = 0
		x.token.Timed++
		x.token.Post()
		i = -1
	}
}
