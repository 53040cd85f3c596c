//go:build interleave

package async

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/interleave"
)

var errTest = errors.New("test")

// A world is a call in a scenario: its caller, and a thread for each block, which
// runs what a worker does. The caller waits by spinning, so that it commits after
// any step of the threads.
type world struct {
	*interleave.T
	e      *engine
	p      *bytering.Producer
	c      *bytering.Consumer
	blocks []*block // blocks that were handed out
	wait   func()   // runs while the caller waits, unless nil
}

// newWorld makes a world over a ring with room for n blocks of one byte, and for
// one more byte.
func newWorld(t *interleave.T, n int, fills bool) *world {
	p, c, err := bytering.New(n + 1)
	if err != nil {
		panic(err)
	}
	if fills {
		return newWorldOf(t, p, c, filling{p}, n)
	}
	return newWorldOf(t, p, c, draining{c}, n)
}

// newWorldOf makes a world over p and c, with n blocks of one byte for h.
func newWorldOf(t *interleave.T, p *bytering.Producer, c *bytering.Consumer, h half, n int) *world {
	w := &world{T: t, p: p, c: c}
	cfg, err := configure([]Option{Block(1), Depth(5), Length(int64(n))})
	if err != nil {
		panic(err)
	}
	w.e = newEngine(context.Background(), h, "test", cfg)
	w.e.window.depth = n
	w.e.start = func(b *block) { w.blocks = append(w.blocks, b) }
	t.Name("engine", &w.e.mu)
	return w
}

// run declares the threads: that of the caller, which ends with check, and one for
// each of the n blocks that may be handed out.
func (w *world) run(n int, check func(err error)) {
	for range n {
		wk := &worker{engine: w.e}
		wk.renew()
		w.e.workers = append(w.e.workers, wk)
	}
	var over interleave.Uint32
	w.Go("caller", func() {
		w.e.acquire()
		for {
			if _, done := w.e.step(); done {
				break
			}
			if w.wait != nil {
				w.wait()
			}
			interleave.Spin()
		}
		if n := w.e.window.busy; n > 0 {
			w.Fail("the call is over while %d operations use the memory", n)
		}
		w.e.release()
		check(w.e.result())
		over.Store(1) // lets the threads that were handed nothing end
	})
	for i := range n {
		w.Go(fmt.Sprint("worker ", i), func() {
			for len(w.blocks) <= i && over.Raw() == 0 {
				interleave.Spin()
			}
			if len(w.blocks) > i {
				w.e.workers[i].do(w.blocks[i])
			}
		})
	}
	w.Final(func() error {
		if over.Raw() == 0 {
			return errors.New("the call is not over")
		}
		return nil
	})
}

// An outcome is what happens to a block: it is complete, the stream ends before it
// or after it, or the operation fails.
type outcome byte

const (
	moves outcome = iota
	ends
	fails
	endsBehind
)

// want returns how many bytes must be safe and the error of the call.
func want(outcomes []outcome) (n int, err error) {
	for i, o := range outcomes {
		switch o {
		case ends:
			return i, io.ErrUnexpectedEOF // the stream was given a length
		case fails:
			return i, errTest
		case endsBehind:
			if i+1 < len(outcomes) {
				return i + 1, io.ErrUnexpectedEOF
			}
		}
	}
	return len(outcomes), nil
}

// completions lets the reads end in every order and records the orders in seen.
func completions(seen map[string]bool, outcomes ...outcome) func(*interleave.T) {
	return func(t *interleave.T) {
		n := len(outcomes)
		w := newWorld(t, n, true)
		var order []int // the order in which the reads end
		w.e.run = func(wk *worker, b *block) {
			wk.transfer(b, true, func(_ context.Context, mem []byte, off int64) (int, error) {
				order = append(order, int(off))
				switch outcomes[off] {
				case ends:
					return 0, io.EOF
				case fails:
					return 0, errTest
				}
				interleave.TouchWrite(mem)
				mem[0] = byte(off) + 1
				if outcomes[off] == endsBehind {
					return 1, io.EOF
				}
				return 1, nil
			})
		}
		w.run(n, func(err error) {
			safe, why := want(outcomes)
			got := make([]byte, n+1)
			m, _ := w.c.TryRead(got)
			if m != safe || w.e.window.safe != int64(safe) || !errors.Is(err, why) || (err != nil) != (why != nil) {
				w.Fail("%d bytes came and %d are safe, error %v; want %d and %v", m, w.e.window.safe, err, safe, why)
			}
			for i, v := range got[:m] {
				if int(v) != i+1 {
					w.Fail("byte %d is %d", i, v)
				}
			}
			if seen != nil {
				seen[fmt.Sprint(order)] = true
			}
		})
	}
}

