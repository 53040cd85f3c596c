package async

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// TestWindow makes random steps on a window and on a model of it. The model records
// for each byte whether it was handed out, is complete and is in use.
func TestWindow(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 0))
		size, depth, whole := 1+r.IntN(4), 1+r.IntN(5), r.IntN(2) == 0
		room, length := size+r.IntN(12), int64(math.MaxInt64)
		if whole {
			room++
		}
		if r.IntN(2) == 0 {
			length = int64(r.IntN(30))
		}
		w := window{size: int64(size), depth: depth, whole: whole, end: length}

		var complete, used [100]bool
		var blocks []*block // blocks in use
		safe, next, end, why := 0, 0, length, error(nil)
		for step := range 60 {
			switch k := r.IntN(6); {
			case k == 0 && next < 60: // hand out a block
				to := int(min(int64(next/size*size+size), end))
				if !whole && r.IntN(5) == 0 {
					w.limit = 1 + r.Int64N(4)
				}
				if w.limit > 0 {
					to = min(to, next+int(w.limit))
				}
				least := to - safe
				if whole && int64(to) < end {
					least++
				}
				ok := len(blocks) < depth && int64(next) < end
				if need := w.need(); ok && need != int64(least) || !ok && need != 0 {
					t.Fatalf("seed %d, step %d: %d bytes are needed, want %d if %t", seed, step, need, least, ok)
				}
				there := r.IntN(room + 1)
				b := w.grant(int64(there))
				if (b != nil) != (ok && least <= there) {
					t.Fatalf("seed %d, step %d: granted %v with %d bytes there, needs %d", seed, step, b, there, least)
				}
				if b != nil {
					if w.limit != 0 {
						t.Fatalf("seed %d, step %d: the limit holds for the next block too", seed, step)
					}
					if b.from != int64(next) || b.to != int64(to) || !b.used || b.done != 0 {
						t.Fatalf("seed %d, step %d: granted %+v, want %d to %d", seed, step, b, next, to)
					}
					blocks = append(blocks, b)
					for ; next < to; next++ {
						used[next] = true
					}
				}
			case k == 1 && len(blocks) > 0: // part of a block is complete
				b := blocks[r.IntN(len(blocks))]
				for range r.IntN(size + 1) {
					if at := b.from + b.done; at < b.to {
						complete[at] = true
						b.done++
					}
				}
			case k == 2 && len(blocks) > 0 && r.IntN(4) == 0: // the stream ends in a block
				b := blocks[r.IntN(len(blocks))]
				if b.from+b.done == b.to || whole && b.done > 0 {
					continue // a complete block has not failed, and a part fails as a whole
				}
				if !whole && r.IntN(2) == 0 { // the end comes with the last bytes
					for ; b.from+b.done < b.to; b.done++ {
						complete[b.from+b.done] = true
					}
				}
				err := errors.New("test")
				if r.IntN(2) == 0 {
					err = errEnd
				}
				at := b.from + b.done
				if at < end || at == end && why != nil && err == errEnd {
					end, why = at, err
				}
				w.stop(at, err)
			case k == 3 && len(blocks) > 0: // a block is no longer in use
				i := r.IntN(len(blocks))
				b := blocks[i]
				blocks = append(blocks[:i], blocks[i+1:]...)
				w.release(b)
				for at := b.from; at < b.to; at++ {
					used[at] = false
				}
			case k >= 4: // commit all that can be, or less
				n := 0
				for at := safe; int64(at) < end && complete[at]; at++ {
					n++
				}
				if whole {
					n = wholeBlocks(safe, size, int(min(end, int64(next))), &complete, &used)
				}
				if got := w.prefix(); got != int64(n) {
					t.Fatalf("seed %d, step %d: the prefix has %d bytes, want %d", seed, step, got, n)
				}
				if !whole && n > 0 && r.IntN(2) == 0 {
					n = r.IntN(n + 1)
				}
				w.commit(int64(n))
				safe += n
			}
			if w.safe != int64(safe) || w.end != end || w.err != why || w.busy != len(blocks) || w.complete() != (int64(safe) == end) {
				t.Fatalf("seed %d, step %d: the window is %+v, want safe %d, end %d", seed, step, w, safe, end)
			}
			// A block in use is kept. A block that is committed and not in use is not.
			kept := map[*block]bool{}
			for b := w.head; b != nil; b = b.next {
				kept[b] = true
			}
			for _, b := range blocks {
				if !kept[b] {
					t.Fatalf("seed %d, step %d: %+v is in use and not kept", seed, step, b)
				}
			}
			for b := w.head; b != nil; b = b.next {
				if b.to <= w.safe && b == w.head && !b.used && b.from+b.done == b.to && w.prefix() == 0 {
					w.commit(0)
					if w.head == b {
						t.Fatalf("seed %d, step %d: %+v is kept though it is not in use", seed, step, b)
					}
				}
			}
		}
	}
}

// wholeBlocks counts the bytes of the blocks from safe to end that are complete and
// not in use.
func wholeBlocks(safe, size, end int, complete, used *[100]bool) (n int) {
	for at := safe; at < end; at++ {
		for i := at; i < at/size*size+size && i < end; i++ {
			if !complete[i] || used[i] {
				return n
			}
		}
		n++
	}
	return n
}
