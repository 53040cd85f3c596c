package bytering

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/bytering/bytering/internal/memory"
	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/vectored"
)

// Errors that say which argument was wrong. They are wrapped: test with
// [errors.Is].
var (
	// ErrInvalidCapacity is for a capacity below 1 or above 1<<61 bytes.
	ErrInvalidCapacity = errors.New("bytering: invalid capacity")
	// ErrRange is for a number of bytes to wait for, or to look for, that is
	// negative or more than the ring can ever hold.
	ErrRange = errors.New("bytering: number of bytes out of range")
	// ErrInvalidAlignment is for an alignment that is no power of two.
	ErrInvalidAlignment = errors.New("bytering: invalid alignment")
	// ErrInvalidConsumers is for a broadcast to less than one consumer, or to
	// more than 1<<20.
	ErrInvalidConsumers = errors.New("bytering: invalid number of consumers")
	// ErrInvalidCount is for a count that a callback, a reader or a writer
	// returned and that is negative or above what it was offered.
	ErrInvalidCount = vectored.ErrInvalidCount
	// ErrInvalidReset is for a Reset of what is not a whole ring, closed and at
	// rest.
	ErrInvalidReset = errors.New("bytering: invalid reset")
)

// An Option changes how a ring is made. Of two that contradict each other, such
// as two of [File], or [Park] and [Spin], the last one holds.
type Option func(*config)

type config struct {
	memory memory.Options
	inFile bool
	start  uint64 // what the cursors begin at

	spin time.Duration // before a half parks
}

// Align asks that the address of the ring's memory be a multiple of n bytes,
// a power of two. Direct I/O wants the block size of the device, for example.
// Where memory of any address will do, leave it out: large rings begin on a
// page anyway.
func Align(n int) Option {
	return func(c *config) { c.memory.Align = n }
}

// A cursor is a count of bytes since the ring was made, modulo 1<<63. The
// bit above the count says closed (I5), so that one load tells both how far
// a half has come and whether that is all.
const (
	closed = 1 << 63
	count  = closed - 1
)

// maxCapacity leaves a cursor so much room that of two counts in use it is
// always known which one is ahead (see reached).
const maxCapacity = 1 << 61

// distance returns how many bytes lie from one cursor to a later one (I1).
func distance(from, to uint64) int {
	return int((to - from) & count)
}

// reached tells whether the cursor at has come to the cursor value want.
func reached(at, want uint64) bool {
	return (at-want)&count < 1<<62
}

// line separates words that different processors write. Two of 64 bytes,
// because processors fetch lines in pairs: a target beside a cursor cost 104
// against 50 ns for each chunk of 64 bytes.
const line = 128

// A word has a line to itself wherever its struct begins, since whatever lies
// on either side of it is a line away.
type word struct {
	seam.Uint64
	_ [line - 8]byte
}

// A target is the cursor value that a parked half waits for. Beside it, on the
// same line because the same ones look at both, is what a half asked to be
// notified of (see notify.go).
type target struct {
	seam.Uint64
	note seam.Pointer[note]
	_    [line - 16]byte
}

// A ring is what both halves share.
type ring struct {
	// Set once, before anybody else sees the ring. Who unmaps the memory sets
	// mem and reach to nil: a pointer to where the collector may have put its
	// own memory meanwhile would end the process.
	size      int // the capacity
	mem       []byte
	reach     []byte // mem, and once more behind itself if it is mirrored
	readers   []*reader
	broadcast bool   // whether readers that are released stop limiting
	mapped    bool   // whether the memory is to be unmapped: the producer holds
	guarded   bool   // one of the two: the readers hold (I8)
	start     uint64 // what the cursors begin at
	lot       lot    // where the producer parks
	memory    mapping
	cleanup   runtime.Cleanup

	// Changed only when somebody closes, or sets a deadline.
	open     seam.Int32  // consumers that are not closed
	stopped  seam.Uint32 // 1 once the producer's Close has stopped its timer
	users    seam.Int32  // if mapped: halves that are not released
	spilled  seam.Uint32 // bytes of the producer's spill
	writeErr seam.Pointer[error]
	deadline deadline // the producer's

	_     [line]byte
	write word   // the producer's cursor
	space target // the producer's: the read cursor that it waits for

	hold hold // the producer's
	_    [line]byte
}

// A reader is what one consumer shares with the producer.
type reader struct {
	lot      lot
	readErr  seam.Pointer[error]
	deadline deadline

	_    [line]byte
	read word   // the consumer's cursor
	data target // the consumer's: the write cursor that it waits for

	hold hold
	_    [line]byte
}

// New makes a ring of capacity bytes, at least 1 and not necessarily a power
// of two, and returns its two halves. The memory is zeroed. Some options round
// the capacity up.
//
// It returns an error that wraps [ErrInvalidCapacity], [ErrInvalidAlignment]
// or [ErrNoMemory], and with options that map memory also
// [ErrInvalidMemory], [ErrLock], [ErrFile] or [errors.ErrUnsupported]. After an
// error nothing is left of the attempt. Memory that the system promises and then does not have,
// as most systems do, ends the process as in any Go program.
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
// A consumer that is closed stops limiting the producer once its running call
// has returned and the slices that it was handed are given back, so that they
// are never overwritten under it. A number of consumers below 1 or above 1<<20
// is an error that wraps [ErrInvalidConsumers].
func NewBroadcast(capacity, consumers int, opts ...Option) (*Producer, []*Consumer, error) {
	if consumers < 1 || consumers > 1<<20 {
		return nil, nil, fmt.Errorf("%w: %d", ErrInvalidConsumers, consumers)
	}
	return newRing(capacity, consumers, true, opts)
}

