package pump

import (
	"sync/atomic"
	"time"
)

// Stats is what a copy has done.
//
// Source.Bytes − Sink.Bytes is the number of bytes that were read and not
// written. While the copy runs they are in the ring. If it has ended with an
// error they are lost.
type Stats struct {
	Source SideStats // Waited: the ring was full
	Sink   SideStats // Waited: the ring was empty
}

// SideStats is what one side of a copy has done.
type SideStats struct {
	Bytes int64 // that it returned or accepted
	Calls int64 // that returned, including those without a byte
	// Busy is the time spent in calls. Waited is the time between calls, in which
	// the side waits for the other one.
	Busy, Waited time.Duration
	// Direct is the number of bytes, of those in Bytes, that bypassed the page
	// cache with [Direct].
	Direct int64
	// Buffered is the reason why, with [Direct], the side ran buffered, entirely
	// or from some byte on. It is nil without that option, if the side was direct
	// to its end, and in the stats of a [Meter].
	Buffered error
}

// A Meter counts while a copy runs. The zero Meter is ready to use. If several
// copies share a Meter, as the two directions of a [Relay] do with [WithMeter],
// it counts them together.
type Meter struct{ source, sink counters }

// Stats returns what has been done so far. It may be called by any goroutine at
// any time. It does not include calls and waits that have not ended.
func (m *Meter) Stats() Stats {
	// The sink first, so that it is never ahead of the source.
	sink := m.sink.stats()
	return Stats{Source: m.source.stats(), Sink: sink}
}

// counters are those of one side. Its goroutine adds to them and any goroutine
// reads them.
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
