package async

import (
	"fmt"
	"math"
	"time"
)

const (
	defaultDepth = 4
	defaultBlock = 256 << 10
)

// An Option changes how [Fill], [Drain] and [DrainParts] work.
type Option func(*config)

type config struct {
	depth  int
	block  int64
	offset int64
	length int64
	exact  bool // by Length
	retry  func(err error, attempt int) (wait time.Duration, again bool)
	stall  time.Duration
	meter  *Meter
}

// Depth sets how many operations are in flight at once, at most: at least 1, and
// 4 without it. A ring needs a capacity of (n + 1) × Block for it; with less the
// depth is lower, and [Stats] says how much it is. With a depth of 1 the
// operations run on the goroutine of the caller.
func Depth(n int) Option { return func(c *config) { c.depth = n } }

// Block sets the bytes of an operation, at least 1, and 256 KiB without it. Fill
// and Drain use the capacity of the ring if that is less.
func Block(n int) Option { return func(c *config) { c.block = int64(n) } }

// Offset sets where in the source or sink the stream begins, 0 or more. For
// [DrainParts] it is the offset of the first part.
func Offset(n int64) Option { return func(c *config) { c.offset = n } }

// Length sets how many bytes are moved, 0 or more. A stream that ends earlier is
// an io.ErrUnexpectedEOF. Without it the stream ends where the source does.
func Length(n int64) Option { return func(c *config) { c.length, c.exact = n, true } }

// Retry has f decide whether an operation that failed with err is tried again,
// and how long to wait before that. It goes on behind the bytes that it had
// moved; a part begins again. Attempt is 1 at first, and counts the failures of
// one operation in a row, for reads and writes those since it last moved a byte.
// f is called by several goroutines at once. It does not see io.EOF of a source
// or a count that is out of range.
func Retry(f func(err error, attempt int) (wait time.Duration, again bool)) Option {
	return func(c *config) { c.retry = f }
}

// Stall makes an operation fail with [ErrStalled] that has moved nothing for d: a
// slow one that goes on does not. What counts is a call that returns bytes, a
// read of a part, and [Progress]. It takes an operation that can be interrupted;
// another one is waited for, and what it returns counts. 0 is no limit.
func Stall(d time.Duration) Option { return func(c *config) { c.stall = d } }

// WithMeter makes m show the call while it runs.
func WithMeter(m *Meter) Option { return func(c *config) { c.meter = m } }

func configure(opts []Option) (config, error) {
	c := config{depth: defaultDepth, block: defaultBlock, length: math.MaxInt64}
	for _, o := range opts {
		o(&c)
	}
	bad := ""
	switch {
	case c.depth < 1:
		bad = fmt.Sprintf("a depth of %d", c.depth)
	case c.block < 1:
		bad = fmt.Sprintf("a block of %d bytes", c.block)
	case c.offset < 0:
		bad = fmt.Sprintf("an offset of %d", c.offset)
	case c.length < 0:
		bad = fmt.Sprintf("a length of %d bytes", c.length)
	case c.stall < 0:
		bad = fmt.Sprintf("a stall of %v", c.stall)
	default:
		// No offset of the source or sink is above the largest of an int64.
		if c.length > math.MaxInt64-c.offset {
			c.length = math.MaxInt64 - c.offset
		}
		return c, nil
	}
	return c, fmt.Errorf("%w: %s", ErrInvalidOption, bad)
}
