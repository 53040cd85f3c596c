//go:build !interleave

package bytering

import (
	"io"
	"strings"
	"testing"
)

// lends reports whether a half still keeps the memory of the ring, which is
// closed.
func lends(p *Producer, cs []*Consumer, half string) bool {
	if p.ring.mapped {
		return p.ring.mem != nil
	}
	err := Reset(p, cs...)
	return err != nil && strings.Contains(err.Error(), "slices are lent by the "+half)
}

// What a producer was handed stays its own until it gives that back (I8),
// whatever ends and whatever it is asked after that.
func TestProducerKeepsWhatItWasHanded(t *testing.T) {
	calls := append(producerCalls[:len(producerCalls):len(producerCalls)],
		call[*Producer]{"Slices", false, 0, func(p *Producer) (int, error) { a, b := p.Slices(); return len(a) + len(b), p.Err() }},
		call[*Producer]{"Notify", false, 0, func(p *Producer) (int, error) { p.Notify(1, func() {}); return 0, p.Err() }})
	for _, layout := range layouts() {
		for _, m := range calls {
			p, cs := cast(t, 8, 2, layout...)
			done(t, p, cs...)
			a, b := p.Slices()
			n := len(a) + len(b)
			for _, c := range cs {
				c.Close()
			}
			for range 2 {
				n, err := m.run(p)
				want(t, m.name+" after the consumers' Close", n, err, 0, io.ErrClosedPipe)
			}
			if err := p.Commit(n); err != nil {
				t.Errorf("Commit of the %d bytes handed out before the consumers' Close and %s: %v", n, m.name, err)
			}

			p, cs = cast(t, 8, 2, layout...)
			p.Slices()
			closeAll(p, cs)
			for range 2 {
				n, err := m.run(p)
				want(t, m.name+" after all Closes", n, err, 0, io.ErrClosedPipe)
			}
			if !lends(p, cs, "producer") {
				t.Errorf("%s on a closed producer gives back what it was handed before", m.name)
			}
			if p.Commit(0); lends(p, cs, "producer") {
				t.Errorf("%s, then Commit(0) on a closed producer gives nothing back", m.name)
			}
		}
	}
}

// So does what a consumer was handed.
func TestConsumerKeepsWhatItWasHanded(t *testing.T) {
	calls := append(consumerCalls[:len(consumerCalls):len(consumerCalls)],
		call[*Consumer]{"Slices", false, 0, func(c *Consumer) (int, error) { a, b := c.Slices(); return len(a) + len(b), c.Err() }},
		call[*Consumer]{"Notify", false, 0, func(c *Consumer) (int, error) { c.Notify(1, func() {}); return 0, c.Err() }})
	handOuts := map[string]func(*Consumer){"Slices": func(c *Consumer) { c.Slices() }, "Peek": func(c *Consumer) { c.Peek(4) }}
	for _, layout := range layouts() {
		for _, m := range calls {
			for name, handOut := range handOuts {
				p, cs := cast(t, 8, 2, layout...)
				fill(t, p, 4)
				cs[1].Slices()
				cs[1].Discard(4)
				handOut(cs[0])
				closeAll(p, cs)
				for range 2 {
					n, err := m.run(cs[0])
					want(t, name+", Close, "+m.name, n, err, 0, io.ErrClosedPipe)
				}
				if !cs[0].Limits() || !lends(p, cs, "consumer at 0") {
					t.Errorf("%s on a closed consumer gives back what %s had handed out", m.name, name)
				}
				if cs[0].Discard(0); cs[0].Limits() || lends(p, cs, "consumer at 0") {
					t.Errorf("%s, then Discard(0) on a closed consumer gives nothing back", m.name)
				}
			}
		}
	}
}
