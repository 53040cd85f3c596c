package bytering

import (
	"testing"
	"time"
)

// How many parks go by until the next yield.
func TestYielder(t *testing.T) {
	for _, tc := range []struct {
		name      string
		times     int
		something bool
		took      time.Duration
		want      yielder
	}{
		{"worth it", 1, true, soon - 1, yielder{trust: 4}},
		{"worth it, not timed", 10, true, 0, yielder{trust: 13}},
		{"in vain once", 1, false, 0, yielder{pause: 1, skip: 1}},
		{"in vain often", 5, false, 0, yielder{pause: 16, skip: 16}},
		{"in vain always", 50, false, 0, yielder{pause: maxPause, skip: maxPause}},
		{"slow, yet worth it", 1, true, soon, yielder{pause: 1, skip: 100}},
		{"slow", 1, false, 80 * time.Millisecond, yielder{pause: 1, skip: 8_000_000}},
		{"slow as never", 1, true, 1000 * time.Hour, yielder{pause: 1, skip: maxPrice}},
	} {
		y := yielder{trust: 3}
		for range tc.times {
			y.judge(tc.something, tc.took)
		}
		if y != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, y, tc.want)
		}
		// One that is worth it forgives all.
		y.judge(true, 0)
		if y.pause != 0 {
			t.Errorf("%s: a pause of %d is left", tc.name, y.pause)
		}
	}
}

// A consumer yields if it has taken what its last wait brought and no more. A producer
// never does.
func TestYieldsInTurns(t *testing.T) {
	p, c, err := New(64)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	yields := func(h *half) (yielded, came bool) {
		h.yielder.skip = 0
		if yielded = h.mayYield(); yielded {
			came = h.yielded(exactly(len(b)), 0)
		}
		return yielded, came
	}
	p.Write(b)
	if yielded, came := yields(&c.half); !yielded || !came {
		t.Errorf("at the beginning: yielded %v, came %v", yielded, came)
	}
	c.Read(b)
	if yielded, came := yields(&c.half); !yielded || came {
		t.Errorf("after what came was taken: yielded %v, came %v", yielded, came)
	}
	p.Write(b)
	c.Read(b)
	p.Write(b)
	if yielded, came := yields(&c.half); yielded || came {
		t.Errorf("after more was taken: yielded %v, came %v", yielded, came)
	}
	p.yielder.seen = p.pos
	if yielded, came := yields(&p.half); yielded || came {
		t.Errorf("the producer: yielded %v, came %v", yielded, came)
	}

	// A wait without a yield begins anew, and so does Reset.
	c.yielder = yielder{skip: 1}
	go p.Write(b)
	if err := c.await(t.Context(), exactly(2*len(b))); err != nil {
		t.Fatal(err)
	}
	c.Discard(2 * len(b))
	if yielded, _ := yields(&c.half); !yielded {
		t.Error("not after a wait without one")
	}
	p.Close()
	c.Close()
	if err := Reset(p, c); err != nil || c.yielder != (yielder{seen: c.pos}) {
		t.Errorf("after Reset: %+v, %v", c.yielder, err)
	}
}

// A wait goes without a yield as often as the last one in vain asks for.
func TestYieldIsSkipped(t *testing.T) {
	p, c, err := New(64)
	if err != nil {
		t.Fatal(err)
	}
	c.yielder.skip = 2
	for i, want := range []bool{false, false, true} {
		y := c.yielder
		p.Write(make([]byte, 8))
		if err := c.await(t.Context(), exactly(8)); err != nil {
			t.Fatal(err)
		}
		if yielded := c.yielder.trust+c.yielder.pause != y.trust+y.pause; yielded != want {
			t.Errorf("wait %d: yielded %v", i, yielded)
		}
		c.Discard(8)
	}
}
