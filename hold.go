package bytering

import "github.com/bytering/bytering/internal/atomics"

// A half that is closed from elsewhere may be in the middle of a call, or its
// owner may still use slices that it was handed. Its hold keeps everybody else
// away from them (I8): taken by every call of the owner, kept while slices are
// lent, given back after that.
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
type hold struct{ atomics.Uint32 }

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
