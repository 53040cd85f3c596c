//go:build !interleave

package bytering

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestRandomPrograms runs random programs of all calls on random rings, each
// half on a goroutine of its own, while other goroutines close halves, set
// deadlines, cancel contexts and disarm. Every byte is checked against its
// place in the stream, every count against Position and every error against
// what was asked for. A watchdog tells a lost wake from a standstill that the
// documentation allows.
//
// STRESS is how long it runs, such as 10m. STRESS_SEED runs the ring of one seed
// again and again: the programs are the same, the schedule is not.
func TestRandomPrograms(t *testing.T) {
	length := 2 * time.Second
	if s := os.Getenv("STRESS"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	seed, step := rand.Uint64(), uint64(1)
	if s := os.Getenv("STRESS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
		step = 0
	}
	dir := t.TempDir()
	var next atomic.Uint64
	var sum totals
	var wg sync.WaitGroup
	began := time.Now()
	// A ring that stands still leaves the processors to others.
	for range 8 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for time.Since(began) < length && !t.Failed() {
				randomRing(t, seed+step*next.Add(1), dir, &sum)
			}
		})
	}
	wg.Wait()
	t.Logf("in %v: %d lives of %d rings, %d calls, %d bytes, %d standstills", time.Since(began).Round(time.Second),
		sum.lives.Load(), sum.rings.Load(), sum.calls.Load(), sum.bytes.Load(), sum.standstills.Load())
}

type totals struct{ rings, lives, calls, bytes, standstills atomic.Uint64 }

// randomRing gives a ring one life, and up to two more where Reset can.
func randomRing(t *testing.T, seed uint64, dir string, sum *totals) {
	rng := rand.New(rand.NewPCG(seed, 0))
	begin := (1<<63 - uint64(rng.IntN(200))) & cursorMask
	p, cs, name, err := randomOpen(rng, begin, dir)
	name = fmt.Sprintf("STRESS_SEED=%d: %s, cursors from %#x", seed, name, begin)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	sum.rings.Add(1)
	for i := range uint64(1 + rng.IntN(3)) {
		if i > 0 {
			rng.Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
			err := Reset(p, cs...)
			if p.ring.mapped {
				if !errors.Is(err, ErrInvalidReset) {
					t.Errorf("%s: Reset of mapped memory is %v", name, err)
				}
				return
			}
			if err != nil || p.Position() != begin || p.Err() != nil || p.Free() != p.Cap() {
				t.Errorf("%s: Reset is %v, the producer at %d, %v, %d free", name, err, p.Position(), p.Err(), p.Free())
				return
			}
		}
		// With a stream of its own a life can't take another's bytes for its own.
		l := newLife(t, fmt.Sprintf("%s, life %d", name, i), rand.New(rand.NewPCG(seed, 1+i)), p, cs, i<<40)
		if !l.live() {
			return
		}
		sum.lives.Add(1)
		sum.calls.Add(l.pulse().calls)
		sum.bytes.Add(uint64(distance(begin, p.Position())))
		sum.standstills.Add(l.stirs)
	}
}

type namedOption struct {
	name   string
	option Option
}

var (
	randomPolicies = []namedOption{
		{"no policy", func(*config) {}}, {"Park", Park()},
		{"Spin(20µs)", Spin(20 * time.Microsecond)}, {"Spin(1ms)", Spin(time.Millisecond)},
	}
	randomMemory = []namedOption{
		{"Mirror", Mirror()}, {"Prefault", Prefault()}, {"Lock", Lock()}, {"HugePages", HugePages()}, {"File", nil},
	}
)

// randomOpen makes a ring with random options, and says which.
func randomOpen(rng *rand.Rand, begin uint64, dir string) (*Producer, []*Consumer, string, error) {
	capacity, consumers := 1+rng.IntN(70), rng.IntN(6) // 0 for New
	policy := randomPolicies[rng.IntN(len(randomPolicies))]
	if rng.IntN(50) == 0 {
		// Spinning for as good as ever shows whether spinning halves serve each
		// other. It is hard on all others.
		policy, consumers = namedOption{"Spin(1h)", Spin(time.Hour)}, min(consumers, 2)
	}
	opts := []Option{startAt(begin), policy.option}
	name := policy.name
	if rng.IntN(4) == 0 {
		bits := rng.IntN(7)
		opts = append(opts, Align(1<<bits))
		name += fmt.Sprintf(", Align(%d)", 1<<bits)
	}
	heap := slices.Clip(opts)
	for rng.IntN(6) == 0 {
		m := randomMemory[rng.IntN(len(randomMemory))]
		switch m.name {
		case "File":
			f, err := os.CreateTemp(dir, "ring")
			if err != nil {
				return nil, nil, "", err
			}
			defer os.Remove(f.Name())
			defer f.Close()
			m.option = File(f)
		case "HugePages":
			if rng.IntN(10) > 0 {
				continue // 2 MiB take long
			}
		}
		opts = append(opts, m.option)
		name += ", " + m.name
	}
	make := func(opts []Option) (*Producer, []*Consumer, error) {
		if consumers > 0 {
			return NewBroadcast(capacity, consumers, opts...)
		}
		p, c, err := New(capacity, opts...)
		return p, []*Consumer{c}, err
	}
	p, cs, err := make(opts)
	// Not every system has these, and the pages of a file can't be prefaulted.
	if err != nil && (errors.Is(err, errors.ErrUnsupported) || errors.Is(err, ErrLock) || errors.Is(err, ErrInvalidMemory) || remaps() != nil) {
		name += " refused"
		p, cs, err = make(heap)
	}
	return p, cs, fmt.Sprintf("%d bytes, %d consumers (0: New), %s", capacity, consumers, name), err
}

