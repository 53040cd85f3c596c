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

	"github.com/bytering/bytering/internal/seam"
)

// closeErrors are the errors that halves are closed with.
var closeErrors = []error{nil, errTest, errLater}

var (
	errCancelled = errors.New("the context was cancelled")
	errCallback  = errors.New("the callback's error")
)

// An end has the methods that a producer and a consumer share.
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

// A randomHalf is a half with the program that it runs and what the test knows of
// both.
type randomHalf struct {
	*life
	name  string
	rng   *rand.Rand
	end   end
	steps []step
	total int // the sum of the steps' weights

	// What differs between a producer and a consumer.
	there     func() int            // bytes that are free, or that can be read
	come      func(at uint64) bool  // whether a note for the cursor value at should run
	target    func(n int) uint64    // the cursor value for n bytes
	ends      func() bool           // whether the end has come
	cut       func() bool           // whether there may be fewer bytes than before, because a half was closed
	means     func(err error) bool  // whether err can be the end's error
	short     func(err error) bool  // whether Wait may return err before the end
	deadlines func(time.Time) error // sets the deadline
	finish    func()                // runs after the last step
	state     func() string         // what a failure prints
	deadline  *deadline

	pos uint64 // the position that its own counts give
	// The number of bytes that a producer's source has given and that are not
	// published yet.
	spilled int
	over    error // the end's error, after a call has returned it

	waits    atomic.Pointer[waiting]
	note     atomic.Pointer[randomNote]
	disarms  atomic.Uint64 // by other goroutines, counted before and after each call
	calls    atomic.Uint64
	cancel   atomic.Pointer[context.CancelCauseFunc]
	nudged   chan struct{} // ends a wait that the ring cannot end
	asked    atomic.Uint32 // the errors of closeErrors that it was closed with
	earliest atomic.Int64  // the earliest deadline set since the life began

	mu     sync.Mutex
	log    [16]entry
	logged int
}

// setUp sets the fields that do not differ between the sides.
func (h *randomHalf) setUp(l *life, name string, rng *rand.Rand, end end, half *half) {
	h.life, h.name, h.rng, h.end = l, name, rng, end
	h.nudged, h.pos = make(chan struct{}, 1), end.Position()
	s := half.shared
	h.deadline, h.deadlines = &s.deadline, func(at time.Time) error { return half.setDeadline(seam.Moment(at)) }
	h.state = func() string {
		return fmt.Sprintf("cursor %#x, target %#x, note %v, hold %d", s.cursor.Load(), s.target.Load(), s.target.note.Load(), s.hold.Load())
	}
}

// A step is a kind of call and its weight.
type step struct {
	name   string
	weight int
	run    func()
}

