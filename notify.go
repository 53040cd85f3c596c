package bytering

import (
	"fmt"

	"github.com/bytering/bytering/internal/seam"
)

// A note is what a half that does not park leaves beside its target: the cursor
// value that it waits for and a function to run once that is reached. It never
// changes, and each arming makes a new one, so that a compare-and-swap of the
// pointer from the note to nil takes exactly that note: whichever goroutine
// succeeds runs the function, or has withdrawn it.
//
// The waking theorem holds for it in other words: E1 stores the note, E3 loads
// it. The waker looks at the state after E3, so it never takes a note for what
// came before it. A parked half may be woken for nothing; a note never runs for
// nothing.
type note struct {
	at uint64
	f  func()
}

// withdraw takes the note away, whichever it is. It returns false if there was
// none or its function runs.
func (t *target) withdraw() bool {
	n := t.note.Load()
	return n != nil && t.note.CompareAndSwap(n, nil)
}

// notify runs the note of a half that has one, if what it waits for is there or
// never will be. While the last of several consumers is being closed, it can be
// that none limits the producer any more and the end is not reached yet. In that
// case this Close notifies.
func (r *ring) notify(s *record) {
	n := s.target.note.Load()
	if n == nil {
		return
	}
	write := r.producer.cursor.Load()
	due := write&closed != 0
	if s != &r.producer {
		due = due || reached(write, n.at) || s.cursor.Load()&closed != 0
	} else if !due {
		at, ok := r.slowest()
		due = ok && reached(at, n.at) || r.openConsumers.Load() == 0
	}
	if due && s.target.note.CompareAndSwap(n, nil) {
		n.f()
	}
}

// notify makes f the half's note. It returns false if there is no reason to
// wait for n bytes.
func (h *half) notify(n int, f func()) bool {
	t := &h.shared.target
	t.withdraw()
	if h.side.ready(n) {
		return false
	}
	mine := &note{h.side.goal(n), f}
	t.note.Store(mine)   // E1
	if h.side.ready(n) { // the second look
		return !t.note.CompareAndSwap(mine, nil)
	}
	if h.consumes() {
		h.ring.wakeSoft()
	}
	return true
}

// A readiness is the channel of Ready, of capacity 1, and the function of its
// notes, which sends to it.
type readiness struct {
	token seam.Token // made at the first use
	post  func()
}

// drain takes back what was not received.
func (x *readiness) drain() {
	if x.post != nil {
		seam.Drain(x.token)
	}
}

// notifyReady arms for Ready.
func (h *half) notifyReady() {
	x := &h.readiness
	if x.post == nil {
		token := seam.NewToken()
		x.token, x.post = token, func() { seam.Post(token) }
	}
	h.shared.target.withdraw() // before the drain: what it sends is taken back
	x.drain()
	if !h.notify(1, x.post) {
		x.post()
	}
}

// checkNotify panics if a note could never run.
func (r *ring) checkNotify(n int, f func()) {
	if n < 0 || n > r.size {
		panic(fmt.Sprintf("bytering: Notify of %d bytes in a ring of %d", n, r.size))
	}
	if f == nil {
		panic("bytering: Notify of a nil function")
	}
}

// Notify arranges for f to run once n bytes are free. It returns false if they
// are free already, or if [Producer.Err] is not nil: then there is no reason to
// wait, and f will not run. Otherwise it returns true, and f runs exactly once,
// as soon as n bytes are free or the end has come, unless it is withdrawn first.
//
// It is withdrawn by [Producer.Disarm], by the next Notify or
// [Producer.Ready], whatever they return, and by a call that parks. Calls that
// do not park leave it: n is counted from where the producer stood.
//
// f runs synchronously inside the call that made the condition true: the
// consumer's call that discarded, or a Close. It must not block. It must not
// panic: the panic would propagate out of that call, and may leave that half
// unusable and the memory of a mapped ring mapped. Of the halves of this ring it
// may only call what any goroutine may call. Leave everything else to a goroutine
// that f signals, through a channel, or through an eventfd if that goroutine waits
// in a poller.
//
// Bytes that a ReadFrom has read and could not publish come first. While some are
// left, one free byte is enough, whatever n is, also for Notify to return false:
// otherwise they might wait for a consumer that waits for them. Look for the space
// with a call that does not block, which publishes what it can of them, and if
// there is too little call Notify again.
//
// Notify never blocks, and deadlines do not apply to it. It panics if n is
// negative or above the capacity, or if f is nil.
func (p *Producer) Notify(n int, f func()) (pending bool) {
	p.ring.checkNotify(n, f)
	p.enter()
	if !p.unspilled() {
		n = min(n, 1) // any room is of use
	}
	pending = p.notify(n, f)
	p.leave()
	return pending
}