// A life is a ring from where its cursors begin until it is closed and at rest.
type life struct {
	t    *testing.T
	name string
	rng  *rand.Rand // of the test's goroutine
	p    *randomProducer
	cs   []*randomConsumer
	all  []*randomHalf

	began       time.Time
	begin, salt uint64 // of the cursors, and of the stream

	stop     chan struct{} // closed when a standstill is broken, and by a failure
	stopOnce sync.Once
	failing  atomic.Bool
	failed   chan struct{}
	broken   bool
	stirs    uint64 // standstills
	meddlers atomic.Int32
	meddled  atomic.Uint64
}

func newLife(t *testing.T, name string, rng *rand.Rand, p *Producer, cs []*Consumer, salt uint64) *life {
	l := &life{t: t, name: name, rng: rng, began: time.Now(), begin: p.Position(), salt: salt, stop: make(chan struct{}), failed: make(chan struct{})}
	l.p = newRandomProducer(l, p, l.source())
	l.all = append(l.all, &l.p.randomHalf)
	for i, c := range cs {
		rc := newRandomConsumer(l, c, fmt.Sprintf("consumer %d", i), l.source())
		l.cs = append(l.cs, rc)
		l.all = append(l.all, &rc.randomHalf)
	}
	return l
}

// source returns a source of random numbers for another goroutine.
func (l *life) source() *rand.Rand { return rand.New(rand.NewPCG(l.rng.Uint64(), l.rng.Uint64())) }

// live runs all programs to their ends and reports whether all was well.
func (l *life) live() bool {
	var wg sync.WaitGroup
	for _, h := range l.all {
		wg.Go(func() { h.run(h.program) })
	}
	for range l.rng.IntN(3) {
		rng := l.source()
		l.meddlers.Add(1)
		wg.Go(func() {
			defer l.meddlers.Add(-1)
			l.meddle(rng)
		})
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	l.watch(ended)
	if l.failing.Load() {
		return false
	}
	l.judge()
	return !l.failing.Load()
}

// meddle is what goroutines do that own no half.
func (l *life) meddle(rng *rand.Rand) {
	for range 1 + rng.IntN(6) {
		time.Sleep(time.Duration(rng.IntN(300)) * time.Microsecond)
		h := l.all[rng.IntN(len(l.all))]
		switch rng.IntN(8) {
		case 0, 1, 2:
			h.setRandomDeadline(rng)
		case 3, 4:
			if cancel := h.cancel.Load(); cancel != nil {
				(*cancel)(errCancelled)
			}
		case 5:
			h.disarms.Add(1)
			h.end.Disarm()
			h.disarms.Add(1)
		case 6:
			h.look()
		case 7:
			h.close(rng.IntN(len(closeErrors)))
		}
		l.meddled.Add(1)
	}
	if h := l.all[rng.IntN(len(l.all))]; rng.IntN(2) == 0 {
		h.setDeadline(time.Time{})
	}
}

// judge looks at the ring when all programs have ended.
func (l *life) judge() {
	if r := l.p.half.ring; r.mapped && r.mem != nil {
		l.fail("the memory is still mapped")
	}
	for _, c := range l.cs {
		if c.half.Limits() {
			l.fail("%s still limits", c.name)
		}
	}
	l.p.settled()
	for _, h := range l.all {
		if h.end.Err() != io.ErrClosedPipe {
			l.fail("%s: Err is %v after its Close", h.name, h.end.Err())
		}
		if at := h.end.Position(); at != h.pos {
			l.fail("%s has counted to %d, its Position is %d", h.name, h.pos, at)
		}
		h.look()
		h.settle()
		if n := h.note.Load(); h.sure(n) && !n.fired() {
			l.fail("%s: what Notify(%d) promised has not run", h.name, n.n)
		}
	}
}

// fail reports the first failure with all that is known, and ends all programs.
func (l *life) fail(format string, args ...any) {
	if !l.failing.CompareAndSwap(false, true) {
		return
	}
	l.t.Errorf("%s: %s\n%s", l.name, fmt.Sprintf(format, args...), l.dump())
	close(l.failed)
	l.stopAll()
	for _, h := range l.all {
		h.asked.Or(1)
		h.end.Close()
	}
}

func (l *life) stopAll() { l.stopOnce.Do(func() { close(l.stop) }) }

func (l *life) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}
