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
// Offsets count bytes from the beginning of the call. What ends the stream is the
// event at the lowest offset: its end, or an error. What lies beyond it is
// dropped, whether it is complete or not.
type window struct {
	size  int64 // of a block
	depth int   // blocks in use at once, at most
	whole bool  // a block is committed as a whole, when it is not in use any more

	short int64 // how long the next block is at most, or 0

	safe int64
	next int64
	end  int64 // where the stream ends, as far as is known
	err  error // why it ends there: nil for its length, errEnd, or an error

	busy       int    // blocks in use
	head, tail *block // handed out and not committed, in order
	free       *block // to be used again
}

// A block is a piece of the stream that was handed out.
type block struct {
	from, to int64
	done     int64 // bytes that were moved, from the first on
	used     bool  // an operation uses its memory
	next     *block

	lent  lent
	since time.Time // when it was handed out
}

// upto returns where the next block ends: at a multiple of the size, at the end
// of the stream, or where it is cut short.
func (w *window) upto() int64 {
	n := min(w.size-w.next%w.size, w.end-w.next)
	if w.short > 0 {
		n = min(n, w.short)
	}
	return w.next + n
}

// need returns how many bytes from safe on the next block needs, or 0 if there
// is none to hand out. A block that is committed as a whole is known to be the
// last or not: it needs a byte more, unless the stream ends with it.
func (w *window) need() int64 {
	if w.busy == w.depth || w.next >= w.end {
		return 0
	}
	to := w.upto()
	if w.whole && to < w.end {
		to++
	}
	return to - w.safe
}

// grant hands out the next block, if the bytes from safe on that there are have
// it.
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
	*b = block{from: w.next, to: w.upto(), used: true}
	w.next, w.short = b.to, 0
	w.busy++
	if w.head == nil {
		w.head = b
	} else {
		w.tail.next = b
	}
	w.tail = b
	return b
}

// errEnd is for a stream that ends by itself.
var errEnd = errors.New("async: end of the stream")

// stop ends the stream at an offset, unless it ends earlier. Of two events at one
// offset the length counts, then the end of the stream, then the first error.
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

// commit moves safe on, and takes the blocks before it for others.
func (w *window) commit(n int64) {
	w.safe += n
	for b := w.head; b != nil && b.to <= w.safe && !b.used; b = w.head {
		w.head = b.next
		*b = block{next: w.free}
		w.free = b
	}
}

// complete reports whether the stream is committed to its end.
func (w *window) complete() bool { return w.safe == w.end }
