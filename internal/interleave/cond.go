package interleave

import (
	"slices"
	"sync"
)

// A Mutex is a sync.Mutex that the scheduler interleaves.
type Mutex struct {
	free Token
	used bool // free is valid
}

func (m *Mutex) Lock() {
	if !m.used {
		m.used, m.free.full = true, true
	}
	m.free.Take(nil)
}

func (m *Mutex) Unlock() { m.free.Post() }

func (m *Mutex) self() *object { return &m.free.object }

// A Cond is a sync.Cond that the scheduler interleaves. As there, waiters are
// woken in the order in which they began to wait.
type Cond struct {
	object
	L       sync.Locker
	waiters []*Token
}

// NewCond returns a Cond with a Mutex of its own.
func NewCond() *Cond { return &Cond{L: new(Mutex)} }

// point is the operation that changes the list of waiters.
func (c *Cond) point(what string) {
	if th := point(op{kind: opUpdate, obj: &c.object}); th != nil {
		n := len(c.waiters)
		note(th, what, &c.object, "%v", &n)
	}
}

func (c *Cond) Wait() {
	k := new(Token)
	c.point("wait")
	c.waiters = append(c.waiters, k)
	c.L.Unlock()
	k.Take(nil)
	c.L.Lock()
}

func (c *Cond) Signal() {
	c.point("signal")
	c.wake(1)
}

func (c *Cond) Broadcast() {
	c.point("broadcast")
	c.wake(len(c.waiters))
}

func (c *Cond) wake(n int) {
	n = min(n, len(c.waiters))
	woken := c.waiters[:n]
	c.waiters = c.waiters[n:]
	for _, k := range woken {
		k.Post()
	}
}

// An Alarm calls a function when the clock has come to a moment.
type Alarm struct {
	at uint64
	f  func()
}

// NewAlarm returns an alarm that calls f, on the thread that moves the clock.
func NewAlarm(f func()) *Alarm { return &Alarm{f: f} }

// Set makes the alarm go off at the moment at. If that has come already the
// alarm does not go off, which is less than a real one does: callers look at
// the clock after they have set an alarm.
func (x *Alarm) Set(_, at uint64) {
	x.change("alarm", at)
	if t := world; at > t.hands.now+1 {
		t.hands.alarms = append(t.hands.alarms, x)
	}
}

// Stop keeps the alarm from going off.
func (x *Alarm) Stop() { x.change("no alarm", 0) }

func (x *Alarm) change(what string, at uint64) {
	t := world
	if th := point(op{kind: opUpdate, obj: &t.hands.object}); th != nil {
		note(th, what, &t.hands.object, "%v -> %v", &x.at, &at)
	}
	x.at = at
	t.drop(x)
}

func (t *T) drop(x *Alarm) {
	t.hands.alarms = slices.DeleteFunc(t.hands.alarms, func(y *Alarm) bool { return y == x })
}

// Alarms returns how many alarms are set, behind the scheduler's back.
func (t *T) Alarms() int { return len(t.hands.alarms) }
