package bytering

import "github.com/bytering/bytering/internal/seam"

// A half that is closed from elsewhere may be in the middle of a call, or its
// owner may still use slices that it was handed. Its hold keeps everybody else
// away from them (I8): taken by every call of the owner, kept while slices are
// lent or the half is pinned, given back after that.
//
//	bit 0  held:    the owner is in a call or has slices
//	bit 1  closing: somebody closed the half
//
// A half is released when it is closing and not held. It can't be held again
// after that. A released consumer of a broadcast ring does not limit the
// producer any more, and when all halves of a mapped ring are released its
// memory is unmapped.
//
// Closing comes after the cursor's closed bit. So an owner that has the hold
// may touch memory whatever happens, and one that can't take it sees the
// closed bit, and looks at that before it touches anything.
//
// On the heap a producer needs none of this, nor does an only consumer: when
// that is closed the producer writes no more, and nothing is unmapped.
type hold struct{ seam.Uint32 }

const (
	held    = 1 << 0
	closing = 1 << 1
)

// take takes the hold. False means that the half is closed.
func (h *hold) take() bool { return h.CompareAndSwap(0, held) }

// giveBack gives the hold back. True means that this released the half, which
// was closed meanwhile.
func (h *hold) giveBack() bool {
	if h.CompareAndSwap(held, 0) {
		return false
	}
	h.Store(closing)
	return true
}

// close is called once. True means that it released the half.
func (h *hold) close() bool { return h.Or(closing) == 0 }

func (h *hold) released() bool { return h.Load() == closing }

// giveBack gives the producer's hold back. Nothing may point to the memory
// after that.
func (p *Producer) giveBack() {
	p.vec = vector{}
	if p.ring.hold.giveBack() {
		p.ring.release()
	}
}

// giveBack gives the consumer's hold back, and the producer its space if that
// released the consumer.
func (c *Consumer) giveBack() {
	c.vec = vector{}
	if c.reader.hold.giveBack() {
		c.ring.release() // before a note, which may panic
		c.ring.discarded()
	}
}

// Pin keeps what [Producer.Slices] hands out the producer's own, over any number
// of Commits, until [Producer.Unpin]. A Commit without a pin gives back all that
// was handed out, also what it did not publish: if the producer is closed then,
// mapped memory can go. With a pin, operations that are still filling the rest
// can go on. When all of them have ended, call Unpin, after a Close too: until
// then mapped memory stays, and [Reset] refuses the ring.
//
// The space that can be committed is that of the last Slices as before, so call
// that again before each Commit. Pins add up: each needs an Unpin of its own.
func (p *Producer) Pin() {
	p.enter()
	p.pins++
	p.leave()
}

// Unpin takes one [Producer.Pin] back. It panics if there is none. What Slices
// has handed out since the last Commit stays the producer's, as without a pin.
func (p *Producer) Unpin() {
	p.enter()
	defer p.leave()
	if p.pins == 0 {
		panic("bytering: Unpin of a Producer that is not pinned")
	}
	p.pins--
}

// Pin keeps what [Consumer.Slices] hands out the consumer's own, over any number
// of Discards, until [Consumer.Unpin]. A Discard without a pin gives back all
// that was handed out, also what lies beyond the bytes that it discards: if the
// consumer is closed then, those can be overwritten, and mapped memory can go.
// With a pin, operations that are still using the rest can go on. When all of
// them have ended, call Unpin, after a Close too: until then a consumer of
// several limits the producer, mapped memory stays, and [Reset] refuses the
// ring.
//
// Pins add up: each needs an Unpin of its own.
func (c *Consumer) Pin() {
	c.enter()
	c.pins++
	c.leave()
}

// Unpin takes one [Consumer.Pin] back. It panics if there is none. What Slices or
// Peek has handed out since the last Discard stays the consumer's, as without a
// pin.
func (c *Consumer) Unpin() {
	c.enter()
	defer c.leave()
	if c.pins == 0 {
		panic("bytering: Unpin of a Consumer that is not pinned")
	}
	c.pins--
}
