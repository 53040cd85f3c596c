package bytering

import (
	"context"

	"github.com/bytering/bytering/internal/seam"
)

// A half may spin before it parks. Spinning notices soonest and keeps a
// processor busy; parking gives the processor to other goroutines, often to the
// other half with the data still in its cache. A half cannot find out by itself
// which is better: even a spin that succeeds can be the slower way.

// spin looks again and again, for as long as the budget lasts, and reports whether
// what is wanted is there or never will be, or what is needed is there and has
// not grown for some looks. The half is not armed meanwhile, so a consumer looks at
// the producer in each round: it may have begun to wait softly.
func (h *half) spin(ctx context.Context, d demand) bool {
	last, same := h.limit, 0
	for s := seam.NewSpin(h.spinFor); s.Next(); {
		if h.side.ready(d.want) {
			return true
		}
		if same++; h.limit != last {
			last, same = h.limit, 0
		}
		if same >= seam.Patience && h.side.ready(d.need) {
			return true
		}
		if h.consumes() {
			h.ring.wakeSoft()
		}
		if s.Now() && (h.overdue() || ctx.Err() != nil) {
			return false
		}
	}
	return false
}

const (
	shortPause = 1
	longPause  = 10       // 280 ns, as in package pause
	farAhead   = 16 << 10 // bytes
)

// fallBehind lets the producer get ahead of a consumer that trails it, and reports
// whether what is needed is there. A consumer trails if it has taken everything, and its
// last wait found a small chunk at the second look. The two halves then use the same
// cache lines, which move between their processors with each chunk. fallBehind returns
// when the producer is far ahead, when it has not moved for a long pause, or after 2.5 µs.
// Streams of 8 and 64 bytes a chunk took 10 and 21 ns a chunk instead of 15 and 27.
//
// If there is more than a small chunk it returns at once. There it is faster to sleep,
// because then both halves often run on the same processor.
func (h *half) fallBehind(d demand) bool {
	for range seam.Patience {
		seam.Pause(shortPause)
		if h.side.ready(d.need) {
			break
		}
	}
	far := max(d.want, min(farAhead, h.ring.size/2))
	h.trails = h.foundFew()
	for looks := 0; h.trails && looks < seam.Patience; looks++ {
		last := h.limit
		seam.Pause(longPause)
		if h.side.ready(far) {
			break
		}
		h.trails = h.limit != last
	}
	return h.side.ready(d.need)
}

// foundFew reports whether the bytes that the consumer has seen are a small chunk.
func (h *half) foundFew() bool { return uint(distance(h.pos, h.limit)-1) < smallChunk }
