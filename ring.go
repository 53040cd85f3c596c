package bytering

import (
	"fmt"
	"io"
	"runtime"

	"github.com/bytering/bytering/internal/memory"
	"github.com/bytering/bytering/internal/seam"
)

// The invariants, which comments cite by number:
//
//	I1  The filled count is write − read modulo 1<<63. At every instant it is
//	    at least 0 and at most the capacity, also when a cursor wraps to 0.
//	I2  Only a half itself advances its cursor. It keeps its own cursor and
//	    offset in plain fields, and the other side's cursor as a cached limit,
//	    which it reloads only when the limit is not enough.
//	I3  Bytes are touched before the cursor that hands them over is stored,
//	    never after.
//	I4  What a half has seen only gets better by itself. Empty space that the
//	    producer has seen can only grow until it commits; filled space that a
//	    consumer has seen can only grow until it discards.
//	I5  Closed is a bit of the cursor's own word, and a commit is a
//	    compare-and-swap that fails once the bit is set. So one load says both
//	    how far a half has come and whether that is all, the end is final, and
//	    what was committed before it is delivered.
//	I6  No wake is lost. A waker changes the state, then disarms the target
//	    with a compare-and-swap, then sends a token. A waiter arms, re-checks
//	    everything that can wake it (the other side's cursors, the closed bits
//	    of both sides, the deadline), then sleeps, then loops: a spurious token
//	    is legal. A half that is notified does the same with a note instead of
//	    the target and its function instead of the token, except that the
//	    function never runs for nothing. See wait.go.
//	I7  A count from outside (a callback, a reader, a writer) is checked
//	    against what was offered before a cursor moves.
//	I8  Memory that a half has handed out stays that half's until it is
//	    committed or discarded, whatever is closed meanwhile. It is neither
//	    overwritten nor unmapped. While the half is pinned, a commit or discard
//	    of a part of it leaves the rest so.
//
// They rest on Go's memory model, in which the operations of sync/atomic are
// sequentially consistent (https://go.dev/ref/mem#atomic). Cursors that only
// grow and cached limits are also those of the Rust crates bytering and rtrb,
// and older than both: Lamport's queue of 1983, then FastForward and
// MCRingBuffer.

// A cursor is a count of bytes since the ring was made, modulo 1<<63. Above it
// is the closed bit (I5).
const (
	closed     = 1 << 63
	cursorMask = closed - 1
)

// maxCapacity is small enough that of two cursors in use it is always known
// which one is ahead (see reached).
const maxCapacity = 1 << 61

// distance returns the number of bytes from one cursor to a later one (I1).
func distance(from, to uint64) int {
	return int((to - from) & cursorMask)
}

// reached reports whether the cursor at has come to the cursor value want.
func reached(at, want uint64) bool {
	return (at-want)&cursorMask < 1<<62
}

// line keeps apart words that different processors write. It is two cache lines
// of 64 bytes, because processors fetch lines in pairs: a target beside a cursor
// cost 104 ns for each chunk of 64 bytes, against 50.
const line = 128

// A record is what a half shares with the others. Any two of its hot words, and
// anything before or after the record, are at least a line apart.
type record struct {
	err      seam.Pointer[error] // what the half was closed with
	deadline deadline

	_      [line]byte
	cursor seam.Uint64
	_      [line]byte
	target target // the cursor value of the other side that the half waits for
	_      [line]byte
	hold   hold
	_      [line]byte
}

// A ring is what all halves share.
type ring struct {
	// Set before the ring is shared. The release that unmaps the memory sets mem
	// and view to nil: the garbage collector ends a process in which a pointer
	// leads to where it has put memory of its own meanwhile.
	size      int    // the capacity
	mem       []byte // the memory, once
	view      []byte // the memory, followed by its mirror if it has one, and no capacity beyond
	consumers []*record
	broadcast bool // a released consumer stops limiting the producer
	mapped    bool // the memory must be unmapped
	start     uint64
	memory    mapping
	cleanup   runtime.Cleanup

	// Changed only by a Close, and by a ReadFrom that is ahead of the ring.
	openConsumers seam.Int32
	openProducer  seam.Int32
	users         seam.Int32  // if mapped: halves that are not released
	spilled       seam.Uint32 // bytes in the producer's spill

	_        [line]byte
	producer record
}

// New makes a ring of capacity bytes and returns its two halves. The capacity
// is at least 1 and need not be a power of two; some options round it up. The
// memory is zeroed.
//
// It returns an error that wraps [ErrInvalidCapacity], [ErrInvalidAlignment]
// or [ErrNoMemory]; with options that map memory also [ErrInvalidMemory],
// [ErrLock], [ErrFile] or [errors.ErrUnsupported]. After an error nothing is left
// of the attempt. As in any Go program, memory that the system has promised and
// then cannot provide ends the process.
func New(capacity int, opts ...Option) (*Producer, *Consumer, error) {
	p, cs, err := newRing(capacity, 1, false, opts)
	if err != nil {
		return nil, nil, err
	}
	return p, cs[0], nil
}