// drains lets the writes end in every order.
func drains(outcomes ...outcome) func(*interleave.T) {
	return func(t *interleave.T) {
		n := len(outcomes)
		w := newWorld(t, n, false)
		for i := range n {
			w.p.WriteByte(byte(i) + 1)
		}
		written := make([]bool, n)
		w.e.run = func(wk *worker, b *block) {
			wk.transfer(b, false, func(_ context.Context, mem []byte, off int64) (int, error) {
				interleave.TouchRead(mem)
				if int(mem[0]) != int(off)+1 {
					w.Fail("byte %d is %d", off, mem[0])
				}
				if outcomes[off] == fails {
					return 0, errTest
				}
				written[off] = true
				return 1, nil
			})
		}
		w.wait = func() { w.p.TryWrite([]byte{0xff}) } // overwrites what is free
		w.run(n, func(err error) {
			safe, why := want(outcomes)
			if w.c.Position() != uint64(safe) || !errors.Is(err, why) || (err != nil) != (why != nil) {
				w.Fail("%d bytes are discarded, error %v; want %d and %v", w.c.Position(), err, safe, why)
			}
			for i := range safe {
				if !written[i] {
					w.Fail("byte %d was discarded but not written", i)
				}
			}
		})
	}
}

// closing closes the other half at any moment.
func closing(n int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := newWorld(t, n, true)
		running := 0
		w.e.run = func(wk *worker, b *block) {
			wk.transfer(b, true, func(ctx context.Context, mem []byte, off int64) (int, error) {
				running++
				interleave.TouchWrite(mem)
				running--
				return 1, ctx.Err()
			})
		}
		w.Go("closer", func() { w.c.Close() })
		w.run(n, func(err error) {
			if err != nil && err != io.ErrClosedPipe || err == nil && w.e.window.safe != int64(n) || running > 0 {
				w.Fail("error %v with %d bytes safe, and %d reads still running", err, w.e.window.safe, running)
			}
		})
	}
}

// overwriting closes one of two consumers at any moment, and the producer writes as
// soon as it may. It must not overwrite bytes that operations still use.
func overwriting(n int) func(*interleave.T) {
	return func(t *interleave.T) {
		p, cs, err := bytering.NewBroadcast(n, 2)
		if err != nil {
			panic(err)
		}
		for i := range n {
			p.WriteByte(byte(i) + 1)
		}
		cs[1].TryRead(make([]byte, n)) // the second consumer no longer limits the producer
		w := newWorldOf(t, p, cs[0], draining{cs[0]}, n)
		w.e.run = func(wk *worker, b *block) {
			wk.transfer(b, false, func(_ context.Context, mem []byte, off int64) (int, error) {
				interleave.TouchRead(mem)
				if int(mem[0]) != int(off)+1 {
					w.Fail("byte %d is %d", off, mem[0])
				}
				return 1, nil
			})
		}
		w.wait = func() {
			if err := cs[0].Err(); err != nil {
				w.e.halt(err)
			}
		}
		w.Go("closer", func() {
			cs[0].Close()
			p.TryWrite(make([]byte, n))
		})
		w.run(n, func(err error) {
			if err != nil && err != io.ErrClosedPipe || err == nil && w.e.window.safe != int64(n) {
				w.Fail("error %v with %d bytes safe", err, w.e.window.safe)
			}
		})
	}
}

// halting ends the call at any moment. The prefix that was complete by then is
// committed.
func halting(n int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := newWorld(t, n, true)
		complete := make([]bool, n)
		w.e.run = func(wk *worker, b *block) {
			wk.transfer(b, true, func(ctx context.Context, mem []byte, off int64) (int, error) {
				interleave.TouchWrite(mem)
				complete[off] = true
				return 1, nil
			})
		}
		w.Go("halter", func() { w.e.halt(errTest) })
		w.run(n, func(err error) {
			safe := 0
			for safe < n && complete[safe] {
				safe++
			}
			if w.e.window.safe != int64(safe) || (err == nil) != (safe == n) || err != nil && err != errTest {
				w.Fail("error %v with %d bytes safe, want %d", err, w.e.window.safe, safe)
			}
		})
	}
}

