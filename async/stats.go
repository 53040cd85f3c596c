package async

import (
	"sync"
	"time"
)

// Stats says what a call has done.
type Stats struct {
	// Safe is how many bytes are committed to the ring, or written to the sink
	// and discarded from it: all up to there, in order. After an error, bytes of
	// a sink at and beyond it, counted from [Offset], are undefined.
	Safe int64
	// InFlight is how many operations use memory of the ring now.
	InFlight int
	// Depth is how many there are at most: less than the option if the ring is
	// too small for it.
	Depth int
	// Head is the offset in the source or sink that the next commit waits for,
	// and HeadAge is for how long its operation is under way. It is 0 if none is.
	Head    int64
	HeadAge time.Duration
	// Retries is how often an operation was tried again.
	Retries int64
}

// A Meter looks on while a call runs. The zero value is ready. It shows the call
// that it was given to last.
type Meter struct {
	mu    sync.Mutex
	call  *engine // nil if none runs
	final Stats
}

// Stats returns what was done until now. Any goroutine may call it at any time.
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

// keep makes m show what e has done at last, unless it was given to another call.
func (m *Meter) keep(e *engine) {
	if m != nil {
		m.mu.Lock()
		if m.call == e {
			m.call, m.final = nil, e.stats()
		}
		m.mu.Unlock()
	}
}
