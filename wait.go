package bytering

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering/internal/seam"
)

// The waking theorem. Let one half wait until the other has moved to a
// cursor value, its target. Name three events:
//
//	E1  the waiter arms: it stores its target with the armed bit
//	E2  the waker changes what is waited for: a cursor, a closed bit, the
//	    deadline
//	E3  the waker loads the target
//
// The waiter does E1, then looks again at everything that can end its wait,
// then sleeps. The waker does E2, then E3. All are sequentially consistent, so
// either E1 comes before E3, and the waker finds the target, disarms it and
// sends a token: the sleep ends. Or E3 comes before E1, then so does E2, and
// the waiter sees the change when it looks again: there is no sleep. No wake
// is lost (I6).
//
// A waiter:                          A waker:
//
//	for !ready {                       change the state
//	    arm                            if armed and reached
//	    if ready, disarm and break         and the compare-and-swap to
//	    take a token                       disarmed succeeds:
//	}                                  post a token, never blocking
//
// Two wakers do without E3. A deadline that passes has its timer post a token
// in any case, and the waiter reads the clock after it has set the timer's
// moment; ctx ends the sleep itself.
//
// The loop makes a token that nobody needs any more harmless, so none has to
// be drained. The armed bit is a bit of its own, never a cursor value, because
// every cursor value comes round. The compare-and-swap lets one waker only
// post for each arming.
//
// The explorer proves this sentence by sentence over the code below, and
// model/ring.pml does over the protocol alone.

// A target is a cursor value with two bits above it:
//
//	bit 63    armed: the half waits
//	bit 62    soft: it waits for more than it needs
//	bits 0-61 the cursor value, modulo 1<<62
//
// Only the producer's target is ever soft. A Write that finds the ring full
// could go on with one free byte, but waits for a quarter of the ring, so that
// a full ring isn't refilled byte by byte. The consumers may not give back that
// much: they may wait in turn for bytes that Write still has. So while any
// consumer waits for more than it has, one free byte is enough. This takes two
// looks, because either may come first, the wait or the space:
//
//   - A consumer that begins to wait stores its target or note, re-checks its own
//     condition, then loads the producer's target. If that is soft, and any space
//     is free, the consumer wakes the producer. It does so again after each
//     spurious token.
//   - A consumer that gives space back, by a discard or by its release, stores
//     its cursor or its hold, then loads the producer's target. If that is soft
//     and not reached, and any space is free, the consumer loads the targets
//     and notes of all consumers, and wakes the producer if one is set.
//
// The theorem holds for the pair: of the store of a consumer's target and the
// load of it after a discard, one comes first. If the store does, the discard
// finds the wait. If the load does, the cursor was stored before, and the
// waiting consumer finds the space. The producer's second look is for one byte,
// not for a quarter. A consumer that spins looks at the producer's target in
// each round, and one that polls looks in each call that moves nothing.
//
// A wait for n bytes by Wait or Notify is never soft. Such waits on both sides
// can be served only if the two need at most one byte more than the capacity
// between them.
const (
	armed = 1 << 63
	soft  = 1 << 62
	goal  = soft - 1
)

// met reports whether the cursor at has come to what the target t waits for.
// The two are less than maxCapacity apart, one way or the other.
func met(t, at uint64) bool { return (at-t)&goal < maxCapacity }

// A lot is where a half parks: a channel, so that testing/synctest sees the
// goroutine as blocked.
type lot struct {
	token seam.Token
}

func newLot() lot { return lot{token: seam.NewToken()} }

// wake ends the wait of whoever is armed at target.
func (l *lot) wake(target *target) {
	if t := target.Load(); t&armed != 0 {
		l.disarm(target, t)
	}
}

// disarm ends the wait that t stands for, unless it has ended meanwhile.
func (l *lot) disarm(target *target, t uint64) {
	if target.CompareAndSwap(t, 0) {
		seam.Post(l.token)
	}
}

// moved ends the wait of whoever is armed at target for the cursor value at,
// or for an earlier one. Where nobody waits it costs a load.
func (l *lot) moved(target *target, at uint64) {
	if t := target.Load(); t&armed != 0 && met(t, at) {
		l.disarm(target, t)
	}
}

// waited tells whether anybody waits at the target, or has a note there. Where
// nobody does, which is nearly always, it costs two loads and no call.
func (t *target) waited() bool { return t.Load()&armed != 0 || t.note.Load() != nil }

