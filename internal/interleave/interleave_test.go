package interleave

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var (
	unbounded = Options{Preemptions: -1}
	full      = Options{Preemptions: -1, NoReduction: true}
)

// steps declares a thread that does n operations on a word of its own.
func steps(t *T, name string, n int) {
	x := new(Uint64)
	t.Go(name, func() {
		for range n {
			x.Add(1)
		}
	})
}

func choose(n, k int) int {
	r := 1
	for i := range k {
		r = r * (n - i) / (i + 1)
	}
	return r
}

func TestFullSearchCountsEveryOrder(t *testing.T) {
	for _, c := range []struct{ a, b int }{{1, 1}, {2, 3}, {4, 4}, {5, 7}} {
		r := Explore(full, func(w *T) { steps(w, "a", c.a); steps(w, "b", c.b) })
		if want := choose(c.a+c.b, c.a); r.Schedules != want || !r.Complete || r.Failure != nil {
			t.Errorf("%d and %d operations: %+v, want %d schedules", c.a, c.b, r, want)
		}
		if r := Explore(unbounded, func(w *T) { steps(w, "a", c.a); steps(w, "b", c.b) }); r.Schedules != 1 {
			t.Errorf("%d and %d independent operations: %d schedules with sleep sets, want 1", c.a, c.b, r.Schedules)
		}
	}
}

func TestBoundCountsPreemptions(t *testing.T) {
	for bound, want := range []int{2, 2 + 2*3, 2 + 2*3 + 2*3*3} {
		// Two threads have 4 operations each, and either may begin. With one
		// preemption the first may be cut at 3 places. With two, the other may be cut
		// as well, at 3.
		r := Explore(Options{Preemptions: bound}, func(w *T) { steps(w, "a", 4); steps(w, "b", 4) })
		if r.Schedules != want {
			t.Errorf("bound %d: %d schedules, want %d", bound, r.Schedules, want)
		}
	}
}

// defects are small programs that are wrong, each with a part of the message that
// reports it.
var defects = map[string]struct {
	want     string
	scenario func(*T)
}{
	"lost update": {"count is 1", func(t *T) {
		var x Uint64
		for range 2 {
			t.Go("add", func() { x.Store(x.Load() + 1) })
		}
		t.Final(func() error {
			if x.Raw() != 2 {
				return fmt.Errorf("count is %d", x.Raw())
			}
			return nil
		})
	}},
	"lost wake": {"deadlock", func(t *T) {
		var ready, asleep Uint32
		var k Token
		t.Go("waiter", func() {
			if ready.Load() == 0 {
				asleep.Store(1)
				k.Take(nil)
			}
		})
		t.Go("waker", func() {
			ready.Store(1)
			if asleep.Load() == 1 {
				k.Post()
			}
		})
	}},
	"race": {"race", func(t *T) {
		var x Uint64
		b := make([]byte, 1)
		t.Go("writer", func() { x.Store(1); TouchWrite(b); b[0] = 1 })
		t.Go("reader", func() {
			if x.Load() == 1 {
				TouchRead(b)
			}
		})
	}},
	"panic": {"panic in p: 7", func(t *T) { t.Go("p", func() { panic(7) }) }},
	"own fields": {"one goroutine", func(t *T) {
		busy := new(bool)
		for range 2 {
			t.Go("user", func() { Owned(busy) })
		}
	}},
	"two hands": {"two hands", func(t *T) {
		b := make([]byte, 4)
		var x Uint64
		t.Go("a", func() { t.Hold(b[:2], true); x.Load(); t.Unhold() })
		t.Go("b", func() { x.Load(); t.Hold(b[1:], false); x.Load(); t.Unhold() })
	}},
	"touch after free": {"freed", func(t *T) {
		b := make([]byte, 1)
		var k Token
		t.Go("owner", func() { Free(b); k.Post() })
		t.Go("late", func() { k.Take(nil); TouchRead(b) })
	}},
	"free without an order": {"race", func(t *T) {
		b := make([]byte, 1)
		var x Uint64
		t.Go("reader", func() { TouchRead(b); x.Load() })
		t.Go("owner", func() { x.Load(); Free(b) })
	}},
	"freed twice": {"freed", func(t *T) {
		b := make([]byte, 1)
		var k Token
		t.Go("first", func() { Free(b); k.Post() })
		t.Go("second", func() { k.Take(nil); Free(b) })
	}},
	"livelock": {"no end", func(t *T) {
		var x Uint64
		t.Go("a", func() {
			for x.Load() == 0 {
			}
		})
	}},
	"read outside of the mutex": {"race", func(t *T) {
		var mu Mutex
		b, n := make([]byte, 1), 0
		t.Go("writer", func() { mu.Lock(); n++; mu.Unlock(); TouchWrite(b) })
		t.Go("reader", func() { mu.Lock(); n++; mu.Unlock(); TouchRead(b) })
	}},
	"check": {"two", func(t *T) {
		var x Uint64
		t.Go("a", func() { x.Store(2); x.Store(0) })
		t.Check(func() error {
			if x.Raw() == 2 {
				return fmt.Errorf("two")
			}
			return nil
		})
	}},
}

