//go:build !interleave

package bytering

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// closeErrors are what halves are closed with.
var closeErrors = []error{nil, errTest, errLater}

var (
	errCancelled = errors.New("the context was cancelled")
	errCallback  = errors.New("the callback's error")
)

// An end is what a producer and a consumer have in common.
type end interface {
	Wait(ctx context.Context, n int) error
	Notify(n int, f func()) bool
	Ready() <-chan struct{}
	Disarm() bool
	Err() error
	Cap() int
	Position() uint64
	Close() error
	CloseWithError(error) error
}

// A randomHalf is a half, the program that it runs, and what is known of both.
type randomHalf struct {
	*life
	name  string
	rng   *rand.Rand
	end   end
	steps []step
	total int // weight of the steps

	// Where the halves differ.
	there     func() int            // bytes free, or to be read
	come      func(at uint64) bool  // whether a note for the cursor value at should run
	target    func(n int) uint64    // the cursor value of n bytes
	ends      func() bool           // whether waiting has come to its end
	cut       func() bool           // whether less may be there than before, since the half or the other is closed
	means     func(err error) bool  // whether err can be the end
	short     func(err error) bool  // whether Wait may end with err, before the end
	deadlines func(time.Time) error // sets the deadline
	finish    func()                // what comes after the last step
	state     func() string         // for a failure
	deadline  *deadline

	pos uint64 // where its own counts say it is
	// What a producer's source has given that is not published yet.
	spilled int
	over    error // the end, once it was told

	waits    atomic.Pointer[waiting]
	note     atomic.Pointer[randomNote]
	disarms  atomic.Uint64 // by others: begun and done
	calls    atomic.Uint64
	cancel   atomic.Pointer[context.CancelCauseFunc]
	nudged   chan struct{} // ends a wait that is none of the ring's
	asked    atomic.Uint32 // which closeErrors it was closed with
	earliest atomic.Int64  // the earliest deadline that was set, after the life began

	mu     sync.Mutex
	log    [16]entry
	logged int
}

// A step is a kind of call, and how often it is made.
type step struct {
	name   string
	weight int
	run    func()
}

// An entry is a call in the log.
type entry struct {
	name    string
	arg     int
	from    int // the cursor, from where the life began
	n       int
	err     error
	running bool
}

func (e entry) String() string {
	if e.running {
		return fmt.Sprintf("%s(%d) at %d ...", e.name, e.arg, e.from)
	}
	return fmt.Sprintf("%s(%d) at %d = %d, %v", e.name, e.arg, e.from, e.n, e.err)
}

// run runs f, and reports a panic with what led to it.
func (h *randomHalf) run(f func()) {
	defer func() {
		if v := recover(); v != nil {
			h.fail("%s panics: %v\n%s", h.name, v, debug.Stack())
		}
	}()
	f()
}

// program makes random calls, some also after the end.
func (h *randomHalf) program() {
	for range h.rng.IntN(80) {
		if h.stopped() || h.over != nil && h.rng.IntN(4) == 0 {
			break
		}
		if h.deadline.passed() && h.rng.IntN(2) == 0 {
			h.setDeadline(time.Time{})
		}
		h.random().run()
		h.looked()
		if h.rng.IntN(8) == 0 {
			h.pause()
		}
	}
	h.finish()
	h.looked()
}

func (h *randomHalf) random() step {
	k := h.rng.IntN(h.total)
	for _, s := range h.steps {
		if k -= s.weight; k < 0 {
			return s
		}
	}
	panic("weights")
}

// common adds the steps that both halves have to those of one, before which
// first runs.
func (h *randomHalf) common(first func(), own ...step) {
	for _, s := range own {
		h.steps = append(h.steps, step{s.name, s.weight, func() { first(); s.run() }})
	}
	h.steps = append(h.steps,
		step{"Wait", 6, h.wait},
		step{"Notify", 3, func() { h.arm(h.need()) }},
		step{"Notify and wait", 5, h.notified},
		step{"Ready", 2, func() { h.ready() }},
		step{"Ready and wait", 4, h.rung},
		step{"Disarm", 2, h.disarm},
		step{"deadline", 1, func() { h.setRandomDeadline(h.rng) }},
		step{"idle", 2, h.idle},
		step{"close", 1, func() { h.close(h.rng.IntN(len(closeErrors))) }},
	)
	for _, s := range h.steps {
		h.total += s.weight
	}
}

