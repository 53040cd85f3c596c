package bytering

import (
	"fmt"

	"github.com/bytering/bytering/internal/seam"
)

// A note is what a half that does not park leaves beside its target: the
// cursor value that it waits for and a function for the goroutine that gets
// there. It is never changed, and a new one is made each time, so that a
// compare-and-swap of the pointer from the note to nil takes just that note:
// who succeeds runs the function, or has withdrawn it.
//
// The waking theorem holds for it with other words: E1 is that the note is
// stored, E3 that it is loaded. What is wanted is looked at after E3, so a
// note is never taken for what came before it. A target that a parking call
// arms may be woken for nothing; a note never is.
type note struct {
	at uint64
	f  func()
}

// withdraw takes the note away, whichever it is. False means that there was
// none or that its function runs.
func (t *target) withdraw() bool {
	n := t.note.Load()
	return n != nil && t.note.CompareAndSwap(n, nil)
}

// run runs the function of n, which has come true, unless somebody was faster.
func (t *target) run(n *note) {
	if t.note.CompareAndSwap(n, nil) {
		n.f()
	}
}

// notifyConsumers does notifyConsumer for all of them.
func (r *ring) notifyConsumers() {
	for _, rd := range r.readers {
		r.notifyConsumer(rd)
	}
}

// notifyConsumer runs the consumer's note if its bytes are there, or will
// never be.
func (r *ring) notifyConsumer(rd *reader) {
	n := rd.data.note.Load()
	if n == nil {
		return
	}
	write := r.write.Load()
	if write&closed != 0 || reached(write, n.at) || rd.read.Load()&closed != 0 {
		rd.data.run(n)
	}
}

// notifyProducer runs the producer's note if its space is free, or will never
// be. While the last of several consumers is being closed none may limit the
// producer any more, and the end is not there yet: it is the closer who
// notifies then.
func (r *ring) notifyProducer() {
	n := r.space.note.Load()
	if n == nil {
		return
	}
	at, ok := r.slowest()
	if ok && reached(at, n.at) || r.open.Load() == 0 || r.write.Load()&closed != 0 {
		r.space.run(n)
	}
}

// A bell is what Ready needs: a channel of capacity 1 and the note's function,
// which rings it.
type bell struct {
	token seam.Token
	ring  func()
}

// make makes the bell at its first use.
func (b *bell) make() {
	if b.ring == nil {
		token := seam.NewToken()
		b.token, b.ring = token, func() { seam.Post(token) }
	}
}

// quiet takes back what was not received.
func (b *bell) quiet() {
	if b.ring != nil {
		seam.Drain(b.token)
	}
}

// Notify has f run once n bytes are free. False means that they are, or that
// [Producer.Err] is not nil any more: there is no reason to wait, and f will
// not run. True means that f runs exactly once, as soon as n bytes are free or
// the end has come, unless it is withdrawn before.
//
// It is withdrawn by [Producer.Disarm], by the next Notify or
// [Producer.Ready], whatever they return, and by a call that parks. Calls that
// do not park leave it: n is counted from where the producer stood.
//
// f runs on the goroutine that made it so, inside the consumer's call that
// discarded, or inside Close. It holds that one up and must not wait, nor
// panic: that would come out of the call, and may leave the half that made it
// unusable and the memory of a mapped ring mapped. Of the halves of this ring it
// may only call what any goroutine may; all else is for the goroutine that f
// tells, through a channel, or through an eventfd where that one waits in a
// poller.
//
// Bytes that a ReadFrom has read and could not publish come first. While some are
// left, one free byte is enough, whatever n is, also for Notify to return false:
// otherwise they might wait for a consumer that waits for them. Look for the space
// with a call that does not wait, which publishes what it can of them, and if
// there is too little call Notify again.
//
// Notify never waits, and deadlines mean nothing to it. It panics if n is negative
// or above the capacity, since that many will never be free, or if f is nil.
func (p *Producer) Notify(n int, f func()) (pending bool) {
	p.ring.checkNotify(n, f)
	p.enter()
	p.ring.space.withdraw()
	pending = p.notify(n, f)
	p.leave()
	return pending
}

// notify is Notify without a note of before.
func (p *Producer) notify(n int, f func()) bool {
	if !p.unspilled() {
		n = min(n, 1) // any room is of use
	}
	if p.ready(n) {
		return false
	}
	space, mine := &p.ring.space, &note{p.target(n), f}
	space.note.Store(mine)
	return !p.ready(n) || !space.note.CompareAndSwap(mine, nil)
}

