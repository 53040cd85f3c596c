package bytering

// On a broadcast ring a consumer that is closed from elsewhere may be in the
// middle of a call, or its owner may still use slices that it was handed. Its
// hold word keeps the producer away from them (I8): taken by every call of the
// owner, kept while slices are lent, given back after that.
//
//	bit 0  held:    the owner is in a call or has slices
//	bit 1  closing: somebody closed the consumer
//
// A consumer is released, and does not limit the producer any more, when it is
// closing and not held. It can't be held again after that.
//
// A ring with one consumer needs none of this: when its consumer is closed the
// producer writes no more.
const (
	held    = 1 << 0
	closing = 1 << 1
)

// take takes the hold. False means that the consumer is closed.
func (rd *reader) take() bool { return rd.hold.CompareAndSwap(0, held) }

// giveBack gives the hold back, and the producer its space if the consumer
// was closed meanwhile.
func (rd *reader) giveBack(r *ring) {
	if !rd.hold.CompareAndSwap(held, 0) {
		rd.hold.Store(closing)
		r.discarded()
	}
}

func (rd *reader) close() { rd.hold.Or(closing) }

func (rd *reader) released() bool { return rd.hold.Load() == closing }
