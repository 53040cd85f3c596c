//go:build unix

package bytering

import (
	"io"
	"testing"
)

// Slices stay with a half through a call that publishes or discards nothing,
// whether the callback returns 0 or the half is closed first (I8).
func TestSlicesOutliveACallOfNothing(t *testing.T) {
	producerLends := func(p *Producer, c *Consumer) { p.Slices() }
	producerGives := func(p *Producer, c *Consumer) { p.Commit(0) }
	consumerLends := func(p *Producer, c *Consumer) { c.Slices() }
	consumerGives := func(p *Producer, c *Consumer) { c.Discard(0) }
	for name, tc := range map[string]struct {
		lend, call, back func(p *Producer, c *Consumer)
	}{
		"producer, 0 of a callback": {
			producerLends,
			func(p *Producer, c *Consumer) { p.IOSlices(returns(0)) },
			producerGives,
		},
		"consumer, 0 of a callback": {
			consumerLends,
			func(p *Producer, c *Consumer) { c.IOSlices(returns(0)) },
			consumerGives,
		},
		"producer, closed in a callback": {
			producerLends,
			func(p *Producer, c *Consumer) {
				n, err := p.IOSlices(func([][]byte, int) (int, error) { p.Close(); return 1, nil })
				want(t, "IOSlices", n, err, 0, io.ErrClosedPipe)
			},
			producerGives,
		},
		"consumer, closed in a callback": {
			consumerLends,
			func(p *Producer, c *Consumer) {
				n, err := c.IOSlices(func([][]byte, int) (int, error) { c.Close(); return 1, nil })
				want(t, "IOSlices", n, err, 0, io.ErrClosedPipe)
			},
			consumerGives,
		},
		"consumer, closed in a write": {
			consumerLends,
			func(p *Producer, c *Consumer) {
				n, err := c.WriteTo(writerFunc(func(b []byte) (int, error) { c.Close(); return len(b), nil }))
				want(t, "WriteTo", int(n), err, 3, io.ErrClosedPipe)
			},
			consumerGives,
		},
	} {
		p, c := pair(t, 8, Mapped())
		fill(t, p, 3)
		tc.lend(p, c)
		tc.call(p, c)
		p.Close()
		c.Close()
		if p.ring.mem == nil {
			t.Errorf("%s: the memory is unmapped though slices are lent", name)
		}
		tc.back(p, c)
		if p.ring.mem != nil {
			t.Errorf("%s: the memory is still mapped after the slices were given back", name)
		}
	}
}

// Commit may still publish the slices after such a call.
func TestCommitAfterACallOfNothing(t *testing.T) {
	p, c := pair(t, 8)
	p.Slices()
	p.IOSlices(returns(0))
	if err := p.Commit(5); err != nil {
		t.Error(err)
	}
	state(t, p, c, 5, nil, nil)
}

func returns(n int) func([][]byte, int) (int, error) {
	return func([][]byte, int) (int, error) { return n, nil }
}
