//go:build interleave

package bytering

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/bytering/bytering/internal/interleave"
	"github.com/bytering/bytering/internal/mutants"
)

// TestMain leaves the ordinary tests to the ordinary build. Without a scheduler the
// explorer's words are not atomic, and its tokens do not block.
func TestMain(m *testing.M) {
	flag.Parse()
	if run := flag.Lookup("test.run"); run.Value.String() == "" {
		run.Value.Set("^Test(Interleavings|Hunt|Mutants)$")
	}
	m.Run()
}

// TestInterleavings runs every scenario within its bound.
//
//	go test -tags interleave -run TestInterleavings .
//
// With SEED=scenario:seed in the environment it replays that one schedule, with
// ONLY=text it runs those whose names contain the text, and with SHARD=i/n every
// nth of them from the ith on, for n processes at once.
func TestInterleavings(t *testing.T) {
	if name, seed, ok := strings.Cut(os.Getenv("SEED"), ":"); ok {
		replay(t, name, seed)
		return
	}
	shard, of := 0, 1
	if text := os.Getenv("SHARD"); text != "" {
		if _, err := fmt.Sscanf(text, "%d/%d", &shard, &of); err != nil || of < 1 || shard < 0 || shard >= of {
			t.Fatalf("SHARD=%s: want i/n", text)
		}
	}
	ran, schedules, steps := 0, 0, 0
	for i, s := range scenarios() {
		if !strings.Contains(s.name, os.Getenv("ONLY")) || i%of != shard {
			continue
		}
		r := interleave.Explore(interleave.Options{Preemptions: s.bound}, s.run)
		if r.Failure != nil {
			t.Fatalf("%s after %d schedules: %v\nreplay with SEED=%s:%s", s.name, r.Schedules, r.Failure, s.name, r.Failure.Seed)
		}
		bound := fmt.Sprintf("at most %d preemptions", s.bound)
		if s.bound < 0 {
			bound = "all"
		}
		t.Logf("%-44s %9d schedules, %2d operations in the longest, %s", s.name, r.Schedules, r.Depth, bound)
		ran++
		schedules += r.Schedules
		steps += r.Steps
	}
	t.Logf("interleave: %d scenarios, %d schedules, %d operations, no failure", ran, schedules, steps)
}

func replay(t *testing.T, name, seed string) {
	for _, s := range scenarios() {
		if s.name != name {
			continue
		}
		f, err := interleave.Replay(seed, s.run)
		if err != nil {
			t.Fatal(err)
		}
		if f != nil {
			t.Fatal(f)
		}
		t.Logf("%s passes on seed %s", name, seed)
		return
	}
	t.Fatalf("no scenario is called %q", name)
}

// TestHunt is what TestMutants runs against each mutant. It runs all scenarios
// without preemptions, then with one, then with two and so on, because most defects
// need few. Before that it runs only the first schedules of each scenario, because
// most scenarios are small or fail early. It fails with a line that TestMutants
// reads.
func TestHunt(t *testing.T) {
	if os.Getenv("HUNT") == "" {
		t.Skip("only TestMutants runs this")
	}
	schedules := 0
	for _, round := range []struct{ bound, limit int }{
		{0, 200}, {1, 200}, {2, 200}, {1, 1000}, {2, 1500}, {0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0},
	} {
		for _, s := range scenarios() {
			if s.bound >= 0 && round.bound > s.bound {
				continue
			}
			r := interleave.Explore(interleave.Options{Preemptions: round.bound, MaxSchedules: round.limit}, s.run)
			schedules += r.Schedules
			if r.Failure != nil {
				message, _, _ := strings.Cut(r.Failure.Message, "\n")
				t.Fatalf("KILLED by %s after %d schedules: %s", s.name, schedules, message)
			}
		}
	}
}

// TestMutants runs TestHunt against every mutant.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	t.Setenv("HUNT", "1")
	mutants.Run(t, mutants.Read(t, "testdata/mutants/mutants.txt"), regexp.MustCompile(`KILLED by (.*)`),
		"-tags", "interleave", "-timeout=5m", "-run", "^TestHunt$", ".")
}

// A world is a ring in a scenario, watched at every step.
type world struct {
	*interleave.T
	p  *Producer
	cs []*Consumer
	c  *Consumer // the first consumer

	resetting bool // whether a Reset is under way
	lives     int  // completed Resets

	mapping *fakeMapping // nil unless the ring is mapped
	pinned  bool         // whether a half keeps a pin to the end
}

