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
