package async

import (
	"sync"
	"time"
)

// Stats says how far a call is.
type Stats struct {
	// Safe is the number of bytes that were committed to the ring, or that were
	// written to the sink and discarded from the ring. They are the first bytes of
	// the stream. After an error, the bytes of a sink from [Offset] + Safe on are
	// undefined.
	Safe int64
	// InFlight is the number of operations that use memory of the ring now.
	InFlight int
	// Depth is the largest number of operations in flight at once. It is less than
	// the option if the ring is too small for that.
	Depth int
	// Head is the offset in the source or sink at which the next commit begins.
	// HeadAge is how long the operation at Head has been in flight, or 0 if there
	// is none.
	Head    int64
	HeadAge time.Duration
	// Retries is how many times an operation was tried again.
	Retries int64
}

// A Meter shows the Stats of a call while it runs. The zero value is ready to use. A
// Meter shows the call that it was given to last.
type Meter struct {
	mu    sync.Mutex
	call  *engine // nil if none runs
	final Stats
}

// Stats returns the present Stats of the call, or the last ones after it has ended. Any
// goroutine may call it at any time.
func (m *Meter) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.call != nil {
		return m.call.stats()
	}
	return m.final
}

// watch makes m show e. A nil m shows nothing.
func (m *Meter) watch(e *engine) {
	if m != nil {
		m.mu.Lock()
		m.call = e
		m.mu.Unlock()
	}
}

// keep makes m show the last Stats of e, unless m was given to another call.
func (m *Meter) keep(e *engine) {
	if m != nil {
		m.mu.Lock()
		if m.call == e {
			m.call, m.final = nil, e.stats()
		}
		m.mu.Unlock()
	}
}
