package pump

import (
	"errors"
	"fmt"
)

const (
	defaultCapacity = 256 << 10
	defaultMaxCall  = 1 << 20
)

// ErrInvalidMaxCall is for a largest call below 1 byte. It is wrapped: test with
// [errors.Is].
var ErrInvalidMaxCall = errors.New("pump: invalid largest call")

// An Option changes how [Copy] and [Relay] work.
type Option func(*config)

type config struct {
	capacity int
	maxCall  int
	meter    *Meter
}

// Capacity sets the bytes of the ring, of each direction for [Relay]; 256 KiB
// without it. The values and errors are those of bytering.New.
func Capacity(n int) Option { return func(c *config) { c.capacity = n } }

// MaxCall sets the bytes that one read or write is offered at most, at least 1.
// Without it, and for larger values, that is what [bytering.Producer.ReadFrom]
// offers: half of the ring, and at most 1 MiB.
func MaxCall(n int) Option { return func(c *config) { c.maxCall = n } }

// WithMeter makes m count what is moved.
func WithMeter(m *Meter) Option { return func(c *config) { c.meter = m } }

func configure(opts []Option) (config, error) {
	c := config{capacity: defaultCapacity, maxCall: defaultMaxCall}
	for _, o := range opts {
		o(&c)
	}
	if c.maxCall < 1 {
		return c, fmt.Errorf("%w: %d bytes", ErrInvalidMaxCall, c.maxCall)
	}
	return c, nil
}