// committed wakes and notifies the consumers that wait for no more than the
// write cursor at. The cursor has been stored. Those that are parked come
// first, because a note's function is somebody else's.
func (r *ring) committed(at uint64) {
	notes := false
	for _, rd := range r.readers {
		rd.lot.moved(&rd.data, at)
		notes = notes || rd.data.note.Load() != nil
	}
	if notes {
		r.notifyConsumers()
	}
}

// discarded wakes and notifies the producer if it waits for no more than what
// is free now, or softly and a consumer waits. The read cursor has been stored,
// or its consumer released.
func (r *ring) discarded() {
	if t := r.space.Load(); t&armed != 0 {
		at, ok := r.slowest()
		if !ok || met(t, at) || t&soft != 0 && r.anyFree(at) && r.starving() {
			r.lot.disarm(&r.space, t)
		}
	}
	if r.space.note.Load() != nil {
		r.notifyProducer()
	}
}

// shareSpace wakes a producer that waits softly if any space is free. A consumer
// calls it when it waits for more than it has.
func (r *ring) shareSpace() {
	if t := r.space.Load(); t&soft != 0 {
		r.share(t)
	}
}

func (r *ring) share(t uint64) {
	if at, ok := r.slowest(); ok && r.anyFree(at) {
		r.lot.disarm(&r.space, t)
	}
}

// anyFree reports whether a byte is free while the slowest read cursor is at.
func (r *ring) anyFree(at uint64) bool {
	return r.filled(at, r.write.Load()&count) < r.size
}

// quarter is the free space that a writer waits for when any amount would do.
func (r *ring) quarter() int { return max(leastWant, r.size/4) }

// starving reports whether a consumer waits, parked or with a note, so that the
// producer should use what space there is. The words are loaded after whatever
// gave the space back was stored.
func (r *ring) starving() bool {
	for _, rd := range r.readers {
		if rd.data.waited() {
			return true
		}
	}
	return false
}

// sleep takes a token, or returns the cause of ctx if that ends first.
func (l *lot) sleep(ctx context.Context) error {
	if !seam.Take(l.token, ctx.Done()) {
		return context.Cause(ctx)
	}
	return nil
}

// await parks the producer until need bytes are free, or all consumers are
// closed, or it is itself; then it returns nil. If none of this is so by the
// time that the deadline passes, or ctx ends, it returns that as an error. It
// sleeps until want bytes are free, at least need, or somebody wakes it
// earlier. The caller has looked already.
func (p *Producer) await(ctx context.Context, need, want int) error {
	r := p.ring
	r.space.withdraw()
	if p.spinner.wanted() && p.spin(ctx, need, want) {
		return nil
	}
	target := p.target(want)&goal | armed
	if want > need {
		target |= soft
	}
	for {
		r.space.Store(target)
		ready, err := p.ready(need), error(nil)
		if !ready {
			if err = p.watch(); err == nil {
				err = r.lot.sleep(ctx)
			}
			ready = p.ready(need)
			if ready && err == nil && want > need {
				p.linger(want)
			}
		}
		if ready {
			err = nil
		}
		if ready || err != nil {
			r.space.Store(0)
			return err
		}
	}
}

// linger yields, a few times while that is quick, until want bytes are free or
// never will be. The producer was woken for less. If it took that at once, it
// would be woken for every piece that the slowest consumer reads while a faster
// one waits, and move a half of what it does so.
func (p *Producer) linger(want int) {
	for range seam.Patience {
		if p.ready(want) || !seam.Yield() {
			return
		}
	}
}

// target returns what n free bytes mean for the slowest read cursor.
func (p *Producer) target(n int) uint64 {
	return (p.pos + uint64(n) - uint64(p.ring.size)) & count
}

// ready reports whether there is no reason to wait for n free bytes: they are
// there or will never be. WaitEmpty goes on after the producer's own Close.
func (p *Producer) ready(n int) bool {
	return p.free(n) >= n || p.ring.open.Load() == 0 || p.closed() && !p.draining
}

// await parks the consumer until n bytes are there, or the producer is closed,
// or it is itself; then it returns nil. If none of this is so by the time that
// the deadline passes, or ctx ends, it returns that as an error. The caller has
// looked already.
func (c *Consumer) await(ctx context.Context, n int) error {
	rd := c.reader
	rd.data.withdraw()
	if c.spinner.wanted() && c.spin(ctx, n) {
		return nil
	}
	target := c.target(n)&goal | armed
	for {
		rd.data.Store(target)
		ready, err := c.ready(n), error(nil)
		if !ready {
			if err = c.watch(); err == nil {
				c.ring.shareSpace()
				err = rd.lot.sleep(ctx)
			}
			ready = c.ready(n)
		}
		if ready {
			err = nil
		}
		if ready || err != nil {
			rd.data.Store(0)
			return err
		}
	}
}

