package bytering

import (
	"fmt"
	"slices"

	"github.com/bytering/bytering/internal/seam"
)

// Reset makes a ring that has served its time new again, for a pool of them:
// the memory and the halves stay, and everything else is as New or
// NewBroadcast left it: positions, errors, deadlines, and nothing is armed for
// Notify or Ready, whose channels stay the same. Reset never waits and does not
// allocate.
//
// The halves must be all of one ring, the consumers in any order, closed, and
// at rest: no call of theirs is running, and no slices are lent, also by the
// producer ([Producer.Commit] or [Consumer.Discard] of 0 bytes gives them back
// on a closed half), and none is pinned. Otherwise Reset changes nothing and
// returns an error that wraps [ErrInvalidReset] and says what is wrong. So it does for a ring whose
// memory was mapped ([Mirror] and the like), which is unmapped when all halves
// are closed. A call that runs on another
// goroutine is noticed by best effort only, as overlapping calls are: whoever
// calls Reset must own all the halves.
//
// Nobody may go on using them for what they were. A Close that is late by so
// much that it begins before Reset and ends after it may close the new ring,
// as one that begins after it does. A deadline of before, and what a Close of
// before still has to wake, do no harm.
//
// The memory is not cleared. No call shows what was in it, but for
// [Producer.Slices] and the like, which give space to be overwritten.
func Reset(p *Producer, cs ...*Consumer) error {
	if p == nil || p.ring == nil {
		return fmt.Errorf("%w: no producer", ErrInvalidReset)
	}
	r := p.ring
	if len(cs) != len(r.readers) {
		return fmt.Errorf("%w: %d consumers of %d", ErrInvalidReset, len(cs), len(r.readers))
	}
	for i, c := range cs {
		switch {
		case c == nil || c.ring == nil:
			return fmt.Errorf("%w: no consumer at %d", ErrInvalidReset, i)
		case c.ring != r:
			return fmt.Errorf("%w: the consumer at %d is of another ring", ErrInvalidReset, i)
		}
	}
	// None is missing, so with as many as there are none comes twice.
	for i, rd := range r.readers {
		if cs[i].reader != rd && !slices.ContainsFunc(cs, func(c *Consumer) bool { return c.reader == rd }) {
			return fmt.Errorf("%w: a consumer comes twice", ErrInvalidReset)
		}
	}
	if r.mapped {
		return fmt.Errorf("%w: the memory was mapped, and ends with the ring", ErrInvalidReset)
	}
	if why := rest(p.busy, p.closed(), p.lent > 0 || p.pins > 0); why != "" {
		return fmt.Errorf("%w: %s the producer", ErrInvalidReset, why)
	}
	for i, c := range cs {
		if why := rest(c.busy, c.closed(), c.lent || c.pins > 0); why != "" {
			return fmt.Errorf("%w: %s the consumer at %d", ErrInvalidReset, why, i)
		}
	}
	if r.stopped.Load() == 0 || r.open.Load() != 0 {
		return fmt.Errorf("%w: a Close is running", ErrInvalidReset)
	}
	r.begin(p, cs)
	return nil
}

// rest says what a half lacks to be closed and at rest.
func rest(busy, closed, lent bool) string {
	switch {
	case busy:
		return "a call is running of"
	case !closed:
		return "no Close of"
	case lent:
		return "slices are lent by"
	}
	return ""
}

// begin gives a ring and its halves what they begin with. No call is running,
// so nobody is armed, and what a timer or a closer of before may do is to post
// a token or to look at a note. The cursors come last: with them the halves
// are open, and who closes one finds the rest in place.
func (r *ring) begin(p *Producer, cs []*Consumer) {
	r.writeErr.Store(nil)
	r.deadline.at.Store(0)
	r.space.note.Store(nil)
	seam.Drain(r.lot.token)
	for _, rd := range r.readers {
		rd.readErr.Store(nil)
		rd.deadline.at.Store(0)
		rd.data.note.Store(nil)
		seam.Drain(rd.lot.token)
		rd.hold.Store(0)
	}
	r.stopped.Store(0)
	r.open.Store(int32(len(r.readers)))

	seam.Owned(&p.busy)
	p.pos, p.limit, p.off = r.start, (r.start+uint64(r.size))&count, 0
	p.alarm.at = 0
	p.keep(nil)
	p.bell.quiet()
	for _, c := range cs {
		seam.Owned(&c.busy)
		c.pos, c.limit, c.off, c.eof = r.start, r.start, 0, false
		c.alarm.at = 0
		c.bell.quiet()
	}

	for _, rd := range r.readers {
		rd.read.Store(r.start)
	}
	r.write.Store(r.start)
}
