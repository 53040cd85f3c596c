package async

import (
	"errors"
	"time"
)

// A window says which blocks of a stream are handed out, which are complete, and
// how much of the stream can be committed. It does no I/O and has no lock.
//
//	          safe           end of the prefix     next           end
//	           │                     │              │              │
//	───────────┼─────────────────────┼──────────────┼──────────────┼──
//	 committed │ complete, in order  │ some missing │ not handed   │
//	           │                     │              │ out          │
//
// Offsets count bytes from the beginning of the call. The stream ends at the lowest
// offset at which an operation has found its end or has failed. Bytes beyond that are
// dropped, whether they are complete or not.
type window struct {
	size  int64 // of a block
	depth int   // blocks in use at once, at most
	whole bool  // a block is committed as a whole, after its operation has ended

	limit int64 // of the next block's bytes, or 0

	safe int64
	next int64
	end  int64 // of the stream, as far as is known
	err  error // why it ends there: nil for Length, errEnd, or a failure

	busy       int    // blocks in use
	head, tail *block // handed out and not committed, in order
	free       *block // to be reused
}

// A block is a piece of the stream that was handed out.
type block struct {
	from, to int64
	done     int64 // bytes that were moved, from the first one on
	used     bool  // an operation uses its memory
	next     *block

	mem   span
	since time.Time // when it was handed out
}

// blockEnd returns where the next block ends: at a multiple of the size, at the end of
// the stream, or at the limit.
func (w *window) blockEnd() int64 {
	n := min(w.size-w.next%w.size, w.end-w.next)
	if w.limit > 0 {
		n = min(n, w.limit)
	}
	return w.next + n
}

// need returns how many bytes the half must have, from safe on, before the next block
// is handed out. It returns 0 if none can be handed out now. A block that is committed
// as a whole needs one byte more, which shows that it is not the last, unless the
// stream is known to end with it.
func (w *window) need() int64 {
	if w.busy == w.depth || w.next >= w.end {
		return 0
	}
	to := w.blockEnd()
	if w.whole && to < w.end {
		to++
	}
	return to - w.safe
}

// grant hands out the next block, if the half has enough for it. there is how many
// bytes the half has, from safe on.
func (w *window) grant(there int64) *block {
	if need := w.need(); need == 0 || need > there {
		return nil
	}
	b := w.free
	if b == nil {
		b = new(block)
	} else {
		w.free = b.next
	}
	*b = block{from: w.next, to: w.blockEnd(), used: true}
	w.next, w.limit = b.to, 0
	w.busy++
	if w.head == nil {
		w.head = b
	} else {
		w.tail.next = b
	}
	w.tail = b
	return b
}

// errEnd is for a stream that ends without a failure.
var errEnd = errors.New("async: end of the stream")

// stop ends the stream at an offset, unless it ends before that. At the same offset
// Length takes precedence, then the end of the stream, then the first failure.
func (w *window) stop(at int64, err error) {
	if at < w.end || at == w.end && w.err != nil && err == errEnd {
		w.end, w.err = at, err
	}
}

// release takes a block back from its operation.
func (w *window) release(b *block) {
	b.used = false
	w.busy--
}

// prefix returns how many bytes from safe on can be committed.
func (w *window) prefix() int64 {
	at := w.safe
	for b := w.head; b != nil; b = b.next {
		if w.whole && (b.used || b.from+b.done < b.to) {
			break
		}
		if at = b.from + b.done; at < b.to {
			break
		}
	}
	return min(at, w.end) - w.safe
}

// commit advances safe by n, and frees the blocks before it.
func (w *window) commit(n int64) {
	w.safe += n
	for b := w.head; b != nil && b.to <= w.safe && !b.used; b = w.head {
		w.head = b.next
		*b = block{next: w.free}
		w.free = b
	}
}

// complete reports whether all of the stream is committed.
func (w *window) complete() bool { return w.safe == w.end }
