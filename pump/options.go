package pump

import (
	"errors"
	"fmt"
	"io"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/vectored"
)

const (
	// Between two TCP connections a ring of 1 MiB moves 1.6 times what one of
	// 256 KiB does, and one of 4 MiB no more (bench, suite relay).
	defaultCapacity = 1 << 20
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
	capacity int
	sized    bool // by Capacity
	maxCall  int
	meters   [2]*Meter // of the directions to b and to a
	direct   bool

	halfClose func(io.Writer) error // nil if nothing is to be called

	direction Direction // 0 for Copy
	meter     *Meter    // of this direction

	own bool // the ring is made here
	p   *bytering.Producer
	c   *bytering.Consumer
}

// Capacity sets the size of the ring in bytes; [Relay] makes one of that size for
// each direction. The default is 1 MiB. The valid values, and the errors for
// others, are those of [bytering.New].
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
	return func(cfg *config) { cfg.own, cfg.p, cfg.c = false, p, c }
}

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
// [SideStats] say why. The capacity of the ring is rounded up to a multiple of 64
// KiB.
//
// Only Linux has it. Elsewhere Copy returns an error that wraps
// [errors.ErrUnsupported].
func Direct() Option { return func(c *config) { c.direct = true } }

func configure(opts []Option) config {
	c := config{capacity: defaultCapacity, maxCall: defaultMaxCall, own: true}
	for _, o := range opts {
		o(&c)
	}
	c.meter = c.meters[0]
	return c
}

// check returns an error for an invalid option, and makes the ring unless one was
// given.
func (c *config) check(src io.Reader) (err error) {
	if c.maxCall < 1 {
		return fmt.Errorf("%w: %d bytes", ErrInvalidMaxCall, c.maxCall)
	}
	if b := vectored.BoundaryOf(src); c.maxCall < b.Room() && b != vectored.Packet {
		return fmt.Errorf("%w: %d bytes would cut what the source gives at once, which is up to %d", ErrInvalidMaxCall, c.maxCall, b.Room())
	}
	if c.direct {
		if err := direct.Supported(); err != nil {
			return fmt.Errorf("pump: %w", err)
		}
	}
	switch {
	case c.own && c.direct:
		c.p, c.c, err = bytering.New(blocks(c.capacity), bytering.Align(largestBlock))
	case c.own:
		c.p, c.c, err = bytering.New(c.capacity)
	default:
		err = c.checkRing()
	}
	return err
}

// checkRing refuses a ring that can't move anything, or is asked for twice.
func (c *config) checkRing() error {
	switch {
	case c.p == nil || c.c == nil:
		return fmt.Errorf("%w: a half is nil", ErrInvalidRing)
	case c.sized:
		return fmt.Errorf("%w: a Capacity of %d bytes beside it", ErrInvalidRing, c.capacity)
	case !c.p.Feeds(c.c):
		return fmt.Errorf("%w: its halves are of two rings", ErrInvalidRing)
	}
	if err := c.p.Err(); err != nil {
		return fmt.Errorf("%w: it is closed, says its producer: %w", ErrInvalidRing, err)
	}
	if err := c.c.Err(); err != nil {
		return fmt.Errorf("%w: it is closed, says its consumer: %w", ErrInvalidRing, err)
	}
	return nil
}
