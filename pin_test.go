//go:build !interleave

package bytering

import (
	"errors"
	"strings"
	"testing"
)

// A pin keeps the memory of what is handed out over commits and discards, until
// it is back and the halves are closed.
func TestPinned(t *testing.T) {
	for name, opts := range mappings() {
		p, c, err := New(4096, opts...)
		if errors.Is(err, ErrLock) {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p.Pin()
		a, _ := p.Slices()
		if err := p.Commit(8); err != nil {
			t.Fatal(err)
		}
		c.Pin()
		b, _ := c.Slices()
		if err := c.Discard(4); err != nil {
			t.Fatal(err)
		}
		closeAll(p, []*Consumer{c})
		p.Commit(0)
		c.Discard(0)
		a[len(a)-1] = b[7] // a fault, were it unmapped
		p.Unpin()
		if p.ring.mem == nil {
			t.Errorf("%s: unmapped while the consumer is pinned", name)
		}
		c.Unpin()
		if p.ring.mem != nil {
			t.Errorf("%s: still mapped with both pins back", name)
		}
	}
}

// A consumer of several limits the producer while it is pinned, closed or not.
func TestPinnedConsumerLimits(t *testing.T) {
	p, cs := some(t, 8, 1)
	fill(t, p, 8)
	cs[0].Pin()
	cs[0].Pin()
	cs[0].Slices()
	cs[0].Discard(3)
	cs[0].Close()
	for range 2 {
		if cs[0].Discard(0); !cs[0].Limits() {
			t.Fatal("a pinned consumer does not limit")
		}
		cs[0].Unpin()
	}
	if cs[0].Limits() {
		t.Error("it still limits without a pin")
	}
}

func TestPinsAndReset(t *testing.T) {
	for _, half := range []string{"producer", "consumer"} {
		p, c := pair(t, 8)
		pin, unpin := p.Pin, p.Unpin
		if half == "consumer" {
			pin, unpin = c.Pin, c.Unpin
		}
		pin()
		closeAll(p, []*Consumer{c})
		if err := Reset(p, c); !errors.Is(err, ErrInvalidReset) || !strings.Contains(err.Error(), half) {
			t.Errorf("Reset with a pinned %s: %v", half, err)
		}
		unpin()
		if err := Reset(p, c); err != nil {
			t.Error(err)
		}
		panics(t, "Unpin without a Pin", unpin, "not pinned")
		pin() // and is usable after the panic
		unpin()
	}
}