// near is a starting point for cursors from which they wrap at once.
const near = cursorMask - 2

// prepare is called with the halves of the next rings, if it is not nil.
var prepare func(h *half)

// prepared returns the scenario run with halves that f has prepared.
func prepared(f func(h *half), run func(*interleave.T)) func(*interleave.T) {
	return func(t *interleave.T) {
		prepare = f
		defer func() { prepare = nil }()
		run(t)
	}
}

// spinning returns the scenario run with halves that spin before they park, even with
// one processor.
func spinning(run func(*interleave.T)) func(*interleave.T) {
	return prepared(func(h *half) { h.spinFor, h.processors = 1, processors{waits: 1} }, run)
}

// yielding returns the scenario run with halves that yield before they park, as with
// one processor.
func yielding(run func(*interleave.T)) func(*interleave.T) {
	return prepared(func(h *half) {
		h.processors = processors{alone: true, waits: 1}
		h.yielder.timed = lesson
	}, run)
}

// trailing returns the scenario run with consumers that begin as if they trailed the
// producer.
func trailing(run func(*interleave.T)) func(*interleave.T) {
	return prepared(func(h *half) {
		h.processors = processors{waits: 1}
		h.trails = h.consumes()
	}, run)
}

// claiming returns the scenario run with a producer that claims two bytes at once.
func claiming(run func(*interleave.T)) func(*interleave.T) {
	return prepared(func(*half) { block = 2 }, run)
}

// ringOf makes the ring of a scenario.
func ringOf(t *interleave.T, capacity, consumers int, start uint64) *world {
	leastWant, block = 1, 512
	p, cs, err := newRing(capacity, consumers, consumers > 1, []Option{func(c *config) { c.start = start }})
	if err != nil {
		panic(err)
	}
	w := &world{T: t, p: p, cs: cs, c: cs[0]}
	r := p.ring
	if mapNext {
		w.mapping = &fakeMapping{mem: r.view}
		r.useMapping(w.mapping, p, cs)
		r.begin(p, cs)
		t.Name("users", &r.users)
		t.Name("p's hold", &r.producer.hold)
	}
	if prepare != nil {
		prepare(&p.half)
		for _, c := range cs {
			prepare(&c.half)
		}
	}
	t.Name("write", &r.producer.cursor)
	t.Name("space", &r.producer.target.Uint64)
	t.Name("open", &r.openConsumers)
	t.Name("writeErr", &r.producer.err)
	t.Name("p's note", &r.producer.target.note)
	t.Name("p's deadline", &r.producer.deadline)
	t.Name("p's token", r.producer.target.token)
	for i, rd := range r.consumers {
		t.Name(fmt.Sprint("read ", i), &rd.cursor)
		t.Name(fmt.Sprint("data ", i), &rd.target.Uint64)
		t.Name(fmt.Sprint("hold ", i), &rd.hold)
		t.Name(fmt.Sprintf("c%d's token", i), rd.target.token)
		t.Name(fmt.Sprintf("c%d's note", i), &rd.target.note)
		t.Name(fmt.Sprintf("c%d's deadline", i), &rd.deadline)
	}
	t.Check(w.watch(start))
	t.Final(w.atRest)
	return w
}

// watch returns a check of I1 and of cursors that never go back.
func (w *world) watch(start uint64) func() error {
	r := w.p.ring
	lastWrite := start
	lastRead := make([]uint64, len(r.consumers))
	for i := range lastRead {
		lastRead[i] = start
	}
	lives := 0
	return func() error {
		if w.resetting {
			return nil
		}
		if w.lives > lives { // the cursors begin again
			lives, lastWrite = w.lives, start
			for i := range lastRead {
				lastRead[i] = start
			}
		}
		write := r.producer.cursor.Raw() & cursorMask
		if distance(lastWrite, write) > r.size {
			return fmt.Errorf("the write cursor went from %d to %d", lastWrite, write)
		}
		lastWrite = write
		// An armed half waits for at least one byte and at most for the whole ring,
		// or for the end, which counts as one byte more.
		if space := r.producer.target.Raw(); space&armed != 0 && (space-write)&goalMask != 1 {
			if n := r.size - int((write-space)&goalMask); n < 1 || n > r.size {
				return fmt.Errorf("the producer waits for %d free bytes of %d", n, r.size)
			}
		}
		for i, rd := range r.consumers {
			read := rd.cursor.Raw() & cursorMask
			if distance(lastRead[i], read) > r.size {
				return fmt.Errorf("read cursor %d went from %d to %d", i, lastRead[i], read)
			}
			lastRead[i] = read
			if data := rd.target.Raw(); data&armed != 0 {
				if n := int((data - read) & goalMask); n < 1 || n > r.size {
					return fmt.Errorf("consumer %d waits for %d bytes of %d", i, n, r.size)
				}
			}
			if rd.hold.Raw() == closing {
				continue
			}
			if n := distance(read, write); n > r.size {
				return fmt.Errorf("%d bytes are filled for consumer %d, capacity %d", n, i, r.size)
			}
		}
		return nil
	}
}

