package pump

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/internal/splice"
	"github.com/bytering/bytering/vectored"
)

const (
	// maxCapacity is the largest that a ring can be.
	maxCapacity = 1 << 61
	// Between two TCP connections at their fastest a ring of 1 MiB moved 1.3 times what
	// one of 256 KiB did, and one of 4 MiB 1.2 times what one of 1 MiB did. From a file,
	// which doesn't keep a copy waiting, 4 MiB were slower than 1 MiB.
	defaultCapacity = 1 << 20
	fastCapacity    = 4 << 20
	fastSample      = 16 << 20
	defaultMaxCall  = 1 << 20
)

// Errors for invalid options. They are wrapped: test with [errors.Is].
var (
	// ErrInvalidMaxCall is for a [MaxCall] below 1 byte, or below the room that a
	// message of the source needs.
	ErrInvalidMaxCall = errors.New("pump: invalid largest call")
	// ErrInvalidRing is for a [Ring] whose halves are nil, closed or of two
	// rings, for a Ring together with a [Capacity], and for a Ring given to
	// [Relay].
	ErrInvalidRing = errors.New("pump: invalid ring")
)

// An Option changes how [Copy] and [Relay] work.
type Option func(*config)

type config struct {
	pool     *Pool
	smallest int  // the largest capacity of the ring that a stream begins in
	capacity int  // and of the largest
	sized    bool // by Capacity
	maxCall  int
	meters   [2]*Meter // of the directions to b and to a
	direct   bool
	splice   bool
	pair     *splice.Pair // with splice, if both ends are pipes

	halfClose func(io.Writer) error // nil if nothing is to be called

	direction Direction // 0 for Copy
	meter     *Meter    // of this direction

	given bool  // fixed is one that the caller gave
	fixed *ring // what the copy keeps from its beginning to its end, if not nil
}

// Capacity sets the size in bytes of the largest ring that a copy uses, or each
// direction of a [Relay]. The default is 1 MiB, or 4 MiB once 1 GB/s or more comes from
// a connection or a pipe, where the system has readv. A stream begins in a ring of up
// to 64 KiB and goes on in larger ones, up to that size, as the source fills them or the
// sink falls behind. The valid values, and the errors for others, are those of
// [bytering.New].
func Capacity(n int) Option { return func(c *config) { c.capacity, c.sized = n, true } }

// Ring makes [Copy] use the ring of p and c, with whatever options it was made,
// instead of making one. Bytes that are already in the ring are written first.
// Both halves are closed when Copy returns, unless it refuses an option. Halves
// that are nil, closed, or of two rings, and a [Capacity] together with Ring, are
// an [ErrInvalidRing]. Other consumers of the ring get io.EOF if the source was
// read to its end. Otherwise they get an error that wraps that of the source or
// the sink, or the cause of the context.
//
// If another goroutine closes a half during the copy, Copy ends. Closing p is a
// failure of the source, after what was in the ring has been written; closing c
// is a failure of the sink. Copy notices once the other side is not in a call.
func Ring(p *bytering.Producer, c *bytering.Consumer) Option {
	return func(cfg *config) { cfg.given, cfg.fixed = true, &ring{p: p, c: c} }
}

// WithPool makes the copy take its rings from pool. Give all copies of a program
// the same one to limit what they take together. A nil pool is the one that copies
// share by default. With [Ring] or [Direct] the pool is not used.
func WithPool(pool *Pool) Option { return func(c *config) { c.pool = pool } }

// MaxCall sets the largest number of bytes that one read or write is offered, at
// least 1. The default, and the most, is what [bytering.Producer.ReadFrom]
// offers: half of the ring, but not more than 1 MiB. A read of a pipe is offered
// at least a page, because what is written to the pipe may come in packets. A
// source whose messages need more room, such as a datagram socket, is refused
// with [ErrInvalidMaxCall]: see [vectored.BoundaryOf].
func MaxCall(n int) Option { return func(c *config) { c.maxCall = n } }

// WithMeter makes m count what is moved. For a [Relay] it counts both directions
// together.
func WithMeter(m *Meter) Option { return WithMeters(m, m) }

// WithMeters makes [Relay] count each direction with its own meter: toB counts
// what moves from a to b, and toA what moves from b to a. [Copy] uses toB.
func WithMeters(toB, toA *Meter) Option {
	return func(c *config) { c.meters = [2]*Meter{toB, toA} }
}

// HalfClose makes [Relay] call f for an end that has no CloseWrite method, once
// the stream to that end has ended. f may look for the connection inside a
// wrapper and call its CloseWrite, write a farewell, or do nothing. If f returns
// nil, the other stream continues. If f returns an error, the other stream is
// stopped, and Relay returns an [*Error] of the sink that wraps it. So if no end
// can be half-closed, an f that returns an error ends the Relay with the first of
// its streams.
//
// Relay does not write to the end while f runs, but may read from it. f may run
// for both ends at the same time.
func HalfClose(f func(end io.Writer) error) Option { return func(c *config) { c.halfClose = f } }

// Direct makes Copy and Relay read and write files with O_DIRECT, which bypasses
// the system's page cache, so that a large copy does not evict what other
// programs need from it. See the package documentation for the requirements. A
// side that does not meet them runs buffered, as without Direct, and its
// [SideStats] say why. The ring has its capacity from the beginning, rounded up to
// a multiple of [DirectAlign].
//
// Only Linux has it. Elsewhere Copy returns an error that wraps
// [errors.ErrUnsupported].
func Direct() Option { return func(c *config) { c.direct = true } }