// NewBroadcast makes a ring like [New], with several consumers that each see
// every byte. The slowest of those that are not closed limits the producer.
//
// A closed consumer stops limiting the producer once its running call has
// returned and the slices that it was handed are given back, so that they are
// never overwritten while in use. A number of consumers below 1 or above 1<<20
// is an error that wraps [ErrInvalidConsumers].
func NewBroadcast(capacity, consumers int, opts ...Option) (*Producer, []*Consumer, error) {
	if consumers < 1 || consumers > 1<<20 {
		return nil, nil, fmt.Errorf("%w: %d", ErrInvalidConsumers, consumers)
	}
	return newRing(capacity, consumers, true, opts)
}

func newRing(capacity, consumers int, broadcast bool, opts []Option) (*Producer, []*Consumer, error) {
	if capacity < 1 || uint64(capacity) > maxCapacity {
		return nil, nil, fmt.Errorf("%w: %d bytes, not within 1 to 1<<61", ErrInvalidCapacity, capacity)
	}
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, nil, err
	}
	m, err := memory.New(capacity, cfg.memory)
	if err != nil {
		return nil, nil, err
	}
	r := &ring{size: len(m.Bytes()), mem: m.Bytes(), view: m.Bytes(), broadcast: broadcast, start: cfg.start}
	if twice := m.Twice(); twice != nil {
		r.view = twice
	}
	p := new(Producer)
	p.half = half{ring: r, shared: &r.producer, side: p, open: &r.openProducer, plain: io.ErrClosedPipe}
	cs := make([]*Consumer, consumers)
	for i := range cs {
		c := new(Consumer)
		c.half = half{ring: r, shared: new(record), side: c, open: &r.openConsumers, plain: io.EOF}
		c.peers = []*record{&r.producer}
		c.guarded = broadcast
		c.init(cfg)
		r.consumers = append(r.consumers, c.shared)
		cs[i] = c
	}
	p.peers = r.consumers
	p.init(cfg)
	if consumers == 1 {
		p.only = &r.consumers[0].target
	}
	if m.Mapped() {
		r.useMapping(m, p, cs)
		r.unmapIfAbandoned(m)
	}
	r.begin(p, cs) // knows then whether the halves are guarded
	return p, cs, nil
}

// begin sets what a ring and its halves start with, in New and again in Reset.
// No call is running, so no half is armed, and all that an old timer or Close can
// still do is post a token or look at a note. The cursors are stored last: they
// open the halves, and a Close after that finds everything else in place.
func (r *ring) begin(p *Producer, cs []*Consumer) {
	p.begin()
	p.limit = (r.start + uint64(r.size)) & cursorMask
	p.setQuick()
	p.setSpill(nil)
	for _, c := range cs {
		c.begin()
		c.setQuick()
		c.eof = false
	}
	r.openProducer.Store(1)
	r.openConsumers.Store(int32(len(cs)))
	for _, c := range r.consumers {
		c.cursor.Store(r.start)
	}
	r.producer.cursor.Store(r.start)
}

// slowest returns the smallest read cursor of the consumers that limit the
// producer, and false if none does.
func (r *ring) slowest() (at uint64, ok bool) {
	if !r.broadcast {
		return r.consumers[0].cursor.Load() & cursorMask, true
	}
	for _, c := range r.consumers {
		if c.hold.released() {
			continue
		}
		if read := c.cursor.Load() & cursorMask; !ok || !reached(read, at) {
			at, ok = read, true
		}
	}
	return at, ok
}

// filled returns the number of bytes between a read and a write cursor, neither
// of which need be the caller's own. Since they are loaded one after the other,
// and a closed consumer falls behind, the two may be further apart than was ever
// true, which on 32 bits is more than an int holds. So the result is clamped.
func (r *ring) filled(read, write uint64) int {
	if !reached(write, read) {
		return 0
	}
	return int(min((write-read)&cursorMask, uint64(r.size)))
}

// pieces returns the n bytes from off on, in the two pieces before and after
// the wrap, or in one where the memory is mirrored. Both are clipped to their
// length.
func (r *ring) pieces(off, n int) (a, b []byte) {
	first := len(r.view) - off
	if n <= first {
		return r.view[off : off+n : off+n], nil
	}
	rest := n - first
	return r.view[off:], r.mem[:rest:rest]
}

// advance returns off moved on by n, which is at most the capacity.
func (r *ring) advance(off, n int) int {
	if n < r.size-off {
		return off + n
	}
	return off - (r.size - n)
}

// largestCopy is the most that is copied at once. Go's memmove goes past the
// caches from 1 MiB on, and the other half can begin with the first piece: writes
// and reads of 1 and 4 MiB of fresh data take 0.7 to 0.95 times as long in pieces
// of this size, on one processor and on two.
const largestCopy = 256 << 10

// largestCall is the most that ReadFrom and WriteTo offer in one call.
const largestCall = 1 << 20

// limitCall cuts a and b, neighbours in the ring, to what one call is offered: a
// part of the ring, so that both ends can work at the same time, but least bytes
// if there are that many.
func (r *ring) limitCall(a, b []byte, least int) ([]byte, []byte) {
	n := max(least, min(largestCall, r.size/2))
	if n <= len(a) {
		return a[:n:n], nil
	}
	n = min(n-len(a), len(b))
	return a, b[:n:n]
}