// atRest checks that no half is armed once all calls have returned, that nothing is
// held, and that memory was unmapped if it should have been.
func (w *world) atRest() error {
	r := w.p.ring
	if r.producer.target.Raw() != 0 {
		return fmt.Errorf("the producer's target is %#x at rest", r.producer.target.Raw())
	}
	if n := r.producer.target.token.Posts - r.producer.target.token.Timed; n > r.producer.target.Armings(armed) {
		return fmt.Errorf("the producer was sent %d tokens for %d armings", n, r.producer.target.Armings(armed))
	}
	for i, rd := range r.consumers {
		if rd.target.Raw() != 0 {
			return fmt.Errorf("consumer %d's target is %#x at rest", i, rd.target.Raw())
		}
		if n := rd.target.token.Posts - rd.target.token.Timed; n > rd.target.Armings(armed) {
			return fmt.Errorf("consumer %d was sent %d tokens for %d armings", i, n, rd.target.Armings(armed))
		}
		if rd.hold.Raw()&held != 0 && w.cs[i].lent == 0 && !w.pinned {
			return fmt.Errorf("consumer %d holds memory at rest", i)
		}
	}
	if w.p.closed() && w.p.timer.IsSet() {
		return fmt.Errorf("the closed producer's timer runs at rest")
	}
	for i, c := range w.cs {
		if c.closed() && c.timer.IsSet() {
			return fmt.Errorf("closed consumer %d's timer runs at rest", i)
		}
	}
	if r.producer.hold.Raw()&held != 0 && w.p.lent == 0 && !w.pinned {
		return fmt.Errorf("the producer holds memory at rest")
	}
	return w.unmapped()
}

// numbers returns the bytes that every scenario writes, from index from up to index
// to.
func numbers(from, to int) []byte {
	b := make([]byte, 0, to-from)
	for i := from; i < to; i++ {
		b = append(b, byte(i+1))
	}
	return b
}

// expect fails the schedule unless b is the stream from byte at on.
func (w *world) expect(at int, b []byte) {
	for i, v := range b {
		if v != byte(at+i+1) {
			w.Fail("byte %d is %d, want %d", at+i, v, byte(at+i+1))
		}
	}
}

// writeAll writes the first n bytes of the stream, at most chunk bytes a call, and
// returns how many were counted and the error.
func (w *world) writeAll(n, chunk int) (int, error) {
	for at := 0; at < n; {
		m, err := w.p.Write(numbers(at, min(at+chunk, n)))
		if m < min(chunk, n-at) && err == nil {
			w.Fail("Write returned %d without an error", m)
		}
		if at += m; err != nil {
			return at, err
		}
	}
	return n, nil
}

// readAll reads with buffers of chunk bytes until it gets an error, and returns how
// many bytes came and the error.
func (w *world) readAll(c *Consumer, chunk int) (int, error) {
	b := make([]byte, chunk)
	for at := 0; ; {
		n, err := c.Read(b)
		w.expect(at, b[:n])
		if at += n; err != nil {
			return at, err
		}
		if n == 0 {
			w.Fail("Read returned nothing")
		}
	}
}

// wantAll fails the schedule unless want bytes and io.EOF came.
func (w *world) wantAll(want, n int, err error) {
	if n != want || err != io.EOF {
		w.Fail("read %d bytes and %v, want %d and EOF", n, err, want)
	}
}

// fill does what a read into the producer's slices does.
func (w *world) fill(at, n int, bufs ...[]byte) {
	for _, b := range bufs {
		m := min(n, len(b))
		interleave.TouchWrite(b[:m])
		copy(b[:m], numbers(at, at+m))
		at, n = at+m, n-m
	}
}

// use does what a write out of the consumer's slices does.
func (w *world) use(at, n int, bufs ...[]byte) {
	for _, b := range bufs {
		m := min(n, len(b))
		interleave.TouchRead(b[:m])
		w.expect(at, b[:m])
		at, n = at+m, n-m
	}
}
