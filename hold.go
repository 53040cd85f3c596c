package bytering

import "github.com/bytering/bytering/internal/seam"

// A hold says whether the memory must be left to a half (I8). A half that is
// closed from elsewhere may be in the middle of a call, or its owner may still use
// slices that it was handed. Every call of the owner takes the hold, and gives it
// back unless slices are lent or the half is pinned.
//
//	bit 0  held:    the owner is in a call or has slices
//	bit 1  closing: the half was closed
//
// A half is released when it is closing and not held. It cannot be held again
// after that. A released consumer of a broadcast ring no longer limits the
// producer, and when all halves of a mapped ring are released its memory is
// unmapped.
//
// Closing comes after the cursor's closed bit. So an owner that has the hold
// may touch memory whatever happens, and one that cannot take it sees the
// closed bit, which it looks at before it touches anything.
//
// Only guarded halves take the hold: those of mapped rings and the consumers of
// broadcast rings. Otherwise nothing is unmapped, and once the only consumer is
// closed nothing that it has seen becomes empty space any more.
type hold struct{ seam.Uint32 }

const (
	held    = 1 << 0
	closing = 1 << 1
)

// take reports whether it took the hold. If not, the half is closed.
func (h *hold) take() bool { return h.CompareAndSwap(0, held) }

// giveBack gives the hold back and reports whether that released the half, which
// was closed meanwhile.
func (h *hold) giveBack() bool {
	if h.CompareAndSwap(held, 0) {
		return false
	}
	h.Store(closing)
	return true
}

// close is called once. It reports whether it released the half.
func (h *hold) close() bool { return h.Or(closing) == 0 }

func (h *hold) released() bool { return h.Load() == closing }

// Pin keeps what [Producer.Slices] hands out the producer's own, over any number
// of Commits, until [Producer.Unpin]. A Commit without a pin gives back all that
// was handed out, including what it did not publish: if the producer is closed
// then, mapped memory can go. With a pin, operations that are still filling the
// rest can go on. When all of them have ended, call Unpin, after a Close too: until
// then mapped memory stays, and [Reset] refuses the ring.
//
// The space that can be committed is that of the last Slices as before, so call
// Slices again before each Commit. Pins add up: each needs an Unpin of its own.
func (p *Producer) Pin() { p.pin() }

// Unpin undoes one [Producer.Pin]. It panics if there is none. What Slices
// has handed out since the last Commit stays the producer's, as without a pin.
func (p *Producer) Unpin() { p.unpin() }

// Pin keeps what [Consumer.Slices] hands out the consumer's own, over any number
// of Discards, until [Consumer.Unpin]. A Discard without a pin gives back all
// that was handed out, including what lies beyond the bytes that it discards: if
// the consumer is closed then, those can be overwritten, and mapped memory can go.
// With a pin, operations that are still using the rest can go on. When all of
// them have ended, call Unpin, after a Close too: until then a consumer of
// several limits the producer, mapped memory stays, and [Reset] refuses the
// ring.
//
// Pins add up: each needs an Unpin of its own.
func (c *Consumer) Pin() { c.pin() }

// Unpin undoes one [Consumer.Pin]. It panics if there is none. What Slices or
// Peek has handed out since the last Discard stays the consumer's, as without a
// pin.
func (c *Consumer) Unpin() { c.unpin() }