// call makes one call. w is nil if it never waits.
func (h *randomHalf) call(name string, arg int, w *waiting, f func() (int, error)) (int, error) {
	h.mu.Lock()
	e := &h.log[h.logged%len(h.log)]
	h.logged++
	*e = entry{name: name, arg: arg, from: distance(h.begin, h.pos), running: true}
	h.mu.Unlock()
	if w != nil && w.parks {
		if n := h.note.Load(); n != nil {
			n.unsure.Store(true) // a call that parks withdraws it
		}
	}
	h.waits.Store(w)
	n, err := f()
	h.waits.Store(nil)
	h.mu.Lock()
	e.n, e.err, e.running = n, err, false
	h.mu.Unlock()
	h.calls.Add(1)
	return n, err
}

// last returns the last call.
func (h *randomHalf) last() entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.logged == 0 {
		return entry{name: "nothing"}
	}
	return h.log[(h.logged-1)%len(h.log)]
}

// allowed reports whether a call may return err.
func (h *randomHalf) allowed(err error, w *waiting) bool {
	switch {
	case err == nil:
		return true
	case err == os.ErrDeadlineExceeded:
		at := h.earliest.Load()
		return w != nil && w.parks && at != 0 && int64(time.Since(h.began)) >= at
	case w != nil && w.ctx != nil && err == context.Cause(w.ctx):
		return true
	}
	return h.means(err)
}

// told reports whether err is what the half was closed with, where plain stands
// for nil.
func (h *randomHalf) told(err, plain error) bool {
	for i, e := range closeErrors {
		if e == nil {
			e = plain
		}
		if h.asked.Load()&(1<<i) != 0 && err == e {
			return true
		}
	}
	return false
}

// close closes the half, on any goroutine.
func (h *randomHalf) close(kind int) {
	h.asked.Or(1 << kind)
	err := error(nil)
	if e := closeErrors[kind]; e != nil {
		err = h.end.CloseWithError(e)
	} else {
		err = h.end.Close()
	}
	if err != nil || h.end.Err() != io.ErrClosedPipe {
		h.fail("%s: Close is %v, Err after it %v", h.name, err, h.end.Err())
	}
}

// look does what any goroutine may do.
func (h *randomHalf) look() {
	if n := h.there(); n < 0 || n > h.end.Cap() {
		h.fail("%s: %d bytes are there of %d", h.name, n, h.end.Cap())
	}
	if err := h.end.Err(); err != nil && !h.means(err) {
		h.fail("%s: Err is %v", h.name, err)
	}
}

// looked is look by the owner after a call: the end is final.
func (h *randomHalf) looked() {
	h.look()
	err := h.end.Err()
	if h.over != nil && (err == nil || err.Error() != h.over.Error() && (err != io.ErrClosedPipe || h.asked.Load() == 0)) {
		h.fail("%s: Err is %v after %v", h.name, err, h.over)
	}
	h.over = err
}

// setRandomDeadline is for any goroutine.
func (h *randomHalf) setRandomDeadline(rng *rand.Rand) {
	at := time.Time{}
	switch rng.IntN(5) {
	case 0:
		at = time.Now().Add(-time.Second)
	case 1, 2:
		at = time.Now().Add(time.Duration(rng.IntN(500)) * time.Microsecond)
	case 3:
		at = time.Now().Add(time.Hour)
	}
	h.setDeadline(at)
}

func (h *randomHalf) setDeadline(at time.Time) {
	if !at.IsZero() {
		after := int64(at.Sub(h.began)) // of the monotonic clock, as the ring has it
		for {
			old := h.earliest.Load()
			if old != 0 && old <= after || h.earliest.CompareAndSwap(old, after) {
				break
			}
		}
	}
	if err := h.deadlines(at); err != nil && (err != io.ErrClosedPipe || h.asked.Load() == 0) {
		h.fail("%s: setting a deadline is %v", h.name, err)
	}
}

// size is a random number of bytes to move.
func (h *randomHalf) size() int {
	n := h.end.Cap()
	if n > 1<<16 && h.rng.IntN(8) > 0 {
		n = 64
	}
	switch h.rng.IntN(5) {
	case 0:
		return h.rng.IntN(4)
	case 1:
		return h.rng.IntN(n/4 + 2)
	case 2:
		return h.rng.IntN(2*n + 2)
	}
	return h.rng.IntN(n + 1)
}

// need is a random number of bytes to wait for, at least 1. Few are large: two
// halves that need more than there can be between them stand still.
func (h *randomHalf) need() int {
	switch n := h.end.Cap(); h.rng.IntN(8) {
	case 0:
		return n
	case 1:
		return 1 + h.rng.IntN(n)
	case 2, 3, 4:
		return 1 + h.rng.IntN(n/3+1)
	}
	return 1
}

func (h *randomHalf) pause() {
	switch h.rng.IntN(4) {
	case 0:
		time.Sleep(time.Duration(h.rng.IntN(100)) * time.Microsecond)
	default:
		runtime.Gosched()
	}
}
