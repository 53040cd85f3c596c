package memconn

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A lock gives a half of a ring, which belongs to one goroutine at a time, to
// many that take turns. Its state is
//
//	bit 0    held: a goroutine is in a call
//	the rest how many goroutines wait for their turn
//
// so a lock that nobody contends for is a compare-and-swap from 0, and the
// unlock an addition that tells whether somebody waits.
//
// Unlike a sync.Mutex it can be waited for with an end: the half's deadline,
// and the end of the half itself, also while the holder is stuck in somebody
// else's Read or Write and looks at neither. All waiters sleep on one token,
// and what wakes one is passed on: a waiter that gets its turn posts the token
// when it unlocks, one that gives up posts it when it leaves. So whatever ends
// the wait of all needs to wake only one.
//
// No wake is lost, for the reason given in bytering's wait.go: a waiter counts
// itself, then looks at all that can end its wait, then sleeps; a waker changes
// one of these, then looks at the count, then posts. A spurious token is legal.
type lock struct {
	state atomic.Uint32
	// limit is the deadline in nanoseconds of now, 0 for never. Once the half
	// has ended it is past, which makes one load enough for who has the turn.
	limit atomic.Uint64
	token chan struct{}

	mu    sync.Mutex  // orders the setters of limit, and guards the rest
	ended bool        // limit stays past
	timer *time.Timer // posts the token at the limit; made for the first waiter under one
}

const (
	held   = 1
	waiter = 2
	past   = 1 // before all that the clock shows
)

func (l *lock) init() { l.token = make(chan struct{}, 1) }

// try takes the lock if nobody has it and nobody waits.
func (l *lock) try() bool { return l.state.CompareAndSwap(0, held) }

// seize takes the lock if nobody has it, also before those who wait.
func (l *lock) seize() bool {
	for {
		s := l.state.Load()
		if s&held != 0 {
			return false
		}
		if l.state.CompareAndSwap(s, s+held) {
			return true
		}
	}
}

// unlock ends a turn.
func (l *lock) unlock() {
	if l.state.Add(^uint32(held-1)) != 0 {
		l.post()
	}
}

// A half is one of a ring's. Its Err may be asked by anybody.
type half interface{ Err() error }

// wait takes the lock of h when it is its turn. If h ends before, it returns
// the error of h, and os.ErrDeadlineExceeded if the deadline passes.
func (l *lock) wait(h half) error {
	l.state.Add(waiter)
	for {
		s := l.state.Load()
		if s&held == 0 {
			if l.state.CompareAndSwap(s, s-waiter+held) {
				return nil
			}
			continue
		}
		err := h.Err()
		if err == nil && l.late() {
			err = os.ErrDeadlineExceeded
		}
		if err != nil {
			if l.state.Add(^uint32(waiter-1)) >= waiter {
				l.post()
			}
			return err
		}
		l.watch()
		<-l.token
	}
}

// post wakes a waiter. It never blocks.
func (l *lock) post() {
	select {
	case l.token <- struct{}{}:
	default: // one is on its way, and whoever takes it looks after this
	}
}

// wake has the waiters look again.
func (l *lock) wake() {
	if l.state.Load() >= waiter {
		l.post()
	}
}

// late tells whether the deadline has passed, or the half has ended.
func (l *lock) late() bool {
	at := l.limit.Load()
	return at != 0 && at <= now()
}

// watch makes sure that the token is posted at the deadline. Its caller counts
// as a waiter, so that who sets another one afterwards wakes it.
func (l *lock) watch() {
	if l.limit.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.limit.Load() // under mu, lest the timer be set back to an older one
	if at == 0 || l.ended {
		return
	}
	d := time.Duration(at - now())
	if l.timer == nil {
		token := l.token // and nothing else is kept alive by the timer
		l.timer = time.AfterFunc(d, func() {
			select {
			case token <- struct{}{}:
			default:
			}
		})
	} else {
		l.timer.Reset(d)
	}
}

// set sets the deadline here and, through also, in the ring, and makes sure
// that two setters do not leave one here and the other there.
func (l *lock) set(t time.Time, also func(time.Time) error) {
	l.mu.Lock()
	if !l.ended {
		l.limit.Store(moment(t))
		also(t)
	}
	l.mu.Unlock()
	l.wake()
}

// end is for a half that has been closed.
func (l *lock) end() {
	l.mu.Lock()
	l.ended = true
	l.limit.Store(past)
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	l.wake()
}

// began is when the clock showed 1<<62. It does not begin at 0, because in a
// bubble of testing/synctest it is another year.
var began = time.Now()

// now returns the nanoseconds of a clock that only goes forward, above past.
func now() uint64 { return uint64(1<<62 + time.Since(began)) }

// moment returns t in nanoseconds of now, 0 for the zero time.
func moment(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	left := time.Until(t)
	if left <= 0 {
		return past
	}
	return now() + uint64(left) // both are below 1<<63
}
