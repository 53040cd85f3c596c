package pump

import (
	"slices"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// The rings of a flow. The source reads into one ring at a time, and the sink
// writes out of one. These are the same ring, or the sink is still in an earlier
// one after the source has changed to a larger one. While there is no ring
// nothing flows: the source waits for input and the sink has no goroutine. Nor has it
// one while the source's goroutine makes its calls (see handOver).
//
//	the source                       the sink
//	use      goes on in a ring       next  has come to the end of a ring
//	blocked  waits for input         rest  has written all that is there
//	offer    looks for input again
//
// Each is a critical section of the sink's mutex. A ring is given back when its
// source waits and all of it is written. The side that comes to that last closes
// it, in rest or blocked, and the sink, at the end of the ring, returns it to the
// pool. The source does not touch the ring any more: it takes another one when
// there is input.
//
// A ring is closed under the mutex, and is taken from the list before it is reset.
// So no Close overlaps that.
type rings struct {
	// Of the mutex.
	list    []*ring
	ended   bool  // the source has settled
	waiting bool  // the source waits: set by it alone
	feeding *ring // the source's, and that of whoever has the mutex while it waits

	// Of the source, for samples.
	moved int64     // bytes that it has read
	from  int64     // of these, those before the sample that is being taken
	since time.Time // when that began
	quick bool      // the last sample was fast
}

// grow lets the source continue in a larger ring, if the stream is to have one and the
// pool has one.
func (f *flow) grow() {
	size, larger := f.feeding.p.Cap(), f.capacity
	switch {
	case size >= larger:
		if f.sized || size >= fastCapacity || !f.fast() {
			return
		}
		larger = fastCapacity
	case size <= larger/growth:
		larger = min(larger, max(f.smallest, size*growth))
	}
	r, err := f.pool.take(larger)
	if err == nil && f.use(r) != nil {
		r.back()
	}
}

// count counts n bytes that the source has read. A sample is fast if they came at
// 1 GB/s or more: then it takes no more nanoseconds than it has bytes. It is longer than
// the buffers of the ends can make a stream fast whose sink is slow.
func (f *flow) count(n int) {
	f.moved += int64(n)
	if moved := f.moved - f.from; moved >= fastSample {
		f.quick = f.in.idle.Sub(f.since).Nanoseconds() <= moved
		f.from, f.since = f.moved, f.in.idle
	}
}

// fast reports whether the stream needs more than the usual ring: its source may keep it
// waiting, the last sample was fast, and the next one may be.
func (f *flow) fast() bool {
	return f.in.poll != nil && f.quick && f.in.idle.Sub(f.since).Nanoseconds() <= fastSample
}

// use makes r the ring of the source and the next one of the sink, whose goroutine
// it starts. It does not if the sink has failed or is stopped.
func (f *flow) use(r *ring) error {
	out := &f.out
	out.mu.Lock()
	if out.stopped || out.over && out.err != nil {
		out.mu.Unlock()
		return errStopped
	}
	if f.feeding != nil && f.feeding != r {
		f.feeding.p.Close()
	}
	f.feeding, r.used = r, true
	f.list = append(f.list, r)
	start := out.over
	out.over = false
	out.mu.Unlock()
	if start {
		f.startSink()
	}
	return nil
}

// blocked is called by the source before it waits for input.
func (f *flow) blocked() {
	if r := f.feeding; r != nil {
		r.p.Commit(0) // gives back what the last attempt was offered
		if !r.used {
			f.feeding = nil
			r.back()
		}
	}
	f.inRing, f.bufs = false, [2][]byte{} // the ring's memory is not kept
	f.forwards = 0
	f.out.mu.Lock()
	f.waiting = true
	f.part()
	f.out.mu.Unlock()
}

// resume is called by the source after it has waited.
func (f *flow) resume() {
	if f.waiting {
		f.out.mu.Lock()
		f.waiting = false
		f.out.mu.Unlock()
	}
}

// rest is called by the sink when it has written all that is there.
func (f *flow) rest() {
	f.out.mu.Lock()
	f.part()
	f.out.mu.Unlock()
}

// part closes the ring if the source waits and all of it is written.
func (f *flow) part() {
	if !f.waiting { // feeding is the source's alone
		return
	}
	if r := f.feeding; r != nil && r.c.Len() == 0 {
		r.p.Close()
		f.feeding = nil
	}
}

// next returns the ring that the sink uses after done, whose end it has reached, or
// the first ring if done is nil. If there is none, the sink has settled. If the
// flow keeps one ring, or the sink is stopped, next returns nil and false.
func (f *flow) next(done *ring) (r *ring, settled bool) {
	out := &f.out
	if done != nil {
		out.mu.Lock()
		if out.stopped || f.fixed != nil {
			out.mu.Unlock()
			return nil, false
		}
		f.list = slices.Delete(f.list, 0, 1)
		out.mu.Unlock()
		done.back()
	}
	out.mu.Lock()
	if len(f.list) > 0 {
		r = f.list[0]
	}
	settled = r == nil && !out.stopped
	out.over = settled
	ended := f.ended
	out.mu.Unlock()
	if settled && ended {
		seam.Post(out.wake)
	}
	return r, settled
}

// end ends the stream, after the source has settled.
func (f *flow) end(why error) {
	f.out.mu.Lock()
	defer f.out.mu.Unlock()
	f.ended = true
	if f.feeding != nil {
		f.feeding.p.CloseWithError(why)
	}
}

// close closes all rings, even while calls use them.
func (f *flow) close(why error) {
	f.out.mu.Lock()
	defer f.out.mu.Unlock()
	for _, r := range f.list {
		r.p.CloseWithError(why)
		r.c.Close()
	}
}

// giveBack returns the rings of a finished flow to the pool. A ring in which a
// call was left behind is lost, and counts until that call returns.
func (f *flow) giveBack() {
	behind := 0
	for _, s := range []*side{&f.in.side, &f.out.side} {
		if s.left {
			behind++
		}
	}
	if behind > 0 {
		f.leave(behind)
		return
	}
	for _, r := range f.list {
		r.back()
	}
}

// leave adds n to the number of sides that were left behind and are not over.
// When it becomes 0 the rings count no more.
func (f *flow) leave(n int) {
	f.out.mu.Lock()
	f.behind += n
	over := f.behind == 0
	f.out.mu.Unlock()
	if !over {
		return
	}
	for _, r := range f.list {
		if r.pool != nil {
			r.pool.lose(r.c.Cap())
		}
	}
}