// Disarm withdraws what [Producer.Notify] or [Producer.Ready] has armed. True
// means that it was armed and will not run. False means that nothing was, or
// that f has run, runs or is about to. Any goroutine may call it at any time.
func (p *Producer) Disarm() (withdrawn bool) { return p.ring.space.withdraw() }

// Ready arms for one free byte and returns a channel that gets one value when
// there is one, or when [Producer.Err] is not nil: at once, if it is so
// already. It is the same channel each time, for a select; it is never closed,
// and after the end each Ready gives one more value.
//
// It is [Producer.Notify] with a function that sends to the channel, so what
// withdraws that withdraws this, and a new Ready takes back a value that was
// not received. One that the consumer is about to send meanwhile stays: look
// for the space with a call that does not wait, and if there is none call
// Ready again. Deadlines mean nothing to it.
func (p *Producer) Ready() <-chan struct{} {
	p.enter()
	p.arm()
	p.leave()
	return seam.Chan(p.bell.token)
}

func (p *Producer) arm() {
	p.ring.space.withdraw()
	p.bell.make()
	p.bell.quiet()
	if !p.notify(1, p.bell.ring) {
		p.bell.ring()
	}
}

// Notify has f run once n bytes are there. False means that they are, or that
// no more will come: there is no reason to wait, and f will not run. True means
// that f runs exactly once, as soon as n bytes are there or either half is
// closed, unless it is withdrawn before.
//
// It is withdrawn by [Consumer.Disarm], by the next Notify or
// [Consumer.Ready], whatever they return, and by a call that parks. Calls that
// do not park leave it: n is counted from where the consumer stood.
//
// f runs on the goroutine that made it so, inside the producer's call that
// committed, or inside Close. It holds that one up and must not wait, nor
// panic: that would come out of the call, and may leave the half that made it
// unusable and the memory of a mapped ring mapped. Of the halves of this ring it
// may only call what any goroutine may; all else is for the goroutine that f
// tells, through a channel, or through an eventfd where that one waits in a
// poller.
//
// Notify never waits, and deadlines mean nothing to it. It panics if n is negative
// or above the capacity, since that many will never be there, or if f is nil.
func (c *Consumer) Notify(n int, f func()) (pending bool) {
	c.ring.checkNotify(n, f)
	c.enter()
	c.reader.data.withdraw()
	pending = c.notify(n, f)
	c.leave()
	return pending
}

// notify is Notify without a note of before.
func (c *Consumer) notify(n int, f func()) bool {
	if c.ready(n) {
		return false
	}
	data, mine := &c.reader.data, &note{c.target(n), f}
	data.note.Store(mine)
	if c.ready(n) {
		return !data.note.CompareAndSwap(mine, nil)
	}
	c.ring.shareSpace()
	return true
}

// Disarm withdraws what [Consumer.Notify] or [Consumer.Ready] has armed. True
// means that it was armed and will not run. False means that nothing was, or
// that f has run, runs or is about to. Any goroutine may call it at any time.
func (c *Consumer) Disarm() (withdrawn bool) { return c.reader.data.withdraw() }

// Ready arms for one byte and returns a channel that gets one value when it is
// there, or when no more will come: at once, if it is so already. It is the same
// channel each time, for a select; it is never closed, and after the end each
// Ready gives one more value.
//
// It is [Consumer.Notify] with a function that sends to the channel, so what
// withdraws that withdraws this, and a new Ready takes back a value that was
// not received. One that the producer is about to send meanwhile stays: look
// for the bytes with a call that does not wait, and if there are none call
// Ready again. Deadlines mean nothing to it.
func (c *Consumer) Ready() <-chan struct{} {
	c.enter()
	c.arm()
	c.leave()
	return seam.Chan(c.bell.token)
}

func (c *Consumer) arm() {
	c.reader.data.withdraw()
	c.bell.make()
	c.bell.quiet()
	if !c.notify(1, c.bell.ring) {
		c.bell.ring()
	}
}

// checkNotify refuses what could never run.
func (r *ring) checkNotify(n int, f func()) {
	if n < 0 || n > r.size {
		panic(fmt.Sprintf("bytering: Notify of %d bytes in a ring of %d", n, r.size))
	}
	if f == nil {
		panic("bytering: Notify of a nil function")
	}
}