// Disarm withdraws what [Producer.Notify] or [Producer.Ready] has armed. It
// returns true if that was armed and will not run, and false if nothing was armed
// or f has run, is running or is about to. Any goroutine may call it at any time.
func (p *Producer) Disarm() (withdrawn bool) { return p.shared.target.withdraw() }

// Ready arms for one free byte and returns a channel that receives one value
// when there is one, or when [Producer.Err] is not nil: at once, if that is so
// already. It is the same channel each time, for use in a select. It is never
// closed, and after the end each Ready sends one more value.
//
// Ready is [Producer.Notify] with a function that sends to the channel. So what
// withdraws that withdraws this, and a new Ready takes back a value that was
// not received. A value that the consumer is about to send meanwhile stays: look
// for the space with a call that does not block, and if there is none call
// Ready again. Deadlines do not apply to it.
func (p *Producer) Ready() <-chan struct{} {
	p.enter()
	p.unspilled()
	p.notifyReady()
	p.leave()
	return seam.Chan(p.readiness.token)
}

// Notify arranges for f to run once n bytes are there. It returns false if they
// are there already, or if no more will come: then there is no reason to wait,
// and f will not run. Otherwise it returns true, and f runs exactly once, as soon
// as n bytes are there or either half is closed, unless it is withdrawn first.
//
// It is withdrawn by [Consumer.Disarm], by the next Notify or
// [Consumer.Ready], whatever they return, and by a call that parks. Calls that
// do not park leave it: n is counted from where the consumer stood.
//
// f runs synchronously inside the call that made the condition true: the
// producer's call that committed, or a Close. It must not block. It must not
// panic: the panic would propagate out of that call, and may leave that half
// unusable and the memory of a mapped ring mapped. Of the halves of this ring it
// may only call what any goroutine may call. Leave everything else to a goroutine
// that f signals, through a channel, or through an eventfd if that goroutine waits
// in a poller.
//
// Notify never blocks, and deadlines do not apply to it. It panics if n is
// negative or above the capacity, or if f is nil.
func (c *Consumer) Notify(n int, f func()) (pending bool) {
	c.ring.checkNotify(n, f)
	c.enter()
	pending = c.notify(n, f)
	c.leave()
	return pending
}

// Disarm withdraws what [Consumer.Notify] or [Consumer.Ready] has armed. It
// returns true if that was armed and will not run, and false if nothing was armed
// or f has run, is running or is about to. Any goroutine may call it at any time.
func (c *Consumer) Disarm() (withdrawn bool) { return c.shared.target.withdraw() }

// Ready arms for one byte and returns a channel that receives one value when it
// is there, or when no more will come: at once, if that is so already. It is the
// same channel each time, for use in a select. It is never closed, and after the
// end each Ready sends one more value.
//
// Ready is [Consumer.Notify] with a function that sends to the channel. So what
// withdraws that withdraws this, and a new Ready takes back a value that was
// not received. A value that the producer is about to send meanwhile stays: look
// for the bytes with a call that does not block, and if there are none call
// Ready again. Deadlines do not apply to it.
func (c *Consumer) Ready() <-chan struct{} {
	c.enter()
	c.notifyReady()
	c.leave()
	return seam.Chan(c.readiness.token)
}