func newRing(capacity, consumers int, broadcast bool, opts []Option) (*Producer, []*Consumer, error) {
	cfg := config{memory: memory.Options{Align: 1}}
	for _, o := range opts {
		o(&cfg)
	}
	if capacity < 1 || uint64(capacity) > maxCapacity {
		return nil, nil, fmt.Errorf("%w: %d bytes, not within 1 to 1<<61", ErrInvalidCapacity, capacity)
	}
	if err := cfg.check(); err != nil {
		return nil, nil, err
	}
	m, err := memory.New(capacity, cfg.memory)
	if err != nil {
		return nil, nil, fmt.Errorf("bytering: %w", err)
	}

	r := &ring{size: len(m.Bytes()), mem: m.Bytes(), reach: m.Bytes(), start: cfg.start, lot: newLot()}
	if twice := m.Twice(); twice != nil {
		r.reach = twice
	}
	r.broadcast, r.guarded = broadcast, broadcast
	cs := make([]*Consumer, consumers)
	for i := range cs {
		rd := &reader{lot: newLot()}
		r.readers = append(r.readers, rd)
		cs[i] = &Consumer{ring: r, reader: rd, spinner: spinner{budget: cfg.spin}}
	}
	if m.Mapped() {
		r.ownUntilAbandoned(m)
	}
	p := &Producer{ring: r, spinner: spinner{budget: cfg.spin}}
	if consumers == 1 {
		p.only = &r.readers[0].data
	}
	r.begin(p, cs)
	return p, cs, nil
}

// slowest returns the smallest read cursor of those that limit the producer,
// and false if there are none left.
func (r *ring) slowest() (at uint64, ok bool) {
	if !r.broadcast {
		return r.readers[0].read.Load() & count, true
	}
	for _, rd := range r.readers {
		if rd.hold.released() {
			continue
		}
		if c := rd.read.Load() & count; !ok || !reached(c, at) {
			at, ok = c, true
		}
	}
	return at, ok
}

// filled returns how many bytes lie between a read and a write cursor of
// which neither need be the caller's own. The answer is brought into range:
// loaded one after the other the two may be further apart than was ever true,
// and a closed consumer falls behind for as long as the others go on. On 32
// bits that is more than an int holds.
func (r *ring) filled(read, write uint64) int {
	if !reached(write, read) {
		return 0
	}
	return int(min((write-read)&count, uint64(r.size)))
}

// place returns the n bytes from off on, in the two pieces before and after
// the wrap, or in one where the memory reaches beyond it. Both are clipped to
// their length.
func (r *ring) place(off, n int) (a, b []byte) {
	first := min(n, len(r.reach)-off)
	a = r.reach[off : off+first : off+first]
	if n > first {
		rest := n - first
		b = r.mem[:rest:rest]
	}
	return a, b
}

// largestCall is how much ReadFrom and WriteTo offer at most in one call.
const largestCall = 1 << 20

// taken reports whether all consumers have taken everything up to the write
// cursor at.
func (r *ring) taken(at uint64) bool {
	for _, rd := range r.readers {
		if rd.read.Load()&count != at {
			return false
		}
	}
	return true
}

// tookAll reports whether a consumer has taken everything up to the write cursor
// at.
func (r *ring) tookAll(at uint64) bool {
	return slices.ContainsFunc(r.readers, func(rd *reader) bool { return rd.read.Load()&count == at })
}

// part cuts a and b, neighbours in the ring, to what one call is offered: a
// part, so that both ends can be at work at the same time, but least bytes if
// there are so many.
func (r *ring) part(a, b []byte, least int) ([]byte, []byte) {
	n := max(least, min(largestCall, r.size/2))
	if n <= len(a) {
		return a[:n:n], nil
	}
	n = min(n-len(a), len(b))
	return a, b[:n:n]
}

// wrap returns off moved on by n, which is at most the capacity.
func (r *ring) wrap(off, n int) int {
	if n < r.size-off {
		return off + n
	}
	return off - (r.size - n)
}

// setErr stores the error of a half that closes, unless an earlier one is
// there. It comes before the closed bit, so that who sees the bit finds it.
func setErr(p *seam.Pointer[error], err, fallback error) {
	if err == nil {
		err = fallback
	}
	p.CompareAndSwap(nil, &err)
}

// errOf returns the error of a half that is closed. It is there, unless a
// Close that should have come before Reset comes after it.
func errOf(p *seam.Pointer[error], fallback error) error {
	if err := p.Load(); err != nil {
		return *err
	}
	return fallback
}

// gone returns what the producer is told once all consumers are closed.
func (r *ring) gone() error {
	errs := make([]error, len(r.readers))
	plain := true
	for i, rd := range r.readers {
		errs[i] = errOf(&rd.readErr, io.ErrClosedPipe)
		plain = plain && errs[i] == io.ErrClosedPipe
	}
	switch {
	case plain:
		return io.ErrClosedPipe
	case len(errs) == 1:
		return errs[0]
	}
	return errors.Join(errs...)
}

// checkCount holds a count from outside against what was offered (I7).
func checkCount(who string, n, offered int) error {
	if n < 0 || n > offered {
		return fmt.Errorf("bytering: %w: %s returned %d for %d bytes", ErrInvalidCount, who, n, offered)
	}
	return nil
}

// with adds a second error, if there is one. Where there is none the first
// stays as it is, for callers that compare it.
func with(first, second error) error {
	if second == nil {
		return first
	}
	return errors.Join(first, second)
}