// Splice lets [Copy] and [Relay] move bytes from pipe to pipe inside the system, by
// splice(2): the pages that hold them are passed on and not copied. Both ends must be
// pipes, each an [*os.File], and the source in non-blocking mode, as package os opens
// it. Otherwise, on other systems than Linux, with a ring or a [MaxCall] of no more
// than a page, and if a ring that was given with [Ring] has several consumers, Splice
// changes nothing. The ring has its capacity from the beginning.
//
// The ring still takes what the sink is slow to accept. Bytes are spliced while it is
// empty. When the sink has been behind for 5 milliseconds, or less if the source is a
// pipe of less than 1 MiB, and takes less than 2 GB/s, bytes are read into the ring,
// until the sink has caught up. Bytes that are spliced are never in the ring, and the
// Position of its halves does not count them. [Stats] do: a splice is a call of the
// source, also while it waits for the sink, and one of the sink if it moves anything.
// Half of the ring does not limit it.
//
// The stream begins in the ring, until a read returns more than a page: a pipe of
// packets, whose writer has set O_DIRECT, is never spliced. What is spliced arrives as
// it would without Copy between the two pipes. So a packet that follows a stream may
// arrive as a packet, as two, or as bytes of the stream, and a reader loses what it
// has no room for; and a page that was itself put into the source by splice or
// vmsplice may be written to later.
func Splice() Option { return func(c *config) { c.splice = true } }

// DirectAlign is the alignment of a ring that [Direct] makes, and what its capacity
// is a multiple of: the largest block that Linux has on any device.
const DirectAlign = 64 << 10

// RoundUp returns n rounded up to a multiple of m, a power of two, as Direct rounds
// a capacity. An n below 1, and one too large for that, stays as it is.
func RoundUp(n, m int) int {
	if n < 1 || n > math.MaxInt-m {
		return n
	}
	return n + -n&(m-1)
}

func configure(opts []Option) config {
	c := config{smallest: smallestRing, capacity: defaultCapacity, maxCall: defaultMaxCall}
	for _, o := range opts {
		o(&c)
	}
	if c.pool == nil {
		c.pool = &common
	}
	c.meter = c.meters[0]
	return c
}

// check returns an error for an invalid option. If the copy keeps one ring, check
// prepares it: the ring that was given, or one for direct I/O, for pipes that
// splice, or for a source whose reads need more room than those of a stream. Other
// copies take their rings later.
func (c *config) check(dst io.Writer, src io.Reader) (err error) {
	boundary := vectored.BoundaryOf(src)
	if c.maxCall < 1 {
		return fmt.Errorf("%w: %d bytes", ErrInvalidMaxCall, c.maxCall)
	}
	if room := boundary.Room(); c.maxCall < room && boundary != vectored.Packet {
		return fmt.Errorf("%w: %d bytes would cut what the source gives at once, which is up to %d", ErrInvalidMaxCall, c.maxCall, room)
	}
	if c.direct {
		if err := direct.Supported(); err != nil {
			return fmt.Errorf("pump: %w", err)
		}
	}
	if c.splice && c.maxCall > boundary.Room() { // or no read would show a stream
		c.pair = splice.Open(dst, src)
	}
	streams := boundary == vectored.Stream || boundary == vectored.Packet
	switch {
	case c.given:
		return c.checkRing()
	case c.direct:
		c.fixed = new(ring)
		c.fixed.p, c.fixed.c, err = bytering.New(RoundUp(c.capacity, DirectAlign), bytering.Align(DirectAlign))
	case c.capacity < 1 || uint64(c.capacity) > maxCapacity:
		_, _, err = bytering.New(c.capacity)
	case !streams, c.pair != nil:
		c.fixed, err = c.lend(c.capacity)
		if err == nil && c.pair != nil && !c.holdsPacket() { // or the pool is at its limit
			c.fixed.back()
			c.fixed, c.pair = nil, nil
		}
	}
	return err
}

// holdsPacket reports whether the ring has room for a packet of a pipe, which may
// follow what was spliced.
func (c *config) holdsPacket() bool { return c.fixed.p.Cap() >= vectored.Packet.Room() }

// checkRing returns an error for a ring that can't move anything, and for a
// Capacity beside a ring.
func (c *config) checkRing() error {
	p, consumer := c.fixed.p, c.fixed.c
	switch {
	case p == nil || consumer == nil:
		return fmt.Errorf("%w: a half is nil", ErrInvalidRing)
	case c.sized:
		return fmt.Errorf("%w: a Capacity of %d bytes beside it", ErrInvalidRing, c.capacity)
	case !p.Feeds(consumer):
		return fmt.Errorf("%w: its halves are of two rings", ErrInvalidRing)
	}
	if err := p.Err(); err != nil {
		return fmt.Errorf("%w: it is closed, says its producer: %w", ErrInvalidRing, err)
	}
	if err := consumer.Err(); err != nil {
		return fmt.Errorf("%w: it is closed, says its consumer: %w", ErrInvalidRing, err)
	}
	return nil
}

// lend returns a ring of the pool, of the given size, or of at most tinyRing if
// the pool is at its limit.
func (c *config) lend(size int) (*ring, error) {
	r, err := c.pool.take(size)
	if err == errLimit {
		r, err = c.pool.take(min(size, tinyRing))
	}
	return r, err
}