// target returns what n bytes mean for the write cursor.
func (c *Consumer) target(n int) uint64 { return (c.pos + uint64(n)) & count }

// ready tells whether there is no reason to wait for n bytes: they are there
// or will never be.
func (c *Consumer) ready(n int) bool {
	return c.len(n) >= n || c.eof || c.closed()
}

// Wait parks until n bytes are free. An n of 0 never waits. Wait returns the
// first of these that is so, when it begins or later:
//
//   - an error that wraps [ErrRange]: n is negative or above the
//     capacity;
//   - what [Producer.Err] returns, if that is not nil;
//   - os.ErrDeadlineExceeded: the deadline had passed when Wait began, whatever
//     is free;
//   - nil: n bytes are free, also under a context that has ended;
//   - os.ErrDeadlineExceeded or the cause of ctx, as soon as either ends.
//
// So a loop that fills the ring in place ends with the consumers. See
// [Producer.WaitEmpty] for a wait until everything was taken.
func (p *Producer) Wait(ctx context.Context, n int) error {
	p.enter()
	defer p.leave()
	if err := p.ring.checkRange(n); err != nil {
		return err
	}
	if p.overdue() {
		return os.ErrDeadlineExceeded
	}
	if n > 0 {
		_, err := p.flush(ctx, n)
		if err == nil && !p.ready(n) {
			err = p.await(ctx, n, n)
		}
		if err != nil {
			return err
		}
	}
	return p.Err()
}

// WaitEmpty parks until the consumers have taken everything that was published.
// It may be called after the producer's own Close too, to learn whether the last
// bytes have arrived. A closed consumer counts for as long as it limits the
// producer: see [Consumer.Limits]. WaitEmpty returns the first of these that is
// so, when it begins or later:
//
//   - os.ErrDeadlineExceeded: the deadline had passed when WaitEmpty began, before
//     the producer's Close;
//   - nil: everything was taken, also if the consumers are closed since then, or
//     if one of several took everything before all were closed;
//   - the consumer's error, or io.ErrClosedPipe, or with several consumers their
//     errors joined: they are closed and have not taken everything;
//   - os.ErrDeadlineExceeded, before the producer's Close, or the cause of ctx, as
//     soon as either ends.
//
// What a ReadFrom has read and could not publish is published first; after the
// producer's Close it is dropped.
func (p *Producer) WaitEmpty(ctx context.Context) error {
	p.enter()
	defer p.leave()
	if p.overdue() {
		return os.ErrDeadlineExceeded
	}
	if _, err := p.flush(ctx, 0); err != nil && !p.ended() {
		return err
	}
	p.draining = true
	defer func() { p.draining = false }()
	all := p.ring.size
	if !p.ready(all) {
		if err := p.await(ctx, all, all); err != nil {
			return err
		}
	}
	if p.free(all) == all || p.ring.tookAll(p.pos) {
		return nil
	}
	return p.ring.gone()
}

// Wait parks until n bytes are there to be read. An n of 0 never waits. It
// returns the first of these that is so, when it begins or later:
//
//   - an error that wraps [ErrRange]: n is negative or above the
//     capacity;
//   - what [Consumer.Err] returns, if that is not nil;
//   - os.ErrDeadlineExceeded: the deadline had passed when Wait began, whatever
//     is there;
//   - nil: n bytes are there, also under a context that has ended;
//   - the producer's error, or io.ErrUnexpectedEOF where that is io.EOF: it was
//     closed, and fewer than n bytes are left, which can still be read;
//   - os.ErrDeadlineExceeded or the cause of ctx, as soon as either ends.
func (c *Consumer) Wait(ctx context.Context, n int) error {
	c.enter()
	defer c.leave()
	if err := c.ring.checkRange(n); err != nil {
		return err
	}
	if c.overdue() {
		return os.ErrDeadlineExceeded
	}
	if n > 0 && !c.ready(n) {
		if err := c.await(ctx, n); err != nil {
			return err
		}
	}
	there := c.len(n)
	switch {
	case n == 0 || c.closed():
		return c.Err()
	case there >= n:
		return nil
	}
	err := errOf(&c.ring.writeErr, io.EOF)
	if there > 0 && err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// checkRange refuses what could never be there.
func (r *ring) checkRange(n int) error {
	if n < 0 || n > r.size {
		return fmt.Errorf("%w: %d in a ring of %d", ErrRange, n, r.size)
	}
	return nil
}
