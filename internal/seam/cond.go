//go:build !interleave

package seam

import (
	"sync"
	"time"
)

// A Cond is a sync.Cond.
type Cond = sync.Cond

// NewCond returns a Cond with a mutex of its own.
func NewCond() *Cond { return sync.NewCond(new(sync.Mutex)) }

// An Alarm calls a function later on, on a goroutine of its own. One goroutine
// at a time may set and stop it.
type Alarm struct {
	f func()
	t *time.Timer // made when it is first set
}

// NewAlarm returns an alarm that calls f.
func NewAlarm(f func()) *Alarm { return &Alarm{f: f} }

// Set makes the alarm go off at the moment at, and not at one that it was set
// for before. It is now.
func (x *Alarm) Set(now, at uint64) {
	d := time.Duration(at - now)
	if x.t == nil {
		x.t = time.AfterFunc(d, x.f)
	} else {
		x.t.Reset(d)
	}
}

// Stop keeps the alarm from going off. A call that has begun goes on.
func (x *Alarm) Stop() {
	if x.t != nil {
		x.t.Stop()
	}
}
