package bytering

import (
	"context"

	"github.com/bytering/bytering/internal/seam"
)

// The waking theorem. Let one half wait until the other has moved to a cursor
// value, its target. Name three events:
//
//	E1  the waiter arms: it stores its target with the armed bit
//	E2  the waker changes what is waited for: a cursor, a closed bit, the
//	    deadline
//	E3  the waker loads the target
//
// The waiter does E1, then takes a second look at everything that can end its
// wait, then sleeps. The waker does E2, then E3. All of these are sequentially
// consistent. So either E1 comes before E3: then the waker finds the target,
// disarms it and sends a token, and the sleep ends. Or E3 comes before E1: then
// so does E2, and the waiter sees the change at its second look, so there is no
// sleep. No wake is lost (I6).
//
//	the waiter                         the waker
//
//	for {                              change the state            E2
//	    arm               E1           if armed and reached        E3
//	    if ready          second look      disarm it with a
//	        break                          compare-and-swap and
//	    take a token      sleep            post a token, never blocking
//	    if ready
//	        break
//	}
//	disarm
//
// Two wakers need no E3. When a deadline passes, its timer posts a token in any
// case, and the waiter reads the clock after it has set the timer. A context
// ends the sleep itself.
//
// The loop makes a token that is no longer needed harmless, so tokens need not
// be drained. The armed bit is a bit of its own, not a special cursor value,
// because cursors wrap and use every value. Because of the compare-and-swap each
// arming is answered by at most one token.
//
// The explorer proves this over the code below, and model/ring.pml over the
// protocol alone.
//
// In the code, a blocked call sleeps in half.await. These change the state and
// then wake:
//
//	Producer.commit            the consumers, by wakeConsumers
//	Consumer.discard           the producer, by wakeProducer
//	half.quickMove, with       the only consumer, by wakeConsumer, or the producer, by
//	what follows it            wakeOthers
//	half.giveBack              the producer, when it releases a closed consumer
//	half.close                 the peers, and the half itself
//	half.setDeadline           the half itself
//	a consumer with too few    the producer if its wait is soft, by wakeSoft
//	bytes
//
// So a Write that hangs waits for a discard, such as by Read, Discard or WriteTo,
// of the consumer that has taken the least.

// A target is where a half waits. The word holds the cursor value of the other
// side that it waits for:
//
//	bit 63    armed: the half waits
//	bit 62    soft: it waits for more than it needs
//	bits 0-61 the cursor value, modulo 1<<62
//
// note is for a half that is notified instead (see notify.go). token is a
// channel, so that testing/synctest sees the goroutine as blocked.
//
// Only the producer's target is ever soft. A Write that finds the ring full
// could go on with one free byte, but waits for a quarter of the ring, so that
// a full ring is not refilled byte by byte. The consumers may not give back that
// much: they may wait in turn for bytes that Write still has. So while any
// consumer waits for more than it has, one free byte is enough. This takes two
// checks, because either the wait or the space may come first:
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
type target struct {
	seam.Uint64
	note  seam.Pointer[note]
	token seam.Token
}

const (
	armed    = 1 << 63
	soft     = 1 << 62
	goalMask = soft - 1
)

// satisfied reports whether the cursor at has come to the goal of the target
// word t. The two are less than maxCapacity apart, one way or the other.
func satisfied(t, at uint64) bool { return (at-t)&goalMask < maxCapacity }

// arm and disarm are the waiter's.
func (t *target) arm(word uint64) { t.Store(word) }
func (t *target) disarm()         { t.Store(0) }

// wake ends the wait at the target, whatever it is for.
func (t *target) wake() {
	if word := t.Load(); word&armed != 0 {
		t.post(word)
	}
}

// moved ends the wait at the target if it is for the cursor value at or an
// earlier one. Without a wait it costs a load.
func (t *target) moved(at uint64) {
	if word := t.Load(); word&armed != 0 && satisfied(word, at) {
		t.post(word)
	}
}

// post ends the wait that word stands for, unless it has ended meanwhile.
func (t *target) post(word uint64) {
	if t.CompareAndSwap(word, 0) {
		seam.Post(t.token)
	}
}

// hasWaiter reports whether the half waits at the target or has a note there. If
// not, which is nearly always, it costs two loads and no call.
func (t *target) hasWaiter() bool { return t.Load()&armed != 0 || t.note.Load() != nil }

// A demand is what a half waits for.
type demand struct {
	need  int  // bytes at which a look ends the wait
	want  int  // bytes at which the half is woken, at least need
	share bool // one byte is enough while a consumer waits for more than it has
}

func exactly(n int) demand { return demand{need: n, want: n} }

func (d demand) soft() bool { return d.share || d.want > d.need }

