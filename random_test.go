package bytering

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestRandomPrograms runs random programs of all calls on random rings, each half
// on a goroutine of its own, while other goroutines close halves, set deadlines,
// cancel contexts and disarm. It checks every byte against its place in the stream,
// every count against Position, and every error against what was asked for. A
// watchdog distinguishes a lost wake from a standstill that the documentation
// allows.
//
// STRESS is the duration, such as 10m. STRESS_SEED runs the ring of one seed again
// and again: the programs are the same, the schedule is not.
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

// randomRing gives a ring one life, and up to two more if the ring can be reset.
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
				t.Errorf("%s: Reset returns %v; then Position is %d, Err is %v, Free is %d", name, err, p.Position(), p.Err(), p.Free())
				return
			}
		}
		// Each life has a stream of its own, so that bytes of an earlier life are
		// noticed.
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

// randomOpen makes a ring with random options and describes them.
func randomOpen(rng *rand.Rand, begin uint64, dir string) (*Producer, []*Consumer, string, error) {
	capacity, consumers := 1+rng.IntN(70), rng.IntN(6) // 0 for New
	policy := randomPolicies[rng.IntN(len(randomPolicies))]
	if rng.IntN(50) == 0 {
		// Spinning practically for ever shows whether spinning halves serve each
		// other. Other goroutines suffer under it.
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
				continue // 2 MiB would take too long
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
	// Not every system has these options, and the pages of a file cannot be
	// prefaulted.
	if err != nil && (errors.Is(err, errors.ErrUnsupported) || errors.Is(err, ErrLock) || errors.Is(err, ErrInvalidMemory) || remaps() != nil) {
		name += " refused"
		p, cs, err = make(heap)
	}
	return p, cs, fmt.Sprintf("%d bytes, %d consumers (0: New), %s", capacity, consumers, name), err
}

// A life is a ring from the start of its cursors until it is closed and at rest.
type life struct {
	t    *testing.T
	name string
	rng  *rand.Rand // for the test's own goroutine
	p    *randomProducer
	cs   []*randomConsumer
	all  []*randomHalf

	began       time.Time
	begin, salt uint64 // where the cursors and the stream start

	stop     chan struct{} // closed when a standstill is broken up, and by a failure
	stopOnce sync.Once
	failing  atomic.Bool
	failed   chan struct{}
	broken   bool
	stirs    uint64 // number of standstills
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

// live runs all programs to their ends and reports whether there was no failure.
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

// meddle makes random calls on a goroutine that owns no half.
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

// judge checks the ring after all programs have ended.
func (l *life) judge() {
	if r := l.p.half.ring; r.mapped && r.mem != nil {
		l.fail("the memory is still mapped")
	}
	for _, c := range l.cs {
		if c.half.Limits() {
			l.fail("%s still limits the producer", c.name)
		}
	}
	l.p.settled()
	for _, h := range l.all {
		if h.end.Err() != io.ErrClosedPipe {
			l.fail("%s: Err is %v after its Close", h.name, h.end.Err())
		}
		if at := h.end.Position(); at != h.pos {
			l.fail("%s counted %d bytes, but its Position is %d", h.name, h.pos, at)
		}
		h.look()
		h.settle()
		if n := h.note.Load(); h.sure(n) && !n.fired() {
			l.fail("%s: the function of Notify(%d) has not run", h.name, n.n)
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

// The watchdog looks once per tick. A life that has not changed for settle ticks
// stands still. If none of its waiting halves could be served, it is nudged or
// broken up. If one could be served, or if the life still stands after it was
// broken up, it hangs as soon as both hangTicks ticks and hangTime have passed.
// Ticks last longer on a busy machine.
const (
	tick      = time.Millisecond
	settle    = 3
	hangTicks = 500
	hangTime  = 5 * time.Second
)

// A pulse changes whenever anything moves.
type pulse struct{ calls, moved, meddled uint64 }

func (l *life) pulse() (p pulse) {
	for _, h := range l.all {
		p.calls += h.calls.Load()
		p.moved += h.end.Position()
	}
	p.meddled = l.meddled.Load()
	return p
}

// watch returns when all programs have ended, or soon after a failure.
func (l *life) watch(ended <-chan struct{}) {
	failed := l.failed
	var last pulse
	var since time.Time
	for still := 0; ; still++ {
		select {
		case <-ended:
			return
		case <-failed:
			select {
			case <-ended:
			case <-time.After(3 * time.Second):
			}
			return
		case <-time.After(tick):
		}
		if now := l.pulse(); now != last {
			last, still, since = now, 0, time.Now()
		}
		if still < settle || l.meddlers.Load() > 0 {
			continue
		}
		switch why := l.stuck(); {
		case why == "" && !l.broken:
			l.stirs++
			if !l.nudge() {
				l.breakUp()
			}
			still, since = 0, time.Now()
		case still < hangTicks || time.Since(since) < hangTime:
		case l.broken:
			l.fail("a call hangs though everything that it could wait for was closed; %s", why)
		default:
			l.fail("a wake is lost: %s", why)
		}
	}
}

// nudge ends one wait of a standstill, so that its half can go on, and reports
// whether it did.
func (l *life) nudge() bool {
	if l.rng.IntN(16) == 0 {
		return false
	}
	for _, i := range l.rng.Perm(len(l.all)) {
		h := l.all[i]
		switch w := h.waits.Load(); {
		case w == nil: // the half is idle for ever
			continue
		case w.parks:
			h.setDeadline(time.Now().Add(-time.Second))
		default:
			select {
			case h.nudged <- struct{}{}:
			default:
			}
		}
		return true
	}
	return false
}

// breakUp ends a life that stands still. All calls must return after it.
func (l *life) breakUp() {
	l.broken = true
	l.stopAll()
	if l.rng.IntN(2) == 0 {
		l.p.close(l.rng.IntN(len(closeErrors)))
		return
	}
	for _, c := range l.cs {
		c.close(l.rng.IntN(len(closeErrors)))
	}
}

// A waiting is a call that may wait, as its caller knows it. The test compares that
// with what the ring does.
type waiting struct {
	need  int             // number of bytes that end the wait
	soft  bool            // for a producer: fewer bytes end the wait while a consumer waits
	until uint64          // if soft and known: the cursor value at which nothing is left to do
	known bool            // whether until is set
	parks bool            // whether the deadline ends the wait
	ctx   context.Context // ends the wait too, unless nil
	noted bool            // whether only the note's function ends the wait
}

// over returns what has already ended the call, regardless of the bytes there, or
// "".
func (w *waiting) over(h *randomHalf) string {
	switch {
	case h.ends():
		return "the end has come"
	case w.parks && h.deadline.passed():
		return "the deadline has passed"
	case w.ctx != nil && w.ctx.Err() != nil:
		return "the context has ended"
	}
	return ""
}

// stuck returns which half waits although it could be served, or "". It is called
// while nothing moves.
func (l *life) stuck() string {
	starving := ""
	for _, c := range l.cs {
		if why := c.starves(); why != "" {
			starving = why
		}
	}
	for _, h := range l.all {
		if n := h.note.Load(); h.sure(n) && !n.fired() && h.come(n.at) {
			return fmt.Sprintf("%s: the function of Notify(%d) has not run", h.name, n.n)
		}
		w := h.waits.Load()
		if w == nil || w.noted {
			continue
		}
		there, enough := h.there(), w.enough(h)
		if why := w.over(h); why != "" {
			return fmt.Sprintf("%s, in %v, waits though %s", h.name, h.last(), why)
		}
		if there >= enough {
			return fmt.Sprintf("%s, in %v, waits for %d bytes with %d there", h.name, h.last(), enough, there)
		}
		if w.soft && there > 0 && starving != "" {
			return fmt.Sprintf("%s, in %v, waits with %d bytes free while %s", h.name, h.last(), there, starving)
		}
	}
	return ""
}

// starves returns how the consumer waits for more than it has, or "" if it does
// not.
func (c *randomConsumer) starves() string {
	if c.ends() {
		return ""
	}
	if n := c.note.Load(); c.sure(n) && !n.fired() && !c.come(n.at) {
		return fmt.Sprintf("%s has a note for %d bytes, in %v", c.name, n.n, c.last())
	}
	if w := c.waits.Load(); w != nil && !w.noted && w.over(&c.randomHalf) == "" && c.there() < w.need {
		return fmt.Sprintf("%s waits for %d bytes with %d there, in %v", c.name, w.need, c.there(), c.last())
	}
	return ""
}

// enough returns how many bytes end the wait.
func (w *waiting) enough(h *randomHalf) int {
	if !w.soft {
		return w.need
	}
	n := max(1, h.end.Cap()/4)
	if w.known {
		n = min(n, distance(h.end.Position(), w.until))
	}
	return n
}

// dump describes the ring and the last calls of all halves.
func (l *life) dump() string {
	var b strings.Builder
	for _, h := range l.all {
		fmt.Fprintf(&b, "%s: %s, %d there, Err %v, deadline set %t, passed %t\n",
			h.name, h.state(), h.there(), h.end.Err(), h.deadline.Load() != 0, h.deadline.passed())
		h.mu.Lock()
		for i := max(0, h.logged-len(h.log)); i < h.logged; i++ {
			fmt.Fprintf(&b, "\t%v\n", h.log[i%len(h.log)])
		}
		h.mu.Unlock()
	}
	return b.String()
}

var (
	errStop = errors.New("enough for one call")
	forever = context.Background()
)

// A sender and a receiver make calls of random kinds, one after the other. Their
// own counts tell them what the stream is at each place.
type sender struct {
	p    *Producer
	rng  *rand.Rand
	pos  uint64 // bytes counted as written
	left int    // bytes still to write
}

func (s *sender) chunk() int { return s.rng.IntN(min(s.left, 2*s.p.Cap()) + 1) }

// step makes one call. It counts what the call counts, including what was moved
// before an error.
func (s *sender) step() (err error) {
	var n int
	b := stream(s.pos, s.chunk())
	switch s.rng.IntN(6) {
	case 0:
		n, err = s.p.Write(b)
	case 1:
		n, err = s.p.TryWrite(b)
	case 2:
		n, err = s.p.IOSlices(func(bufs [][]byte, offered int) (n int, _ error) {
			for _, x := range bufs {
				n += copy(x, b[n:])
			}
			return n, nil
		})
	case 3:
		x, y := s.p.Slices()
		n = copy(x, b)
		n += copy(y, b[n:])
		if err = s.p.Commit(n); err != nil {
			n = 0
		} else if n == 0 {
			err = s.p.Err()
		}
	case 4:
		var m int64
		m, err = s.p.ReadFrom(&source{s.pos, len(b)})
		n = int(m)
	case 5:
		for ; n < min(len(b), 5) && err == nil; n++ {
			if err = s.p.WriteByte(b[n]); err != nil {
				n--
			}
		}
	}
	s.pos += uint64(n)
	if s.left -= n; n == 0 && err == nil && s.rng.IntN(2) == 0 {
		err = s.p.Wait(forever, 1)
	}
	return err
}

func (s *sender) run() (err error) {
	for s.left > 0 && err == nil {
		err = s.step()
	}
	return err
}

type receiver struct {
	c   *Consumer
	rng *rand.Rand
	pos uint64 // bytes taken
}

// take checks and counts the bytes that a call took.
func (r *receiver) take(b []byte) error {
	err := checkStream(b, r.pos)
	r.pos += uint64(len(b))
	return err
}

func (r *receiver) step() (err error) {
	var n int
	b := make([]byte, r.rng.IntN(2*r.c.Cap())+1)
	started := r.pos
	switch r.rng.IntN(7) {
	case 0:
		n, err = r.c.Read(b)
		err = errors.Join(r.take(b[:n]), err)
	case 1:
		n, err = r.c.TryRead(b)
		err = errors.Join(r.take(b[:n]), err)
	case 2:
		var bad error
		n, err = r.c.IOSlices(func(bufs [][]byte, offered int) (n int, _ error) {
			for _, x := range bufs {
				x = x[:min(len(x), len(b)-n)]
				bad = errors.Join(bad, checkStream(x, r.pos+uint64(n)))
				n += len(x)
			}
			return n, nil
		})
		r.pos += uint64(n)
		err = errors.Join(bad, err)
	case 3:
		x, y := r.c.Slices()
		bad := errors.Join(checkStream(x, r.pos), checkStream(y, r.pos+uint64(len(x))))
		n = min(len(b), len(x)+len(y))
		if err = r.c.Discard(n); err == nil {
			r.pos += uint64(n)
			err = r.c.Err()
		}
		err = errors.Join(bad, err)
	case 4:
		var x []byte
		x, err = r.c.Peek(min(len(b), r.c.Cap()))
		if bad := checkStream(x, r.pos); bad != nil {
			return bad
		}
		if lost := r.c.Discard(len(x)); lost == nil {
			r.pos += uint64(len(x))
		} else {
			err = lost // the consumer was closed meanwhile, so the end that Peek reported was not reached
		}
	case 5:
		_, err = r.c.WriteTo(writerFunc(func(x []byte) (int, error) {
			x = x[:min(len(x), len(b))]
			if err := r.take(x); err != nil {
				return len(x), err
			}
			return len(x), errStop
		}))
		switch err {
		case errStop:
			err = nil
		case nil:
			err = io.EOF
		}
	case 6:
		var v byte
		if v, err = r.c.ReadByte(); err == nil {
			err = r.take([]byte{v})
		}
	}
	if r.pos == started && err == nil && r.rng.IntN(2) == 0 {
		// An end that Wait reports does not say that no bytes are left; a read does.
		r.c.Wait(forever, 1+r.rng.IntN(r.c.Cap()))
	}
	return err
}

func (r *receiver) run() (err error) {
	for err == nil {
		err = r.step()
	}
	return err
}

// TestStress lets two goroutines make all calls while a third may close either
// half. The bytes counted as written are delivered.
func TestStress(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	capacities := []int{1, 2, 3, 7, 8, 16, 61, 64, 1000, 4096}
	for trial := range 500 {
		capacity := capacities[rng.IntN(len(capacities))]
		consumers := rng.IntN(4) // 0 stands for New
		var layout []Option
		if trial%8 == 0 {
			layout = layouts()[len(layouts())-1]
			capacity = 4096
		}
		total := 200 + rng.IntN(20*capacity+400)
		closer := rng.IntN(4) // 0 closes the producer, 1 the consumers, other values close neither
		closeAt := rng.IntN(total)
		name := fmt.Sprintf("seed %d, trial %d: %d bytes through %d (%d options), %d consumers, closer %d at %d",
			seed, trial, total, capacity, len(layout), consumers, closer, closeAt)

		p, cs := some(t, capacity, consumers, layout...)
		done(t, p, cs...)
		s := &sender{p: p, rng: rand.New(rand.NewPCG(seed, rng.Uint64())), left: total}
		var wg sync.WaitGroup
		var sent error
		wg.Go(func() {
			sent = s.run()
			p.Close()
		})
		rs := make([]*receiver, len(cs))
		got := make([]error, len(cs))
		for i, c := range cs {
			rs[i] = &receiver{c: c, rng: rand.New(rand.NewPCG(seed, rng.Uint64()))}
			wg.Go(func() { got[i] = rs[i].run() })
		}
		wg.Go(func() {
			if closer > 1 {
				return
			}
			for p.Position() < uint64(closeAt) && p.Err() == nil {
				time.Sleep(time.Microsecond)
			}
			if closer == 0 {
				p.CloseWithError(errTest)
				return
			}
			for _, c := range cs {
				c.CloseWithError(errLater)
			}
		})
		wg.Wait()

		if closer == 1 && sent != nil && !errors.Is(sent, errLater) {
			t.Errorf("%s: the producer ends with %v", name, sent)
		}
		if closer == 0 && sent != nil && sent != io.ErrClosedPipe || closer > 1 && sent != nil {
			t.Errorf("%s: the producer ends with %v", name, sent)
		}
		if s.pos != p.Position() || sent == nil && s.pos != uint64(total) {
			t.Errorf("%s: %d bytes counted as written, position %d, %v", name, s.pos, p.Position(), sent)
		}
		for i, r := range rs {
			switch {
			case errors.Is(got[i], io.EOF) || closer == 0 && errors.Is(got[i], errTest):
				if r.pos != s.pos {
					t.Errorf("%s: consumer %d gets %d of %d bytes", name, i, r.pos, s.pos)
				}
			case closer != 1 || !errors.Is(got[i], io.ErrClosedPipe):
				t.Errorf("%s: consumer %d ends with %v", name, i, got[i])
			}
			if r.pos != r.c.Position() && closer != 1 || r.pos < r.c.Position() || r.pos > s.pos {
				t.Errorf("%s: consumer %d counts %d, its position is %d, want %d", name, i, r.pos, r.c.Position(), s.pos)
			}
		}
		if t.Failed() {
			return
		}
	}
}
