package memconn

import (
	"os"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// A lock gives a half of a ring, which belongs to one goroutine at a time, to
// many that take turns. Its state is
//
//	bit 0      held: a goroutine has the turn
//	bits 1-31  the number of goroutines that wait for theirs
//
// An uncontended turn is a compare-and-swap from 0 and an add that leaves 0.
// Everything else is a monitor: a goroutine that waits holds the mutex of turn
// except while it sleeps, and whatever can end its wait happens under that
// mutex, or before the mutex is locked to wake it. So no wake is lost.
//
// Unlike that of a sync.Mutex, a wait ends at the half's deadline, and when the
// half ends, even while the goroutine that has the turn is stuck in a foreign
// Read or Write. Turns come in the order in which they were asked for.
type lock struct {
	state seam.Uint32
	turn  *seam.Cond

	// Under the mutex of turn.
	limit uint64      // the deadline in nanoseconds of seam.Now, or 0
	alarm *seam.Alarm // wakes the waiters at limit; set only while there are any
}

const (
	held   = 1
	waiter = 2
)

func (l *lock) init() {
	turn := seam.NewCond()
	l.turn = turn
	l.alarm = seam.NewAlarm(func() { wake(turn) }) // refers to nothing of the ring
}

// A half is one of a ring's. Its Err may be called by any goroutine.
type half interface{ Err() error }

// lock begins a turn. If it has to wait, and h ends meanwhile or the deadline
// passes, it returns that as an error.
func (l *lock) lock(h half) error {
	if l.state.CompareAndSwap(0, held) {
		return nil
	}
	return l.wait(h)
}

// unlock ends a turn and wakes the waiter whose turn is next.
func (l *lock) unlock() {
	if l.state.Add(^uint32(held-1)) != 0 {
		l.turn.L.Lock()
		l.turn.Signal()
		l.turn.L.Unlock()
	}
}

func (l *lock) wait(h half) (err error) {
	l.turn.L.Lock()
	defer l.turn.L.Unlock()
	// If others wait already the next turn is theirs, and unlock has woken one of
	// them, or will. A goroutine that was woken takes the turn if it can.
	next := l.state.Add(waiter)/waiter == 1
	for !next || l.state.Or(held)&held != 0 {
		if l.limit != 0 {
			l.alarm.Set(seam.Now(), l.limit) // before the clock is looked at
		}
		if err = l.ended(h); err != nil {
			break
		}
		l.turn.Wait()
		next = true
	}
	if l.state.Add(^uint32(waiter-1)) < waiter {
		l.alarm.Stop()
	}
	return err
}

// ended returns the error of h, or os.ErrDeadlineExceeded, if a wait must end.
func (l *lock) ended(h half) error {
	if err := h.Err(); err != nil {
		return err
	}
	if l.limit != 0 && l.limit <= seam.Now() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// wake makes all waiters look again.
func wake(turn *seam.Cond) {
	turn.L.Lock()
	turn.Broadcast()
	turn.L.Unlock()
}

// check returns what a call that needs no turn is told.
func (l *lock) check(h half) error {
	l.turn.L.Lock()
	defer l.turn.L.Unlock()
	return l.ended(h)
}

// set sets the deadline here and, through ring, of the half. The mutex keeps
// two setters from leaving one deadline here and another there. Waiters whose
// wait goes on are not woken, because they would lose their place.
func (l *lock) set(t time.Time, ring func(time.Time) error) {
	l.turn.L.Lock()
	defer l.turn.L.Unlock()
	l.limit = seam.Moment(t)
	ring(t) // fails only once the half is closed, and then has no meaning
	switch {
	case l.state.Load() < waiter:
	case l.limit == 0:
		l.alarm.Stop()
	default:
		l.alarm.Set(seam.Now(), l.limit) // before the clock is looked at
		if l.limit <= seam.Now() {
			l.turn.Broadcast()
		}
	}
}
