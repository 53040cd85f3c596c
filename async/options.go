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

// Depth sets the largest number of operations in flight at once, 1 or more. The default
// is 4. It takes a ring with a capacity of (n + 1) × Block. With a smaller ring the
// depth is lower, and [Stats] says what it is. With a depth of 1 the operations run on
// the goroutine of the caller.
func Depth(n int) Option { return func(c *config) { c.depth = n } }

// Block sets the number of bytes of an operation, 1 or more. The default is 256 KiB.
// [Fill] and [Drain] use the capacity of the ring if that is less.
func Block(n int) Option { return func(c *config) { c.block = int64(n) } }

// Offset sets the offset in the source or sink at which the stream begins, 0 or more.
// For [DrainParts] it is the offset of the first part. The default is 0.
func Offset(n int64) Option { return func(c *config) { c.offset = n } }

// Length sets how many bytes are moved, 0 or more. It is an io.ErrUnexpectedEOF if the
// stream ends earlier. Without Length the stream ends where the source does.
func Length(n int64) Option { return func(c *config) { c.length, c.exact = n, true } }

// Retry makes f decide whether an operation that failed with err is tried again, and
// how long to wait before that. A read or write continues after the bytes that it has
// moved; a part begins again. attempt is the number of failures of the operation in a
// row; a read or write that moves a byte starts counting again. Several goroutines call
// f at once. f is not called for the io.EOF of a source or for a count that is out of
// range. Without Retry a failure is final.
func Retry(f func(err error, attempt int) (wait time.Duration, again bool)) Option {
	return func(c *config) { c.retry = f }
}

// Stall makes an operation fail with [ErrStalled] when it has moved nothing for d. A slow
// operation that keeps moving does not fail. An operation moves when a call returns
// bytes, when a part is read, and when [Progress] is called. Only an operation that can
// be interrupted fails; the result of any other counts when it returns. 0, the default,
// means no limit.
func Stall(d time.Duration) Option { return func(c *config) { c.stall = d } }

// WithMeter makes m show the Stats of the call while it runs.
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
		// No offset in the source or sink exceeds an int64.
		if c.length > math.MaxInt64-c.offset {
			c.length = math.MaxInt64 - c.offset
		}
		return c, nil
	}
	return c, fmt.Errorf("%w: %s", ErrInvalidOption, bad)
}