// An entry is a call in the log.
type entry struct {
	name    string
	arg     int
	from    int // the cursor, relative to the start of the life
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

// run runs f and reports a panic together with the calls before it.
func (h *randomHalf) run(f func()) {
	defer func() {
		if v := recover(); v != nil {
			h.fail("%s panics: %v\n%s", h.name, v, debug.Stack())
		}
	}()
	f()
}

// program makes random calls, some of them after the end.
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

// common adds to a half's own steps those that both halves have. Before each of its
// own steps it runs first.
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

// call makes one call. w is nil for a call that never waits.
func (h *randomHalf) call(name string, arg int, w *waiting, f func() (int, error)) (int, error) {
	h.mu.Lock()
	e := &h.log[h.logged%len(h.log)]
	h.logged++
	*e = entry{name: name, arg: arg, from: distance(h.begin, h.pos), running: true}
	h.mu.Unlock()
	if w != nil && w.parks {
		if n := h.note.Load(); n != nil {
			n.unsure.Store(true) // a call that parks withdraws the note
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

// told reports whether err is what the half was closed with. plain stands for nil.
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

// close closes the half. Any goroutine may call it.
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

// look makes the calls that any goroutine may make.
func (h *randomHalf) look() {
	if n := h.there(); n < 0 || n > h.end.Cap() {
		h.fail("%s: %d of %d bytes are there", h.name, n, h.end.Cap())
	}
	if err := h.end.Err(); err != nil && !h.means(err) {
		h.fail("%s: Err is %v", h.name, err)
	}
}

// looked is look after a call by the owner. It also checks that the end is final.
func (h *randomHalf) looked() {
	h.look()
	err := h.end.Err()
	if h.over != nil && (err == nil || err.Error() != h.over.Error() && (err != io.ErrClosedPipe || h.asked.Load() == 0)) {
		h.fail("%s: Err is %v after %v", h.name, err, h.over)
	}
	h.over = err
}

// setRandomDeadline sets a random deadline. Any goroutine may call it.
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
		after := int64(at.Sub(h.began)) // on the monotonic clock, as in the ring
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

// size returns a random number of bytes to move.
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

// need returns a random number of bytes to wait for, at least 1. Few numbers are
// large, because two halves stand still if they need more bytes than the ring can
// give both.
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

// callback calls IOSlices and returns how many bytes that moved. touch uses the
// first n bytes of what is offered.
func (h *randomHalf) callback(ioSlices func(func([][]byte, int) (int, error)) (int, error), touch func(bufs [][]byte, n int)) int {
	least := h.there()
	var ran, panicked bool
	var offered, given int
	var givenErr error
	n, err := h.call("IOSlices", least, nil, func() (n int, err error) {
		defer func() {
			if panicked {
				recover()
			}
		}()
		return ioSlices(func(bufs [][]byte, all int) (int, error) {
			ran, offered = true, all
			h.offered("IOSlices", least, bufs...)
			switch h.rng.IntN(12) {
			case 0: // moves nothing, as an onlooker would
			case 1:
				given, givenErr = h.rng.IntN(all+1), errCallback
			case 2:
				given = -1
			case 3:
				given, givenErr = all+1, errCallback
			case 4:
				panicked = true
				panic(errCallback)
			default:
				given = h.rng.IntN(all + 1)
			}
			if given >= 0 && given <= all {
				touch(bufs, given)
			}
			return given, givenErr
		})
	})
	switch {
	case panicked:
	case !ran && n == 0 && err != nil && h.means(err):
	case ran && (given < 0 || given > offered) && n == 0 && errors.Is(err, ErrInvalidCount) && (givenErr == nil || errors.Is(err, givenErr)):
	case ran && given >= 0 && given <= offered && n == given && err == givenErr:
	case ran && n == 0 && errors.Is(err, io.ErrClosedPipe) && h.asked.Load() != 0 && (givenErr == nil || errors.Is(err, givenErr)):
	default:
		h.fail("%s: IOSlices returned %d, %v; its callback ran: %t, and returned %d of %d, %v", h.name, n, err, ran, given, offered, givenErr)
	}
	return n
}

// tooMuch calls Commit or Discard with an invalid count.
func (h *randomHalf) tooMuch(giveBack func(n int) error) {
	n := []int{-1, h.end.Cap() + 1}[h.rng.IntN(2)]
	before, panicked := h.end.Err(), true
	_, err := h.call("giving back too much", n, nil, func() (int, error) {
		defer func() {
			if panicked {
				recover()
			}
		}()
		err := giveBack(n)
		panicked = false
		return 0, err
	})
	closed := h.asked.Load() != 0
	if panicked && n > 0 && closed && before == io.ErrClosedPipe || !panicked && (n < 0 || !closed || err != io.ErrClosedPipe) {
		h.fail("%s: giving back %d bytes panicked: %t, with %v; the half was closed: %t", h.name, n, panicked, err, closed)
	}
}

// offered checks slices that a call has handed out and returns how many bytes they
// have. Unless the end has come, there must be at least least bytes.
func (h *randomHalf) offered(call string, least int, bufs ...[]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
		if cap(b) != len(b) {
			h.fail("%s: %s offers %d bytes of a capacity of %d", h.name, call, len(b), cap(b))
		}
	}
	if n < least && !h.cut() || n > h.end.Cap() {
		h.fail("%s: %s offers %d bytes, but at least %d were there", h.name, call, n, least)
	}
	return n
}

// idle does nothing for as long as the other goroutines can go on.
func (h *randomHalf) idle() {
	h.call("idle", 0, nil, func() (int, error) { <-h.stop; return 0, nil })
}

// until waits for a channel, or until it is nudged.
func (h *randomHalf) until(name string, note *randomNote, c <-chan struct{}) {
	h.call(name, note.n, &waiting{noted: true}, func() (int, error) {
		select {
		case <-c:
			if note.token != nil {
				note.unsure.Store(true) // the value was received and may be from an earlier arming
			}
		case <-h.nudged:
		case <-h.stop:
		}
		return h.there(), nil
	})
}

func (h *randomHalf) rarelyIdle() {
	if h.rng.IntN(20) == 0 {
		h.idle()
	}
}

// poll waits by making calls that move nothing until done reports true.
func (h *randomHalf) poll(name string, need int, done func() bool) {
	h.call(name, need, &waiting{need: need}, func() (int, error) {
		for i := 0; !done() && !h.stopped(); i++ {
			select {
			case <-h.nudged:
				return h.there(), nil
			default:
			}
			if i < 10 {
				runtime.Gosched()
			} else {
				time.Sleep(20 * time.Microsecond)
			}
		}
		return h.there(), nil
	})
}

// wait calls Wait with one of several kinds of context.
func (h *randomHalf) wait() {
	n := h.need()
	switch h.rng.IntN(20) {
	case 0:
		n = 0
	case 1:
		n = h.end.Cap() + 1
	case 2:
		n = -1
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	switch h.rng.IntN(8) {
	case 0:
		cancel(errCancelled)
	case 1:
		time.AfterFunc(time.Duration(h.rng.IntN(300))*time.Microsecond, func() { cancel(errCancelled) })
	case 2:
		ctx = context.Background()
	}
	h.cancel.Store(&cancel)
	w := &waiting{need: n, parks: true, ctx: ctx}
	_, err := h.call("Wait", n, w, func() (int, error) { return 0, h.end.Wait(ctx, n) })
	switch {
	case n < 0 || n > h.end.Cap():
		if !errors.Is(err, ErrRange) {
			h.fail("%s: Wait(%d) is %v", h.name, n, err)
		}
	case err == nil && (h.there() >= n || h.cut()):
	case err != nil && (h.allowed(err, w) || h.there() < n && h.short(err)):
	default:
		h.fail("%s: Wait(%d) is %v with %d bytes there", h.name, n, err, h.there())
	}
}

// A randomNote is what Notify or Ready has armed.
type randomNote struct {
	n       int
	at      uint64
	ran     atomic.Int32
	done    chan struct{}   // closed when the function runs
	token   <-chan struct{} // Ready's channel, instead of done
	disarms uint64          // the count when it was armed
	unsure  atomic.Bool     // whether it may have been withdrawn
	never   bool            // whether it was withdrawn
}

func (n *randomNote) fired() bool { return n.ran.Load() > 0 || len(n.token) > 0 }

// sure reports whether n cannot have been withdrawn, and so must run.
func (h *randomHalf) sure(n *randomNote) bool {
	return n != nil && !n.unsure.Load() && n.disarms == h.disarms.Load()
}

// settle checks the last note once more before it is replaced.
func (h *randomHalf) settle() {
	if n := h.note.Load(); n != nil && (n.ran.Load() > 1 || n.never && n.ran.Load() > 0) {
		h.fail("%s: Notify(%d) has run %d times, withdrawn: %t", h.name, n.n, n.ran.Load(), n.never)
	}
}

// arm calls Notify. It returns nil if Notify returned false.
func (h *randomHalf) arm(n int) *randomNote {
	h.settle()
	h.note.Store(nil)
	note := &randomNote{n: n, at: h.target(n), done: make(chan struct{}), disarms: h.disarms.Load()}
	note.unsure.Store(h.spilled > 0) // part of the spill may be left
	pending := false
	h.call("Notify", n, nil, func() (int, error) {
		pending = h.end.Notify(n, func() {
			if k := note.ran.Add(1); k > 1 || !h.come(note.at) {
				h.fail("%s: Notify(%d) for cursor %#x has run %d times, with %d bytes there", h.name, n, note.at, k, h.there())
				return
			}
			close(note.done)
		})
		return 0, nil
	})
	if pending {
		h.note.Store(note)
		return note
	}
	if h.there() < n && h.spilled == 0 && !h.ends() && !h.cut() || note.ran.Load() > 0 {
		h.fail("%s: Notify(%d) returned false with %d bytes there, and has run %d times", h.name, n, h.there(), note.ran.Load())
	}
	return nil
}

// ready calls Ready.
func (h *randomHalf) ready() *randomNote {
	h.settle()
	h.note.Store(nil)
	note := &randomNote{n: 1, at: h.target(1), disarms: h.disarms.Load()}
	note.unsure.Store(h.spilled > 0)
	over := h.end.Err() != nil
	h.call("Ready", 1, nil, func() (int, error) { note.token = h.end.Ready(); return len(note.token), nil })
	if over && len(note.token) == 0 {
		h.fail("%s: Ready's channel has no value after the end", h.name)
	}
	h.note.Store(note)
	return note
}

func (h *randomHalf) notified() {
	note := h.arm(h.need())
	if note == nil {
		return
	}
	h.until("until notified", note, note.done)
}

// rung waits for Ready's channel, which may hold a value of an earlier arming.
func (h *randomHalf) rung() {
	for h.there() == 0 && !h.ends() && !h.stopped() {
		note := h.ready()
		h.until("until ready", note, note.token)
	}
}

func (h *randomHalf) disarm() {
	note := h.note.Load()
	sure := h.sure(note)
	withdrawn := false
	h.call("Disarm", 0, nil, func() (int, error) { withdrawn = h.end.Disarm(); return 0, nil })
	switch {
	case withdrawn && note == nil:
		h.fail("%s: Disarm returned true though nothing was armed", h.name)
	case withdrawn:
		note.never = note.done != nil
		note.unsure.Store(true)
	case sure && h.sure(note) && !h.come(note.at):
		h.fail("%s: Disarm returned false though Notify(%d) was armed", h.name, note.n)
	}
}