// leases has readers of a part that outlive the call of WritePart. The memory is
// given back once, after the last of them. A slow reader is closed in the middle of
// a call.
func leases(t *interleave.T) {
	mem := []byte{1, 2}
	back := 0
	l := &lease{mem: span{a: mem[:1], b: mem[1:]}, size: 2, users: 1, progress: func() {}}
	l.back = func() {
		interleave.TouchWrite(mem)
		back++
	}
	p := &Part{lease: l, Len: 2}
	rs := [2]*PartReader{p.Open(), p.Open()}
	use := func(r *PartReader) {
		r.WriteTo(touching{t})
		r.Close()
	}
	t.Go("WritePart", func() { l.close() })
	t.Go("reader", func() { use(rs[0]) })
	t.Go("slow reader", func() { use(rs[1]) })
	t.Go("closer", func() { rs[1].Close() })
	t.Go("late", func() { use(p.Open()) })
	t.Final(func() error {
		if back != 1 {
			return fmt.Errorf("the memory was given back %d times", back)
		}
		return nil
	})
}

type touching struct{ t *interleave.T }

func (w touching) Write(b []byte) (int, error) { interleave.TouchRead(b); return len(b), nil }

type scenario struct {
	name  string
	bound int
	run   func(*interleave.T)
}

// scenarios returns one scenario for every position of an end, of an error and of
// both, among up to five operations.
func scenarios() (all []scenario) {
	for n := 1; n <= 5; n++ {
		bound := []int{0, 4, 2, 1, 0, 0}[n]
		add := func(os []outcome) {
			all = append(all, scenario{fmt.Sprintf("fill/%v", os), bound, completions(nil, os...)})
			for _, o := range os {
				if o == ends || o == endsBehind {
					return
				}
			}
			all = append(all, scenario{fmt.Sprintf("drain/%v", os), bound, drains(os...)})
		}
		add(make([]outcome, n))
		for i := range n {
			for _, o := range []outcome{ends, fails, endsBehind} {
				os := make([]outcome, n)
				os[i] = o
				add(os)
				for j := range n {
					if j != i && (o != fails || i < j) {
						both := make([]outcome, n)
						both[i], both[j] = o, fails
						add(both)
					}
				}
			}
		}
	}
	for n := 1; n <= 3; n++ {
		all = append(all, scenario{fmt.Sprintf("closing/%d", n), []int{0, 2, 1, 1}[n], closing(n)})
		all = append(all, scenario{fmt.Sprintf("halting/%d", n), []int{0, 2, 1, 1}[n], halting(n)})
	}
	for n := 1; n <= 2; n++ {
		all = append(all, scenario{fmt.Sprintf("overwriting/%d", n), []int{0, 2, 1}[n], overwriting(n)})
	}
	return append(all, scenario{"leases", 1, leases})
}

// Within its bound the explorer lets five reads end in every order.
func TestEveryOrder(t *testing.T) {
	seen := map[string]bool{}
	interleave.Explore(interleave.Options{Preemptions: 0}, completions(seen, make([]outcome, 5)...))
	if len(seen) != 5*4*3*2 {
		t.Errorf("five reads ended in %d orders, want 120", len(seen))
	}
}

// TestInterleavings runs every scenario within its bound. ONLY and SEED work as in
// the root package.
func TestInterleavings(t *testing.T) {
	seeded, seed, replay := strings.Cut(os.Getenv("SEED"), ":")
	ran, schedules := 0, 0
	for _, s := range scenarios() {
		if replay {
			if s.name == seeded {
				f, err := interleave.Replay(seed, s.run)
				t.Fatal(f, err)
			}
			continue
		}
		if !strings.Contains(s.name, os.Getenv("ONLY")) {
			continue
		}
		r := interleave.Explore(interleave.Options{Preemptions: s.bound}, s.run)
		if r.Failure != nil {
			t.Fatalf("%s after %d schedules: %v\nreplay with SEED=%s:%s", s.name, r.Schedules, r.Failure, s.name, r.Failure.Seed)
		}
		ran++
		schedules += r.Schedules
		t.Logf("%-24s %8d schedules", s.name, r.Schedules)
	}
	t.Logf("interleave: %d scenarios, %d schedules, no failure", ran, schedules)
}
