package pump

import (
	"slices"

	"github.com/bytering/bytering/internal/seam"
)

// The rings of a flow. Its source reads into one ring at a time and its sink
// writes out of one, which is the same or, while the source goes on in a larger
// one, an earlier one. Without any, nothing flows: the source waits for input and
// the sink has no goroutine.
//
//	the source                       the sink
//	use      goes on in a ring       next  has come to the end of a ring
//	blocked  waits for input         rest  has written all that is there
//	offer    looks for input again
//
// Each is a critical section of the sink's mutex. A ring whose source waits, and
// of which all is written, is given back by whichever side comes to that last:
// rest and blocked close it, and the sink, at its end, returns it to the pool. The
// source does not touch it any more: it takes another when there is input.
//
// A ring is closed under the mutex, and is taken from the list before it is reset.
// So no Close overlaps that.
type rings struct {
	// Of the mutex.
	list    []*ring
	ended   bool  // the source has settled
	waiting bool  // the source waits: set by it alone
	feeding *ring // the source's, and that of whoever has the mutex while it waits
}

// grow lets the source go on in a larger ring, if there is one to be had.
func (f *flow) grow() {
	size, larger := f.feeding.p.Cap(), f.capacity
	if size >= larger {
		return
	}
	if size <= larger/growth {
		larger = min(larger, max(f.smallest, size*growth))
	}
	r, err := f.pool.take(larger)
	if err == nil && f.use(r) != nil {
		r.back()
	}
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

// blocked is what the source does before it waits for input.
func (f *flow) blocked() {
	if r := f.feeding; r != nil {
		r.p.Commit(0) // what the last attempt was offered
		if !r.used {
			f.feeding = nil
			r.back()
		}
	}
	f.inRing, f.bufs = false, [2][]byte{} // the ring's memory is not kept
	f.out.mu.Lock()
	f.waiting = true
	f.part()
	f.out.mu.Unlock()
}

// resume is what the source does when it has waited.
func (f *flow) resume() {
	if f.waiting {
		f.out.mu.Lock()
		f.waiting = false
		f.out.mu.Unlock()
	}
}

// rest is what the sink does when it has written all that is there.
func (f *flow) rest() {
	f.out.mu.Lock()
	f.part()
	f.out.mu.Unlock()
}

// part ends the ring of a source that waits, once all of it is written.
func (f *flow) part() {
	if r := f.feeding; f.waiting && r != nil && r.c.Len() == 0 {
		r.p.Close()
		f.feeding = nil
	}
}

// next returns the ring that the sink begins with, or goes on with after done,
// which it has come to the end of. If there is none the sink has settled. Of a ring
// that the flow keeps, and of a sink that is stopped, nothing is next, and the
// sink has not settled yet.
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

// close closes all rings, under whatever call uses them.
func (f *flow) close(why error) {
	f.out.mu.Lock()
	defer f.out.mu.Unlock()
	for _, r := range f.list {
		r.p.CloseWithError(why)
		r.c.Close()
	}
}

// giveBack returns the rings of a flow that is over to the pool. Those that a call
// was left behind in are lost, and count until that call is over.
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

// leave adds n to the sides left behind that are not over. After the last one the
// rings count no more.
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
