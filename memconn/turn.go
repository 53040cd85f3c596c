package memconn

import "github.com/bytering/bytering/internal/seam"

// A turn is the lock of one half of a ring, which belongs to one goroutine at a
// time. Goroutines get it in the order in which they asked for it, and unlock
// hands it to the next without making it free. testing/synctest sees those that
// wait as durably blocked, unlike those that wait for a sync.Mutex.
//
// A wait for the turn needs no deadline and no Close of its own. The holder is
// in a call of the half, which returns when the deadline passes or the half
// ends. The next holder then makes its own call, which returns for the same
// reason.
type turn struct {
	n    seam.Uint32 // goroutines that hold the turn or wait for it
	pass seam.Token  // from the holder to the next; never two at once
}

func (t *turn) lock() {
	if t.n.Add(1) > 1 {
		seam.Take(t.pass, nil)
	}
}

// tryLock takes the turn if it is free, and reports whether it has.
func (t *turn) tryLock() bool { return t.n.CompareAndSwap(0, 1) }

func (t *turn) unlock() {
	if t.n.Add(^uint32(0)) > 0 {
		seam.Post(t.pass)
	}
}