// await parks the half until its demand is met or never will be; then it
// returns nil. If the deadline passes or ctx ends before that, it returns the
// error. The caller has looked already. What comes before E1 does nothing
// but look again, later.
func (h *half) await(ctx context.Context, d demand) error {
	t := &h.shared.target
	t.withdraw()
	alone := h.alone()
	if h.spinFor > 0 && !alone && !d.share && h.spin(ctx, d) {
		return nil
	}
	if h.mayYield(alone) {
		began := seam.Ticks()
		seam.Gosched()
		if h.yielded(d, alone, began) {
			return nil
		}
	}
	if h.trails && !alone && h.fallBehind(d) {
		return nil
	}
	word := armed | h.side.goal(d.want)&goalMask
	if d.soft() {
		word |= soft
	}
	learns, began := alone && h.yielder.learns(), uint64(0)
	for {
		t.arm(word)   // E1
		if h.met(d) { // the second look
			h.trails = h.consumes() && h.foundFew()
			break
		}
		err := h.beforeSleep()
		if learns {
			began = seam.Ticks()
		}
		if err == nil && !seam.Take(t.token, ctx.Done()) { // the sleep
			err = context.Cause(ctx)
		}
		if h.met(d) { // also after an error: take what is there
			if err == nil {
				h.linger(d)
			}
			break
		}
		if err != nil {
			t.disarm()
			return err
		}
	}
	h.yielder.seen = h.limit
	t.disarm()
	if learns && began > 0 { // it has slept
		h.yielder.learn(seam.Nanos(began))
	}
	return nil
}

// met reports whether a wait for d can end. If d.share is set, one byte is
// enough while a consumer waits. A target that was disarmed before want bytes
// are there was disarmed for such a consumer, even if that one no longer waits.
// A token that leaves the target armed was meant for an earlier wait.
func (h *half) met(d demand) bool {
	if h.side.ready(d.need) {
		return true
	}
	t := &h.shared.target
	return d.share && h.side.ready(1) && (t.Load()&armed == 0 || h.ring.starving())
}

// beforeSleep sets the timer of the deadline and, for a consumer, looks at the producer.
// It returns os.ErrDeadlineExceeded if the deadline has passed. The sleep itself is in
// await, and so is the yield: each function that a goroutine returns from after another
// one ran costs it some nanoseconds, because the processor predicts the wrong address.
func (h *half) beforeSleep() error {
	if err := h.watch(); err != nil {
		return err
	}
	if h.consumes() {
		h.ring.wakeSoft()
	}
	return nil
}

// quickYield is about the time in which ten goroutines yield in turn, in nanoseconds.
const quickYield = 5000

// linger yields a few times, while that is quick, until all that was wanted is
// there or never will be. The producer was woken for less than that. If it used
// those bytes at once, it would be woken for every piece that the slowest
// consumer reads while a faster one waits, and would move half as many bytes.
func (h *half) linger(d demand) {
	for range seam.Patience {
		if !d.soft() || h.side.ready(d.want) {
			return
		}
		began := seam.Ticks()
		if seam.Gosched(); seam.Nanos(began) >= quickYield {
			return
		}
	}
}

// wakeConsumers wakes and notifies the consumers that wait for no more than the
// write cursor at, which has been stored. Those that are parked come first,
// because a note runs a function of the user's.
func (r *ring) wakeConsumers(at uint64) {
	notes := false
	for _, c := range r.consumers {
		c.target.moved(at)
		notes = notes || c.target.note.Load() != nil
	}
	if notes {
		for _, c := range r.consumers {
			r.notify(c)
		}
	}
}

// wakeProducer wakes and notifies the producer if it waits for no more than what
// is free now, or softly while a consumer waits. The read cursor has been stored,
// or its consumer released.
func (r *ring) wakeProducer() {
	t := &r.producer.target
	if word := t.Load(); word&armed != 0 {
		at, ok := r.slowest()
		if !ok || satisfied(word, at) || word&soft != 0 && r.anyFree(at) && r.starving() {
			t.post(word)
		}
	}
	r.notify(&r.producer)
}

// wakeSoft wakes a producer that waits softly if any space is free. A consumer
// calls it when it waits for more than it has.
func (r *ring) wakeSoft() {
	if word := r.producer.target.Load(); word&soft != 0 {
		r.wakeIfFree(word)
	}
}

func (r *ring) wakeIfFree(word uint64) {
	if at, ok := r.slowest(); ok && r.anyFree(at) {
		r.producer.target.post(word)
	}
}

// anyFree reports whether a byte is free while the slowest read cursor is at.
func (r *ring) anyFree(at uint64) bool {
	return r.filled(at, r.producer.cursor.Load()&cursorMask) < r.size
}

// quarter is the free space that a writer waits for when any amount would do.
func (r *ring) quarter() int { return max(leastWant, r.size/4) }

// starving reports whether a consumer waits, parked or with a note, so that the
// producer should use what space there is. The words are loaded after whatever
// gave the space back was stored.
func (r *ring) starving() bool {
	for _, c := range r.consumers {
		if c.target.hasWaiter() {
			return true
		}
	}
	return false
}
