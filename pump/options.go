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

// Errors for options that can't be. They are wrapped: test with [errors.Is].
var (
	// ErrInvalidMaxCall is for a largest call below 1 byte, or below the room that
	// the messages of a source need.
	ErrInvalidMaxCall = errors.New("pump: invalid largest call")
	// ErrInvalidRing is for one ring for both directions of a [Relay], for what
	// is no whole ring, or one that is closed, and for one with a [Capacity].
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

// Capacity sets the bytes of the ring, of each direction for [Relay]; 1 MiB
// without it. The values and errors are those of bytering.New.
func Capacity(n int) Option { return func(c *config) { c.capacity, c.sized = n, true } }

// Ring makes [Copy] use the ring of p and c, made with whatever options, in
// place of one of its own. What lies in it is written first. Both halves are
// closed when Copy returns, unless it refuses an option: halves that are nil,
// closed, or of two rings, and a [Capacity] beside Ring, are an
// [ErrInvalidRing]. Other consumers of the ring get io.EOF if the source was read
// to its end, and otherwise an error that wraps that of the source or the sink,
// or the cause of the context.
//
// If another goroutine closes a half meanwhile, Copy ends: p's Close is a
// failure of the source, after what lay in the ring was written, and c's one of
// the sink. Either is noticed once the other side is not in a call.
func Ring(p *bytering.Producer, c *bytering.Consumer) Option {
	return func(cfg *config) { cfg.own, cfg.p, cfg.c = false, p, c }
}

// MaxCall sets the bytes that one read or write is offered at most, at least 1.
// Without it, and for larger values, that is what [bytering.Producer.ReadFrom]
// offers: half of the ring, and at most 1 MiB. A pipe is offered a page at least,
// since what is written to it may come in packets. A source whose messages need
// more room, such as a datagram socket, is refused: see [vectored.BoundaryOf].
func MaxCall(n int) Option { return func(c *config) { c.maxCall = n } }

// WithMeter makes m count what is moved, by [Relay] in both directions together.
func WithMeter(m *Meter) Option { return WithMeters(m, m) }

// WithMeters makes [Relay] count each direction with a meter of its own: toB
// what moves from a to b, toA what moves from b to a. [Copy] uses toB.
func WithMeters(toB, toA *Meter) Option {
	return func(c *config) { c.meters = [2]*Meter{toB, toA} }
}

// HalfClose makes [Relay] call f for an end that has no CloseWrite method, once
// the stream to that end has ended. f may look for the connection within a
// wrapper and call its CloseWrite, write a farewell, or do nothing. Then it
// returns nil, and the other stream goes on. If f returns an error, the other
// stream is stopped, and Relay returns an [*Error] of the sink that wraps it: so
// a Relay whose ends can't be half-closed ends with the first of its streams.
//
// Nothing else writes to the end while f runs, but reads from it go on, and f
// may run for both ends at once.
func HalfClose(f func(end io.Writer) error) Option { return func(c *config) { c.halfClose = f } }

// Direct has files read and written past the page cache of the system, with
// O_DIRECT, so that a large copy does not push out of it what others need. See
// the package's documentation for what that takes; where it can't be, a side
// runs buffered as without Direct, and [SideStats] says why. The capacity of the
// ring is rounded up to a multiple of 64 KiB.
//
// Only Linux has it: elsewhere Copy returns an error that wraps
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

// check refuses what can't be and makes the ring if there is none.
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
