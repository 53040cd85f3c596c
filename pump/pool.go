package pump

import (
	"errors"
	"fmt"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/seam"
)

// The sizes of the rings of a pool. A stream begins in the smallest one. While its
// source fills a ring, it continues in one that is larger by the factor.
const (
	smallestRing = 64 << 10
	growth       = 8
	// tinyRing is the size of a ring that a pool lends beyond its limit.
	tinyRing = 512
)

// A Pool lends rings to copies and takes them back when nothing flows. The zero
// Pool is ready to use and has no limit. Copies that are given none with
// [WithPool] share one without a limit. Any goroutine may use a Pool at any time.
//
// Rings that are not in use are kept until the garbage collector next runs. Their
// memory is not cleared: a source is offered memory that may hold bytes of an
// earlier stream. If a source counts bytes that it has not written, these old
// bytes become part of the stream.
//
// A ring that a call was left behind in, because the call could not be
// interrupted, is never used again.
type Pool struct {
	limit int64 // 0 for none

	mu   seam.Mutex
	lent int64         // bytes of the rings in use
	kept int64         // and of those in free
	free map[int][]ref // by size, the one that was used last at the end
}

// NewPool returns a Pool whose rings together take up to limit bytes, including
// those that are kept. A stream never waits for a ring: if there is no room for
// one, it moves through 512 bytes of its own, which don't count, until there is
// room again. So a low limit costs speed. With a limit below 1, streams have only
// these 512 bytes.
func NewPool(limit int64) *Pool { return &Pool{limit: max(limit, 1)} }

// common is the Pool of the copies without WithPool.
var common Pool

// errLimit is the error of take if the pool is at its limit.
var errLimit = errors.New("pump: the pool's rings take all that they may")

// A ring is a ring of bytes that a flow uses.
type ring struct {
	p    *bytering.Producer
	c    *bytering.Consumer
	pool *Pool // nil if the ring is not to be used again
	used bool  // it is among the flow's rings
}

// back closes the ring, which is at rest, and returns it to its pool.
func (r *ring) back() {
	r.p.Close()
	r.c.Close()
	if r.pool != nil {
		r.pool.put(r)
	}
}

// take lends a ring of size bytes.
func (p *Pool) take(size int) (*ring, error) {
	var r *ring
	fresh := inBubble()
	p.mu.Lock()
	if !fresh {
		r = p.pop(size)
	}
	if r == nil && !p.fits(size) {
		p.mu.Unlock()
		return nil, errLimit
	}
	p.lent += counted(size)
	p.mu.Unlock()
	if r != nil {
		return r, nil
	}
	producer, consumer, err := bytering.New(size)
	if err != nil {
		p.lose(size)
		return nil, fmt.Errorf("pump: %w", err)
	}
	return &ring{p: producer, c: consumer, pool: p}, nil
}

// counted returns how many bytes a ring of that size counts.
func counted(size int) int64 {
	if size <= tinyRing {
		return 0
	}
	return int64(size)
}

// pop returns a free ring of that size, or nil.
func (p *Pool) pop(size int) (r *ring) {
	free := p.free[size]
	for r == nil && len(free) > 0 {
		last := len(free) - 1
		r = free[last].Value()
		free = free[:last]
		p.kept -= counted(size)
	}
	if free != nil {
		p.free[size] = free
	}
	return r
}

// fits reports whether there is room for a new ring of that size. It drops free
// rings to make room.
func (p *Pool) fits(size int) bool {
	if p.limit == 0 || counted(size) == 0 {
		return true
	}
	if p.lent+int64(size) > p.limit {
		return false
	}
	for other := range p.free {
		for p.lent+p.kept+int64(size) > p.limit && p.pop(other) != nil {
		}
	}
	return true
}

// put takes back a ring that is closed and at rest.
func (p *Pool) put(r *ring) {
	size := r.c.Cap()
	if inBubble() || bytering.Reset(r.p, r.c) != nil { // it is not at rest
		p.lose(size)
		return
	}
	r.used = false
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent -= counted(size)
	p.kept += counted(size)
	if p.free == nil {
		p.free = map[int][]ref{}
	}
	p.free[size] = append(p.free[size], refer(r))
}

// lose stops counting a ring that is never used again.
func (p *Pool) lose(size int) {
	p.mu.Lock()
	p.lent -= counted(size)
	p.mu.Unlock()
}
