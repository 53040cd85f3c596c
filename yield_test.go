package bytering

import (
	"testing"

	"github.com/bytering/bytering/internal/seam"
)

// How many parks go by until the next yield.
func TestYielder(t *testing.T) {
	t.Cleanup(func() { lateUntil.Store(0) })
	for _, tc := range []struct {
		name      string
		times     int
		something bool
		took      uint64
		want      yielder
	}{
		{"worth it", 1, true, soon - 1, yielder{}},
		{"in vain once", 1, false, 0, yielder{pause: 1, skip: 1}},
		{"in vain often", 5, false, 0, yielder{pause: 16, skip: 16}},
		{"in vain always", 50, false, 0, yielder{pause: maxPause, skip: maxPause}},
		{"slow, yet worth it", 1, true, 1000, yielder{pause: 1, skip: 100}},
		{"slow", 1, false, late - 1, yielder{pause: 1, skip: 9999}},
		{"late", 1, true, 80_000_000, yielder{pause: 1, skip: 8_000_000}},
		{"by a counter that is behind", 1, true, 1 << 52, yielder{pause: 1, skip: 100_000_000}},
	} {
		lateUntil.Store(0)
		now := seam.Now()
		var y yielder
		for range tc.times {
			y.judge(tc.something, tc.took)
		}
		if y != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, y, tc.want)
		}
		// A late yield holds all back for a thousand times as long.
		if until := lateUntil.Load(); tc.took < late && until != 0 || tc.took >= late && until < now+min(tc.took, 1e9)*1000 {
			t.Errorf("%s: yields rest for %d ns", tc.name, until-now)
		}
		// A shorter one after it does not end that.
		until := lateUntil.Load()
		if y := (yielder{}); until > 0 {
			if y.judge(true, late); lateUntil.Load() < until {
				t.Errorf("%s: a shorter one ends it", tc.name)
			}
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
	t.Cleanup(func() { lateUntil.Store(0) })
	p, c, err := New(64)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	yields := func(h *half) (yielded, came bool) {
		h.yielder.skip = 0
		if yielded = h.mayYield(); yielded {
			came = h.yielded(exactly(len(b)), seam.Ticks())
		}
		return yielded, came
	}
	if yielded, came := yields(&c.half); yielded || came {
		t.Errorf("at the beginning: yielded %v, came %v", yielded, came)
	}
	p.Write(b)
	c.yielder.seen = c.pos
	if yielded, came := yields(&c.half); !yielded || !came {
		t.Errorf("after a wait: yielded %v, came %v", yielded, came)
	}
	c.Read(b)
	lateUntil.Store(seam.Now() + 1e12)
	if yielded, came := yields(&c.half); yielded || came || c.yielder.skip != maxPause {
		t.Errorf("after a late yield of another: yielded %v, came %v, %+v", yielded, came, c.yielder)
	}
	lateUntil.Store(seam.Now() - 1)
	if yielded, came := yields(&c.half); !yielded || came || lateUntil.Load() != 0 {
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

	// After a wait without a yield the next one may yield, and after Reset it may not.
	go p.Write(b)
	c.yielder.skip = 1
	if err := c.await(t.Context(), exactly(2*len(b))); err != nil {
		t.Fatal(err)
	}
	c.Discard(2 * len(b))
	if yielded, _ := yields(&c.half); !yielded {
		t.Error("not after a wait without one")
	}
	p.Close()
	c.Close()
	if err := Reset(p, c); err != nil || c.yielder != (yielder{seen: never}) {
		t.Errorf("after Reset: %+v, %v", c.yielder, err)
	}
}

// A wait goes without a yield as often as the last one in vain asks for.
func TestYieldIsSkipped(t *testing.T) {
	p, c, err := New(64)
	if err != nil {
		t.Fatal(err)
	}
	c.yielder = yielder{seen: c.pos, pause: 8, skip: 2}
	for i := range 2 {
		p.Write(make([]byte, 8))
		if err := c.await(t.Context(), exactly(8)); err != nil {
			t.Fatal(err)
		}
		// A yield would have changed the pause.
		if c.yielder.pause != 8 || c.yielder.skip != 1-i {
			t.Errorf("after wait %d: %+v", i, c.yielder)
		}
		c.Discard(8)
	}
}
