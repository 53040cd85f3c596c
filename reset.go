package bytering

import (
	"fmt"
	"slices"
)

// Reset makes a closed ring new again, for a pool of rings. The memory and the
// halves stay, and everything else is as New or NewBroadcast left it: positions,
// errors and deadlines. Nothing is armed for Notify or Ready, whose channels stay
// the same. Reset never blocks and does not allocate.
//
// The halves must be all of one ring, the consumers in any order. They must be
// closed and at rest: no call is running, no slices are lent by either side, and
// none is pinned. ([Producer.Commit] or [Consumer.Discard] of 0 bytes gives
// slices back on a closed half.) Otherwise Reset changes nothing and returns an
// error that wraps [ErrInvalidReset] and says what is wrong. It does so too for a
// ring whose memory was mapped ([Mirror] and the like), which is unmapped when all
// halves are closed.
//
// Whoever calls Reset must own all the halves, and no other goroutine may still
// use them. A ring with a call left behind in it is never used again: if a call
// on a half has not returned, because its reader or writer does not, drop the
// ring. Reset notices such a call, as overlapping calls are noticed, by best
// effort only. A Close or CloseWithError that overlaps Reset is a programming
// error: it may close the new ring, as one that begins later does. A deadline
// that was set before Reset, and what a Close before it still has to wake, do no
// harm.
//
// The memory is not cleared. [Producer.Slices] and the like give space to be
// overwritten, in which the old bytes can be seen; no other call shows them.
func Reset(p *Producer, cs ...*Consumer) error {
	if p == nil || p.ring == nil {
		return fmt.Errorf("%w: no producer", ErrInvalidReset)
	}
	r := p.ring
	if len(cs) != len(r.consumers) {
		return fmt.Errorf("%w: %d consumers of %d", ErrInvalidReset, len(cs), len(r.consumers))
	}
	for i, c := range cs {
		switch {
		case c == nil || c.ring == nil:
			return fmt.Errorf("%w: no consumer at %d", ErrInvalidReset, i)
		case c.ring != r:
			return fmt.Errorf("%w: the consumer at %d is of another ring", ErrInvalidReset, i)
		}
	}
	// There are as many as the ring has, so if none is missing, none comes twice.
	for i, s := range r.consumers {
		if cs[i].shared != s && !slices.ContainsFunc(cs, func(c *Consumer) bool { return c.shared == s }) {
			return fmt.Errorf("%w: a consumer comes twice", ErrInvalidReset)
		}
	}
	if r.mapped {
		return fmt.Errorf("%w: the memory was mapped, and ends with the ring", ErrInvalidReset)
	}
	if why := p.unrest(); why != "" {
		return fmt.Errorf("%w: %s the producer", ErrInvalidReset, why)
	}
	for i, c := range cs {
		if why := c.unrest(); why != "" {
			return fmt.Errorf("%w: %s the consumer at %d", ErrInvalidReset, why, i)
		}
	}
	if r.openProducer.Load() != 0 || r.openConsumers.Load() != 0 {
		return fmt.Errorf("%w: a Close is running", ErrInvalidReset)
	}
	r.begin(p, cs)
	return nil
}

// unrest says what keeps a half from being closed and at rest.
func (h *half) unrest() string {
	switch {
	case h.busy:
		return "a call is running of"
	case !h.closed():
		return "no Close of"
	case h.lent > 0 || h.pins > 0:
		return "slices are lent by"
	}
	return ""
}