func TestDefectsAreFoundAndReplayed(t *testing.T) {
	for name, d := range defects {
		for _, o := range []Options{full, unbounded, {Preemptions: 1}} {
			r := Explore(o, d.scenario)
			if r.Failure == nil || !strings.Contains(r.Failure.Message, d.want) {
				t.Errorf("%s with %+v: %v, want %q", name, o, r.Failure, d.want)
				continue
			}
			again, err := Replay(r.Failure.Seed, d.scenario)
			if err != nil || again == nil || firstLine(again.Message) != firstLine(r.Failure.Message) {
				t.Errorf("%s: the replay of %s gives %v, %v", name, r.Failure.Seed, again, err)
			}
		}
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func TestTraceNamesWordsAndLines(t *testing.T) {
	r := Explore(full, func(w *T) {
		var x Uint64
		w.Name("the word", &x)
		w.Go("a", func() { x.Store(3); w.Fail("enough") })
	})
	for _, want := range []string{"the word", "store", "0 -> 3", "interleave_test.go:"} {
		if r.Failure == nil || !strings.Contains(r.Failure.Trace, want) {
			t.Errorf("no %q in %v", want, r.Failure)
		}
	}
}

// handoff passes bytes through a word, correctly.
func handoff(t *T) {
	var turn Uint64
	var k Token
	b := make([]byte, 1)
	t.Go("writer", func() { TouchWrite(b); b[0] = 9; turn.Store(1); k.Post() })
	t.Go("reader", func() {
		for turn.Load() == 0 {
			k.Take(nil)
		}
		TouchRead(b)
		if b[0] != 9 {
			t.Fail("read %d", b[0])
		}
	})
}

// lastFrees has the last of two users free the memory that both touch.
func lastFrees(t *T) {
	b := make([]byte, 1)
	var users Int32
	users.Store(2)
	for range 2 {
		t.Go("user", func() {
			TouchRead(b)
			if users.Add(-1) == 0 {
				Free(b)
			}
		})
	}
}

// underMutex has two threads add up, each in a critical section. The second then
// touches memory that was touched before either began.
func underMutex(t *T) {
	var mu Mutex
	b, n := make([]byte, 1), 0
	for range 2 {
		t.Go("adder", func() {
			mu.Lock()
			n++
			second := n == 2
			mu.Unlock()
			if second {
				TouchWrite(b)
			}
		})
	}
	TouchWrite(b)
	t.Final(func() error {
		if n != 2 {
			return fmt.Errorf("count is %d", n)
		}
		return nil
	})
}

func TestCorrectProgramsPass(t *testing.T) {
	for _, program := range []func(*T){handoff, lastFrees, underMutex} {
		if r := Explore(full, program); r.Failure != nil || !r.Complete {
			t.Fatal(r.Failure)
		}
	}
}

func TestSpinWaitsForAChange(t *testing.T) {
	r := Explore(full, func(w *T) {
		var x Uint64
		w.Go("spinner", func() {
			for x.Load() == 0 {
				Spin()
			}
		})
		w.Go("other", func() { x.Store(1) })
	})
	if r.Failure != nil || !r.Complete {
		t.Fatalf("%+v", r)
	}
}

func TestCancelledSleepTakesBothWays(t *testing.T) {
	outcomes := map[bool]bool{}
	r := Explore(full, func(w *T) {
		var k Token
		ctx, cancel := context.WithCancel(context.Background())
		w.Go("waiter", func() { outcomes[k.Take(ctx.Done())] = true })
		w.Go("poster", k.Post)
		w.Go("canceller", func() { w.Step("cancel", cancel) })
	})
	if r.Failure != nil || !outcomes[true] || !outcomes[false] {
		t.Fatalf("%+v, the outcomes are %v", r, outcomes)
	}
}

// TestSleepSetsLoseNoOutcome compares the reduced search with the full one over
// random programs: both must reach the same ends and the same states.
func TestSleepSetsLoseNoOutcome(t *testing.T) {
	for seed := range 200 {
		var ends [2]map[string]bool
		var counts [2]int
		for i, o := range []Options{full, unbounded} {
			seen := map[string]bool{}
			r := Explore(o, func(w *T) { random(w, seed, seen) })
			if r.Failure != nil || !r.Complete {
				t.Fatalf("program %d: %v", seed, r.Failure)
			}
			ends[i], counts[i] = seen, r.Schedules
		}
		if a, b := sorted(ends[0]), sorted(ends[1]); !slices.Equal(a, b) {
			t.Fatalf("program %d: the full search reaches %d states and ends, the reduced one %d", seed, len(a), len(b))
		}
		if counts[1] > counts[0] {
			t.Errorf("program %d: the full search has %d schedules, the reduced one %d", seed, counts[0], counts[1])
		}
	}
}

// random declares three threads of three operations on three words.
func random(w *T, seed int, seen map[string]bool) {
	words := make([]Uint64, 3)
	var got [3]uint64
	rng := uint32(seed*7919 + 1)
	next := func(n int) int { rng = rng*1664525 + 1013904223; return int(rng>>16) % n }
	for id := range got {
		var prog [3][2]int
		for i := range prog {
			prog[i] = [2]int{next(4), next(3)}
		}
		w.Go(fmt.Sprint("t", id), func() {
			for i, p := range prog {
				x := &words[p[1]]
				switch p[0] {
				case 0:
					got[id] = got[id]*31 + x.Load()
				case 1:
					x.Store(uint64(id*3 + i + 1))
				case 2:
					x.Add(uint64(id + 1))
				case 3:
					if x.CompareAndSwap(0, 7) {
						got[id]++
					}
				}
			}
		})
	}
	state := func(kind string) error {
		seen[fmt.Sprint(kind, words[0].Raw(), words[1].Raw(), words[2].Raw(), got)] = true
		return nil
	}
	w.Check(func() error { return state("on the way ") })
	w.Final(func() error { return state("end ") })
}

func sorted(m map[string]bool) []string {
	var s []string
	for k := range m {
		s = append(s, k)
	}
	slices.Sort(s)
	return s
}

func TestWhatIsNotDeterministicIsFound(t *testing.T) {
	runs := 0
	r := Explore(full, func(w *T) {
		runs++
		var k Token
		if runs == 1 {
			k.Post()
		}
		w.Go("a", func() { k.Take(nil) })
		steps(w, "b", 1)
	})
	if r.Failure == nil || !strings.Contains(r.Failure.Message+r.Failure.Trace, "not deterministic") {
		t.Fatalf("%+v", r)
	}
}

func TestSeedsThatAreNone(t *testing.T) {
	for _, seed := range []string{"a", "3", "a0", "z4", "a-1", "a4 b2", "a99999"} {
		if _, err := Replay(seed, handoff); err == nil {
			t.Errorf("seed %q was taken", seed)
		}
	}
}

func BenchmarkSchedules(b *testing.B) {
	n := 0
	for b.Loop() {
		n += Explore(Options{Preemptions: 2}, func(w *T) { steps(w, "a", 12); steps(w, "b", 12) }).Schedules
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "schedules/s")
}
