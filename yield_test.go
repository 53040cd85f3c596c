package bytering

import (
	"runtime"
	"testing"

	"github.com/bytering/bytering/internal/pause"
	"github.com/bytering/bytering/internal/seam"
)

// How many parks go by until the next yield.
func TestYielder(t *testing.T) {
	t.Cleanup(func() { lateUntil.Store(0) })
	learned := yielder{timed: lesson, usual: 1000}
	for _, tc := range []struct {
		name        string
		times       int
		something   bool
		took, usual uint64
		want        yielder
	}{
		{"worth it", 1, true, soon - 1, 0, learned},
		{"in vain once", 1, false, 0, 0, learned.with(1, 1)},
		{"in vain often", 5, false, 0, 0, learned.with(16, 16)},
		{"in vain always", 50, false, 0, 0, learned.with(maxPause, maxPause)},
		{"slow, yet worth it", 1, true, 1000, 0, yielder{usual: 1000, pause: 1, skip: 100}},
		{"slow", 1, false, late - 1, 0, yielder{usual: 1000, pause: 1, skip: 9999}},
		{"late", 1, true, 80_000_000, 0, yielder{usual: 1000, pause: 1, skip: 8_000_000}},
		{"by a counter that is behind", 1, true, 1 << 52, 0, yielder{usual: 1000, pause: 1, skip: 100_000_000}},
		{"as long as the other half runs", 1, true, 2299, 1000, learned},
		{"longer than the other half runs", 1, true, 2300, 1000, yielder{usual: 1000, pause: 1, skip: 130}},
		{"in vain while the other half runs", 1, false, 1100, 1000, learned.with(1, 10)},
		{"in vain before the other half runs", 1, false, 100, 1000, learned.with(1, 1)},
		{"late, but not by as much", 1, true, late + 30_000, 40_000, yielder{usual: 1000, pause: 1, skip: 9000}},
	} {
		lateUntil.Store(0)
		now := seam.Now()
		y := learned
		for range tc.times {
			y.judge(tc.something, tc.took, tc.usual)
		}
		if y != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, y, tc.want)
		}
		// A late yield holds all back for a thousand times as long.
		isLate := tc.took >= tc.usual+late
		if until := lateUntil.Load(); !isLate && until != 0 || isLate && until < now+min(tc.took, 1e9)*1000 {
			t.Errorf("%s: yields rest for %d ns", tc.name, until-now)
		}
		// A shorter one after it does not end that.
		until := lateUntil.Load()
		if y := (yielder{}); until > 0 {
			if y.judge(true, late, 0); lateUntil.Load() < until {
				t.Errorf("%s: a shorter one ends it", tc.name)
			}
		}
		// One that is worth it forgives all.
		y.judge(true, 0, 0)
		if y.pause != 0 {
			t.Errorf("%s: a pause of %d is left", tc.name, y.pause)
		}
	}
}

// with returns y after yields in vain.
func (y yielder) with(pause, skip int) yielder {
	y.pause, y.skip = pause, skip
	return y
}

// How long parking takes is learned from the shortest of several parks, if that is
// brief.
func TestYielderLearns(t *testing.T) {
	for _, tc := range []struct {
		first, took uint64
		timed       int
		usual       uint64
	}{
		{1000, 1000, lesson, 1000},
		{1000, 1 << 62, lesson, 1000},
		{1 << 62, 1000, lesson, 1000},
		{1 << 62, brief - 1, lesson, brief - 1},
		{brief, brief, 0, brief},
	} {
		y := yielder{usual: 10} // of the lesson before
		y.learn(tc.first)
		for i := 1; i < lesson; i++ {
			if !y.learns() || y.timed != i {
				t.Errorf("%d and %d ns: the lesson ends after %d parks: %+v", tc.first, tc.took, i, y)
			}
			y.learn(tc.took)
		}
		if want := (yielder{timed: tc.timed, usual: tc.usual}); y != want || y.learns() != (tc.timed < lesson) {
			t.Errorf("%d and %d ns: %+v, want %+v", tc.first, tc.took, y, want)
		}
	}
}

