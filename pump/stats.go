package pump

import (
	"sync/atomic"
	"time"
)

// Stats says what a copy has done.
//
// What was read and not written, Source.Bytes − Sink.Bytes, is lost if the copy
// has ended with an error, and lies in the ring while it runs.
type Stats struct {
	Source SideStats // Waited: the ring was full
	Sink   SideStats // Waited: the ring was empty
}

// SideStats is what one side has done.
type SideStats struct {
	Bytes int64 // that it returned or accepted
	Calls int64 // that came back, also without a byte
	// Busy is the time in calls, Waited the time between them, which is
	// spent waiting for the other side.
	Busy, Waited time.Duration
	// Direct is how many of the bytes went past the page cache, with [Direct].
	Direct int64
	// Buffered is why, with [Direct], the side ran buffered, or did so from
	// some byte on. It is nil without that option, where the side was direct to
	// its end, and in the stats of a [Meter].
	Buffered error
}

// A Meter counts while a copy runs. The zero value is ready. Copies that share
// one, such as both directions of a [Relay] with [WithMeter], add up.
type Meter struct{ source, sink counters }

// Stats returns what was done until now. Any goroutine may call it at any
// time. A call or a wait under way is not in it yet.
func (m *Meter) Stats() Stats {
	// The sink first, so that it is never ahead of the source.
	sink := m.sink.stats()
	return Stats{Source: m.source.stats(), Sink: sink}
}

// counters are one side's, added to by its goroutine and read by any.
type counters struct{ bytes, direct, calls, busy, waited atomic.Int64 }

func (c *counters) add(bytes, direct int, busy, waited time.Duration) {
	c.bytes.Add(int64(bytes))
	c.direct.Add(int64(direct))
	c.calls.Add(1)
	c.busy.Add(int64(busy))
	c.waited.Add(int64(waited))
}

func (c *counters) stats() SideStats {
	return SideStats{
		Bytes:  c.bytes.Load(),
		Direct: c.direct.Load(),
		Calls:  c.calls.Load(),
		Busy:   time.Duration(c.busy.Load()),
		Waited: time.Duration(c.waited.Load()),
	}
}