// yields lets h yield as before a wait, with or without other processors.
func (h *half) yields(n int, alone bool) (yielded, came bool) {
	h.yielder.skip = 0
	if yielded = h.mayYield(alone); yielded {
		came = h.yielded(exactly(n), alone, seam.Ticks())
	}
	return yielded, came
}

// With several processors a consumer yields if it has taken what its last wait brought
// and no more. A producer never does.
func TestYieldsInTurns(t *testing.T) {
	lateUntil.Store(0)
	t.Cleanup(func() { lateUntil.Store(0) })
	p, c, err := New(64)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	yields := func(h *half) (yielded, came bool) { return h.yields(len(b), false) }
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
	c.yielder.timed = lesson
	if yielded, came := yields(&c.half); yielded || came {
		t.Errorf("after more was taken: yielded %v, came %v", yielded, came)
	}
	p.yielder.seen = p.pos
	if yielded, came := yields(&p.half); yielded || came {
		t.Errorf("the producer: yielded %v, came %v", yielded, came)
	}

	// After a wait without a yield the next one may yield, and after Reset it may not.
	written := make(chan struct{})
	go func() { p.Write(b); close(written) }()
	c.yielder.skip = 1
	if err := c.await(t.Context(), exactly(2*len(b))); err != nil {
		t.Fatal(err)
	}
	<-written // a call of the producer's may still run
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

// With one processor both halves yield in any wait, once some parks have shown how
// long the other half runs.
func TestYieldsWithOneProcessor(t *testing.T) {
	lateUntil.Store(0)
	t.Cleanup(func() { lateUntil.Store(0) })
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p, c := pair(t, 64)
	p.Write(make([]byte, 56))
	for _, h := range []*half{&p.half, &c.half} {
		h.yielder.seen = h.pos
		for h.yielder.learns() {
			if yielded, _ := h.yields(8, true); yielded {
				t.Errorf("the %s yields after %d parks", h.name(), h.yielder.timed)
			}
			h.yielder.learn(brief / 2)
		}
		h.yielder.seen = never
		if yielded, came := h.yields(8, true); !yielded || !came {
			t.Errorf("the %s after the lesson: yielded %v, came %v", h.name(), yielded, came)
		}
		const usual = 100_000_000
		for _, tc := range []struct {
			alone bool
			took  uint64
			slow  bool
		}{
			{true, usual, false},
			{true, 3 * usual, true},
			{false, usual, true},
		} {
			h.yielder = yielder{timed: lesson, usual: usual}
			began := seam.Ticks() - tc.took*pause.PerMicrosecond()/1000
			if came := h.yielded(exactly(8), tc.alone, began); !came || h.yielder.pause > 0 != tc.slow || h.yielder.learns() != tc.slow {
				t.Errorf("the %s after a yield of %d ns, alone %v: %v, %+v", h.name(), tc.took, tc.alone, came, h.yielder)
			}
			lateUntil.Store(0)
		}
	}
}

// With one processor a half learns from the waits in which it sleeps.
func TestYieldsLearned(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2} {
		runtime.GOMAXPROCS(procs)
		alone := runtime.GOMAXPROCS(0) == 1 // some systems have no more
		p, c := pair(t, 8)
		began := seam.Ticks()
		wait := func(h *half, move func()) {
			moved := make(chan struct{})
			go func() {
				for !h.shared.target.hasWaiter() {
					runtime.Gosched()
				}
				move()
				close(moved)
			}()
			if err := h.await(t.Context(), exactly(8)); err != nil {
				t.Fatal(err)
			}
			<-moved
		}
		for range lesson - 1 {
			wait(&c.half, func() { p.Write(make([]byte, 8)) })
			wait(&p.half, func() { c.Discard(8) })
		}
		for _, h := range []*half{&p.half, &c.half} {
			if y := h.yielder; y.timed > 0 != alone || y.timed >= lesson || alone && y.usual > seam.Nanos(began) {
				t.Errorf("the %s with %d processors: %+v", h.name(), procs, y)
			}
		}
		// A wait that ends at the second look teaches nothing.
		p.Write(make([]byte, 8))
		c.yielder = yielder{}
		if err := c.await(t.Context(), exactly(8)); err != nil || c.yielder.timed != 0 {
			t.Errorf("with %d processors, without a sleep: %+v, %v", procs, c.yielder, err)
		}
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
