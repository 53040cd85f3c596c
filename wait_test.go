package bytering

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// TestWait checks calls of Wait that need not park. Bytes that are there take
// precedence over a context that has ended. Without the bytes the context's error
// is returned.
func TestWait(t *testing.T) {
	const capacity = 4
	open := func(*Producer, *Consumer) {}
	pclose := func(err error) func(*Producer, *Consumer) {
		return func(p *Producer, _ *Consumer) { p.CloseWithError(err) }
	}
	cclose := func(err error) func(*Producer, *Consumer) {
		return func(_ *Producer, c *Consumer) { c.CloseWithError(err) }
	}
	for _, tc := range []struct {
		name       string
		end        func(*Producer, *Consumer)
		filled, n  int
		perr, cerr error
	}{
		{"open", open, 0, 0, nil, nil},
		{"open", open, 0, 1, nil, errTest},
		{"open", open, 0, 4, nil, errTest},
		{"open", open, 2, 2, nil, nil},
		{"open", open, 2, 3, errTest, errTest},
		{"open", open, 4, 0, nil, nil},
		{"open", open, 4, 1, errTest, nil},
		{"open", open, 4, 4, errTest, nil},
		{"open", open, 1, 5, ErrRange, ErrRange},
		{"open", open, 1, math.MaxInt, ErrRange, ErrRange},
		{"open", open, 1, -1, ErrRange, ErrRange},
		{"open", open, 1, math.MinInt, ErrRange, ErrRange},

		{"producer closed", pclose(nil), 0, 0, io.ErrClosedPipe, io.EOF},
		{"producer closed", pclose(nil), 0, 1, io.ErrClosedPipe, io.EOF},
		{"producer closed", pclose(nil), 2, 0, io.ErrClosedPipe, nil},
		{"producer closed", pclose(nil), 2, 2, io.ErrClosedPipe, nil},
		{"producer closed", pclose(nil), 2, 3, io.ErrClosedPipe, io.ErrUnexpectedEOF},
		{"producer closed", pclose(nil), 2, 5, ErrRange, ErrRange},
		{"producer's error", pclose(errLater), 0, 0, io.ErrClosedPipe, errLater},
		{"producer's error", pclose(errLater), 0, 1, io.ErrClosedPipe, errLater},
		{"producer's error", pclose(errLater), 2, 2, io.ErrClosedPipe, nil},
		{"producer's error", pclose(errLater), 2, 3, io.ErrClosedPipe, errLater},

		{"consumer closed", cclose(nil), 2, 0, io.ErrClosedPipe, io.ErrClosedPipe},
		{"consumer closed", cclose(nil), 2, 2, io.ErrClosedPipe, io.ErrClosedPipe},
		{"consumer closed", cclose(nil), 2, 3, io.ErrClosedPipe, io.ErrClosedPipe},
		{"consumer's error", cclose(errLater), 2, 0, errLater, io.ErrClosedPipe},
		{"consumer's error", cclose(errLater), 2, 2, errLater, io.ErrClosedPipe},
		{"consumer's error", cclose(errLater), 2, 3, errLater, io.ErrClosedPipe},
		{"consumer's error", cclose(errLater), 2, 4, errLater, io.ErrClosedPipe},
		{"consumer's error", cclose(errLater), 0, 3, errLater, io.ErrClosedPipe},
		{"consumer's error", cclose(errLater), 0, 4, errLater, io.ErrClosedPipe},
		{"both closed", func(p *Producer, c *Consumer) { c.Close(); p.Close() }, 0, 4, io.ErrClosedPipe, io.ErrClosedPipe},
	} {
		for off := range capacity {
			p, c := at(t, capacity, off, tc.filled)
			tc.end(p, c)
			perr, cerr := p.Wait(ended(), tc.n), c.Wait(ended(), tc.n)
			if !is(perr, tc.perr) || !is(cerr, tc.cerr) {
				t.Errorf("%s, %d of %d filled: Wait(%d) is %v and %v, want %v and %v",
					tc.name, tc.filled, capacity, tc.n, perr, cerr, tc.perr, tc.cerr)
			}
			if tc.perr == ErrRange {
				for _, err := range []error{perr, cerr} {
					if !strings.Contains(err.Error(), strconv.Itoa(tc.n)) {
						t.Errorf("%v does not name %d", err, tc.n)
					}
				}
			}
			if got := c.Len(); got != tc.filled {
				t.Errorf("%s: Wait leaves %d of %d bytes", tc.name, got, tc.filled)
			}
		}
	}
}

// Without a cause, Wait returns the context's own error.
func TestWaitReturnsTheContextsError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p, c := at(t, 4, 0, 2)
	for range 2 { // the ring stays usable
		if perr, cerr := p.Wait(ctx, 3), c.Wait(ctx, 3); perr != context.Canceled || cerr != context.Canceled {
			t.Errorf("Wait is %v and %v, want context.Canceled", perr, cerr)
		}
	}
	fill(t, p, 2)
	if err := c.Discard(4); err != nil {
		t.Fatal(err)
	}
	state(t, p, c, 0, nil, nil)
}

// A wait leaves no target behind, so that the other half need not post.
func TestWaitDisarms(t *testing.T) {
	p, c := at(t, 4, 0, 2)
	p.Wait(ended(), 4)
	c.Wait(ended(), 4)
	if space, data := p.ring.producer.target.Load(), c.shared.target.Load(); space != 0 || data != 0 {
		t.Errorf("targets are %#x and %#x after their waits", space, data)
	}
	fill(t, p, 2)
	c.Discard(4)
	if n := len(seam.Chan(p.ring.producer.target.token)) + len(seam.Chan(c.shared.target.token)); n != 0 {
		t.Errorf("%d tokens were sent to a half that does not wait", n)
	}
}

// A token that is no longer needed does no harm: the waiter loops.
func TestSpuriousTokens(t *testing.T) {
	p, c := at(t, 2, 1, 2)
	seam.Post(p.ring.producer.target.token)
	seam.Post(c.shared.target.token)
	if err := p.Wait(ended(), 1); err != errTest {
		t.Errorf("Wait with a token too many: %v", err)
	}
	wrote := make(chan error)
	go func() { _, err := p.Write(stream(3, 100)); wrote <- errors.Join(err, p.Close()) }()
	drain(t, c, stream(1, 102), io.EOF)
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

// wake posts if the target is armed, and moved only if the target is also reached.
func TestTargets(t *testing.T) {
	for _, tc := range []struct {
		target, at   uint64
		moved, waked bool
	}{
		{0, 5, false, false},
		{5, 5, false, false},
		{armed | 5, 4, false, true},
		{armed | 5, 5, true, true},
		{armed | 5, 6, true, true},
		{armed, 0, true, true},
		{armed | (1<<63 - 1), 0, true, true},
		{armed | (1<<63 - 1), 1<<63 - 2, false, true},
		{armed | 2, 1<<63 - 2, false, true},
	} {
		for name, f := range map[string]func(*target) bool{
			"moved": func(w *target) bool { w.moved(tc.at); return tc.moved },
			"wake":  func(w *target) bool { w.wake(); return tc.waked },
		} {
			w := &target{token: seam.NewToken()}
			w.Store(tc.target)
			want := f(w)
			if got := len(seam.Chan(w.token)) == 1; got != want {
				t.Errorf("%s of %#x at %#x posts: %v, want %v", name, tc.target, tc.at, got, want)
			}
			if disarmed := w.Load() == 0; disarmed != (want || tc.target == 0) {
				t.Errorf("%s of %#x at %#x leaves %#x", name, tc.target, tc.at, w.Load())
			}
		}
	}
}

// A producer that is armed when the last of several consumers is released is woken,
// although no read cursor is left to compare with.
func TestDiscardedByTheLast(t *testing.T) {
	p, cs := cast(t, 4, 2)
	cs[0].Close()
	cs[1].Close()
	p.ring.producer.target.Store(armed | 3)
	p.ring.wakeProducer()
	if len(seam.Chan(p.ring.producer.target.token)) != 1 || p.ring.producer.target.Load() != 0 {
		t.Errorf("%d tokens, target %#x", len(seam.Chan(p.ring.producer.target.token)), p.ring.producer.target.Load())
	}
	p.ring.producer.target.Store(armed | 3)
	p.ring.wakeSoft()
	if p.ring.producer.target.Load() == 0 {
		t.Error("wakeSoft wakes for consumers that are gone")
	}
}

// Any goroutine may look on at any time and never sees an impossible state.
func TestLookingOn(t *testing.T) {
	const total, capacity = 1 << 16, 7
	p, c := pair(t, capacity, startAt(1<<63-total/2))
	start := p.Position()
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			var lastW, lastR int
			for {
				// The read cursor is loaded first: bytes that were read by then had
				// been written before.
				r, w := distance(start, c.Position()), distance(start, p.Position())
				if r > w || r < lastR || w < lastW {
					t.Errorf("positions went from %d, %d to %d, %d", lastR, lastW, r, w)
				}
				lastR, lastW = r, w
				if n := c.Len(); n < 0 || n > capacity || c.Cap() != capacity {
					t.Errorf("Len is %d", n)
				}
				if n := p.Free(); n < 0 || n > capacity || p.Cap() != capacity {
					t.Errorf("Free is %d", n)
				}
				perr, cerr := p.Err(), c.Err()
				if perr != nil && perr != io.ErrClosedPipe || cerr != nil && cerr != errTest {
					t.Errorf("errors are %v and %v", perr, cerr)
				}
				if cerr != nil && (c.Len() > 0 || c.Position() != p.Position()) {
					t.Errorf("Err reports the end with %d bytes left", c.Len())
				}
				select {
				case <-done:
					return
				default:
					giveWay()
				}
			}
		})
	}
	go func() {
		p.Write(stream(0, total))
		p.CloseWithError(errTest)
	}()
	drain(t, c, stream(0, total), errTest)
	close(done)
	wg.Wait()
}

// Each function of waitsForMore starts a wait for n bytes, more than the consumer
// has, and returns a function that reports whether they have come.
var waitsForMore = map[string]func(c *Consumer, n int) (done func() bool){
	"Read": func(c *Consumer, n int) func() bool {
		return inBackground(func() { c.Discard(c.Len()); c.Read(make([]byte, 1)) })
	},
	"Peek": func(c *Consumer, n int) func() bool { return inBackground(func() { c.Peek(n) }) },
	"Wait": func(c *Consumer, n int) func() bool { return inBackground(func() { c.Wait(context.Background(), n) }) },
	"Notify": func(c *Consumer, n int) func() bool {
		told := false
		c.Notify(n, func() { told = true })
		return isTrue(&told)
	},
	"Ready": func(c *Consumer, n int) func() bool {
		c.Discard(c.Len())
		ready := c.Ready()
		return inBackground(func() { <-ready })
	},
	"IOSlices of nothing": polls(func(c *Consumer) {
		c.IOSlices(func([][]byte, int) (int, error) { return 0, nil })
	}),
	"Slices":             polls(func(c *Consumer) { c.Slices(); c.Slices() }),
	"SlicesAtLeast":      polls(func(c *Consumer) { c.SlicesAtLeast(8) }),
	"Discard of nothing": polls(func(c *Consumer) { c.Discard(0) }),
	"TryRead of nothing": polls(func(c *Consumer) { c.TryRead(nil) }),
	"TryRead of an empty ring": func(c *Consumer, n int) func() bool {
		c.Discard(c.Len())
		b := make([]byte, 1)
		return func() bool { m, _ := c.TryRead(b); synctest.Wait(); k, _ := c.TryRead(b); return m+k > 0 }
	},
}

func inBackground(f func()) func() bool {
	done := false
	go func() { f(); done = true }()
	return isTrue(&done)
}

func isTrue(b *bool) func() bool { return func() bool { synctest.Wait(); return *b } }

// polls looks once, and returns a function that looks and then reports whether the
// bytes have come.
func polls(look func(c *Consumer)) func(*Consumer, int) func() bool {
	return func(c *Consumer, n int) func() bool {
		return func() bool { look(c); synctest.Wait(); return c.Len() >= n }
	}
}

// A Write or ReadFrom that waits for a quarter of the ring takes one free byte if a
// consumer waits for more than it has, whether the space or the wait came first.
func TestOneFreeByteServesAnyConsumer(t *testing.T) {
	writes := map[string]func(p *Producer){
		"Write":    func(p *Producer) { p.Write(stream(p.Position(), 12)) },
		"ReadFrom": func(p *Producer) { p.ReadFrom(&source{p.Position(), 12}) },
	}
	for write, run := range writes {
		for wait, begin := range waitsForMore {
			for _, order := range []string{"the space", "the wait"} {
				name := write + ", " + wait + ", first " + order
				synctest.Test(t, func(t *testing.T) {
					p, cs := cast(t, 8, 2)
					a, b := cs[0], cs[1]
					go run(p)
					synctest.Wait()
					// One of two consumers has 8 bytes and gives back what it takes to
					// need one more. The other gives back one.
					var done func() bool
					if order == "the wait" {
						a.Discard(1)
						done = begin(a, 8)
						synctest.Wait()
						b.Discard(1)
					} else {
						a.Discard(1)
						b.Discard(1)
						done = begin(a, 8)
					}
					if !done() {
						t.Errorf("%s: no byte comes, with %d bytes free", name, p.Free())
					}
					p.Close()
					a.Close()
					b.Close()
				})
			}
		}
	}
}

// The same holds for a ring with one consumer, which gives back a byte before it
// waits.
func TestOneFreeByteServesTheConsumer(t *testing.T) {
	for wait, begin := range waitsForMore {
		synctest.Test(t, func(t *testing.T) {
			p, c := pair(t, 8)
			go p.Write(stream(0, 12))
			synctest.Wait()
			c.Discard(1)
			if done := begin(c, 8); !done() {
				t.Errorf("%s: no byte comes, with %d bytes free", wait, p.Free())
			}
			p.Close()
			c.Close()
		})
	}
}

// While no consumer waits, a Write waits for a quarter of the ring. A Wait or a
// Notify always waits for the number that it was given.
func TestOneFreeByteIsNotEnoughOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, cs := cast(t, 8, 2)
		fill(t, p, 8)
		done := inBackground(func() { p.Write(stream(8, 8)) })
		for i, c := range cs {
			c.Discard(1)
			if synctest.Wait(); p.Position() != 8 {
				t.Errorf("Write went on after %d of 2 consumers had given back a byte", i+1)
			}
		}
		cs[0].Discard(1)
		cs[1].Discard(1)
		if synctest.Wait(); p.Position() != 10 || done() {
			t.Errorf("Write is at %d, not at 10", p.Position())
		}
		p.Close()
	})
	for _, wait := range []string{"Wait", "Notify"} {
		synctest.Test(t, func(t *testing.T) {
			p, c := pair(t, 8)
			fill(t, p, 8)
			var told func() bool
			if wait == "Notify" {
				f := false
				p.Notify(2, func() { f = true })
				told = isTrue(&f)
			} else {
				told = inBackground(func() { p.Wait(context.Background(), 2) })
			}
			synctest.Wait()
			c.Discard(1)
			go c.Peek(8)
			if told() {
				t.Errorf("%s of 2 returned or ran with %d bytes free", wait, p.Free())
			}
			p.Close()
		})
	}
}

func spinsOrSkip(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("nothing spins on one processor")
	}
}

// unstuck ends the ring of p with an error if the test comes to a standstill, so
// that the test fails soon and does not hang.
func unstuck(t *testing.T, p *Producer) {
	timer := time.AfterFunc(30*time.Second, func() { p.CloseWithError(errors.New("a standstill")) })
	t.Cleanup(func() { timer.Stop() })
}

// Halves that spin do not wait for each other for ever. With a budget of an hour
// that would be a standstill.
func TestSpinningHalvesServeEachOther(t *testing.T) {
	spinsOrSkip(t)
	p, c := pair(t, 8, Spin(time.Hour))
	unstuck(t, p)
	go func() { p.Write(stream(0, 107)); p.Close() }()
	for at := range uint64(100) {
		b, err := c.Peek(8)
		if bad := checkStream(b, at); bad != nil || err != nil {
			t.Fatalf("Peek: %v, %v", err, bad)
		}
		c.Discard(1)
	}
}

func TestSpinningConsumerIsServed(t *testing.T) {
	spinsOrSkip(t)
	p, cs := cast(t, 8, 2, Spin(time.Hour))
	unstuck(t, p)
	wrote := make(chan error)
	go func() { _, err := p.Write(stream(0, 12)); wrote <- err }()
	read := make(chan error)
	go func() { _, err := io.ReadFull(cs[0], make([]byte, 9)); read <- err }()
	for cs[0].Len() > 0 || p.Position() < 8 { // until the first consumer wants the ninth byte
		time.Sleep(time.Millisecond)
	}
	cs[1].Discard(1)
	if err := <-read; err != nil {
		t.Error(err)
	}
	cs[1].Discard(cs[1].Len())
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

// long is a budget longer than any test. Whatever ends a call before it ends the
// spin and not the park that follows.
const long = time.Hour

// spins runs f on a goroutine, runs do after f has begun to spin, and returns what
// f did.
func spins(t *testing.T, f func() (int, error), do func()) result {
	t.Helper()
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("with one processor nothing spins")
	}
	done := make(chan result, 1)
	go func() { n, err := f(); done <- result{n, err} }()
	time.Sleep(time.Millisecond) // the test also passes without this
	do()
	select {
	case r := <-done:
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("the call spins on")
		panic("unreachable")
	}
}

// Whatever ends a parked call also ends a call that spins.
func TestSpinEnds(t *testing.T) {
	opt := Spin(long)
	full := func() (*Producer, *Consumer) {
		p, c := pair(t, 8, opt)
		fill(t, p, 8)
		return p, c
	}
	for _, e := range enders {
		p, c := full()
		got := spins(t, func() (int, error) { return p.Write([]byte("x")) }, func() {
			closeHalf(p, c, e.other, e.err)
		})
		if got.err == nil {
			t.Errorf("Write ends with nil after %s", e.name)
		}
		p, c = pair(t, 8, opt)
		got = spins(t, func() (int, error) { return c.Read(make([]byte, 1)) }, func() {
			closeHalf(p, c, !e.other, e.err)
		})
		if got.err == nil {
			t.Errorf("Read ends with nil after %s", e.name)
		}
	}

	p, c := full()
	got := spins(t, func() (int, error) { return p.Write(make([]byte, 2)) }, func() { c.Discard(8) })
	want(t, "Write", got.n, got.err, 2, nil)
	p, c = pair(t, 8, opt)
	got = spins(t, func() (int, error) { return c.Read(make([]byte, 2)) }, func() { fill(t, p, 2) })
	want(t, "Read", got.n, got.err, 2, nil)

	p, _ = full()
	got = spins(t, func() (int, error) { return p.Write(make([]byte, 2)) }, func() { p.SetWriteDeadline(time.Now()) })
	want(t, "Write", got.n, got.err, 0, os.ErrDeadlineExceeded)
	_, c = pair(t, 8, opt)
	got = spins(t, func() (int, error) { return c.Read(make([]byte, 2)) }, func() { c.SetReadDeadline(time.Now()) })
	want(t, "Read", got.n, got.err, 0, os.ErrDeadlineExceeded)

	ctx, cancel := context.WithCancelCause(forever)
	p, c = full()
	got = spins(t, func() (int, error) { return 0, p.Wait(ctx, 1) }, func() { cancel(errTest) })
	want(t, "Wait", got.n, got.err, 0, errTest)
	c.Discard(8)
	got = spins(t, func() (int, error) { return 0, c.Wait(ctx, 1) }, func() {})
	want(t, "Wait", got.n, got.err, 0, errTest)
}

// closeHalf closes the consumer if consumer is true, and otherwise the producer,
// with err unless it is nil.
func closeHalf(p *Producer, c *Consumer, consumer bool, err error) {
	if consumer {
		c.CloseWithError(err)
	} else {
		p.CloseWithError(err)
	}
}

// A writer that spins for a quarter takes less when the consumer has parked for
// more than there is.
func TestSpinStarving(t *testing.T) {
	p, c := pair(t, 100, Spin(long))
	unstuck(t, p)
	c.spinFor = 0 // the consumer parks at once
	fill(t, p, 100)
	got := spins(t, func() (int, error) { return p.Write(stream(100, 40)) }, func() {
		c.Discard(10)
		if b, err := c.Peek(95); len(b) != 95 || err != nil {
			t.Errorf("Peek = %d bytes, %v", len(b), err)
		}
		c.Discard(c.Len())
	})
	want(t, "Write", got.n, got.err, 40, nil)
}

// The clock of a bubble stands still while a goroutine runs. A spin ends
// nevertheless.
func TestSpinInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := pair(t, 8, Spin(time.Millisecond))
		r := start(func() (int, error) { return c.Read(make([]byte, 1)) })
		r.stays(t, "Read")
		c.Close()
		r.ends(t, "Read", 0, io.ErrClosedPipe)
	})
}

func TestNoSpin(t *testing.T) {
	for _, opt := range []Option{Park(), Spin(0), Spin(-1)} {
		p, c := pair(t, 8, Spin(1), opt)
		if p.spinFor > 0 || c.spinFor > 0 {
			t.Errorf("spins for %v and %v", p.spinFor, c.spinFor)
		}
	}
	// With one processor the other half cannot run during a spin.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, c := pair(t, 8, Spin(long))
	ended := make(chan struct{})
	go func() { c.Read(make([]byte, 8)); close(ended) }()
	for began := time.Now(); !c.shared.target.hasWaiter(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Error("Read spins with one processor")
			break
		}
	}
	c.Close()
	<-ended
}

// The number of processors is looked at in the first wait, and again from time to
// time. Then the lesson begins again.
func TestProcessors(t *testing.T) {
	p, _ := pair(t, 8)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for i, n := range []int{1, 2, 1} {
		runtime.GOMAXPROCS(n)
		one := runtime.GOMAXPROCS(0) == 1 // some systems have no more
		p.yielder.timed = lesson
		for wait := range lookEvery {
			if alone := p.alone(); alone != one {
				t.Fatalf("of %d processors in turn %d, wait %d: alone is %v", n, i, wait, alone)
			}
			if p.yielder.timed != 0 && wait == 0 {
				t.Fatalf("in turn %d the lesson does not begin again", i)
			}
			p.yielder.timed = lesson
		}
	}
}

// TestPoliciesMove passes a checked stream with each policy through a ring so small
// that both halves wait all the time.
func TestPoliciesMove(t *testing.T) {
	for name, opt := range map[string]Option{
		"Park": Park(), "Spin": Spin(10 * time.Microsecond),
	} {
		p, c := pair(t, 100, opt)
		const total = 300_000
		go func() {
			for pos := 0; pos < total; pos += 30 {
				p.Write(stream(uint64(pos), 30))
			}
			p.Close()
		}()
		b, pos := make([]byte, 64), 0
		for {
			n, err := c.Read(b)
			if err := checkStream(b[:n], uint64(pos)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if pos += n; err != nil {
				if pos != total || err != io.EOF {
					t.Errorf("%s: %d bytes, %v", name, pos, err)
				}
				break
			}
		}
	}
}

// A growing consumer finds more bytes at each look.
type growing struct {
	*Consumer
	p     *Producer
	each  []int // bytes that come before the first look, the second and so on
	looks int
}

func (g *growing) ready(n int) bool {
	if g.looks < len(g.each) {
		g.p.TryWrite(make([]byte, g.each[g.looks]))
	}
	g.looks++
	return g.Consumer.ready(n)
}

// A consumer that trails the producer looks for a while, and goes on trailing if small
// chunks keep coming.
func TestFallBehind(t *testing.T) {
	const forever = 100
	times := func(n, size int) []int { return slices.Repeat([]int{size}, n) }
	for _, tc := range []struct {
		name           string
		capacity, need int
		each           []int
		looks          int // the last one is for the result
		ready, trails  bool
	}{
		{"nothing", 1 << 20, 1, nil, seam.Patience + 1, false, false},
		{"one chunk", 1 << 20, 1, []int{0, 0, 8}, 3 + 2, true, false},
		{"at the last look", 1 << 20, 1, append(times(seam.Patience-1, 0), 8), seam.Patience + 2, true, false},
		{"a small chunk and one more", 1 << 20, 1, []int{smallChunk, 8}, 1 + 3, true, false},
		{"small chunks", 1 << 20, 1, times(forever, 8), 1 + seam.Patience + 1, true, true},
		{"a large chunk", 1 << 20, 1, append([]int{smallChunk + 1}, times(forever, 8)...), 1 + 1, true, false},
		{"far ahead", 1 << 20, 1, []int{8, 8, farAhead - 16, 8, 8}, 1 + 2 + 1, true, true},
		{"half of the ring", 64, 1, []int{8, 8, 16, 8, 8}, 1 + 2 + 1, true, true},
		{"more than half of the ring", 64, 33, []int{8, 8, 16, 1, 8}, 4 + 1 + 1, true, true},
		{"not enough", 1 << 20, 1000, times(forever, 8), 2*seam.Patience + 1, false, true},
	} {
		p, c := pair(t, tc.capacity)
		g := &growing{Consumer: c, p: p, each: tc.each}
		c.side = g
		if ready := c.fallBehind(exactly(tc.need)); ready != tc.ready || c.trails != tc.trails || g.looks != tc.looks {
			t.Errorf("%s: ready %v, trails %v after %d looks; want %v, %v, %d", tc.name, ready, c.trails, g.looks, tc.ready, tc.trails, tc.looks)
		}
	}
}

// With several processors a consumer trails if its wait ends at the second look with a
// small chunk.
func TestTrails(t *testing.T) {
	for _, tc := range []struct {
		alone, trails bool
		each          []int
		looks         int
		after         bool
	}{
		{false, false, []int{smallChunk}, 1, true},
		{false, false, []int{smallChunk + 1}, 1, false},
		{false, true, []int{8}, 1 + 1 + 1, false},
		{true, true, []int{8}, 1, true},
	} {
		p, c := pair(t, 1<<20)
		g := &growing{Consumer: c, p: p, each: tc.each}
		c.side, c.trails, c.processors = g, tc.trails, processors{alone: tc.alone, waits: 1}
		if err := c.await(t.Context(), exactly(1)); err != nil || c.trails != tc.after || g.looks != tc.looks {
			t.Errorf("%+v: %v, trails %v after %d looks", tc, err, c.trails, g.looks)
		}
	}
	p, c := pair(t, 8)
	if err := p.await(t.Context(), exactly(8)); err != nil || p.trails {
		t.Errorf("the producer: %v, trails %v", err, p.trails)
	}
	c.trails = true
	closeAll(p, []*Consumer{c})
	if err := Reset(p, c); err != nil || c.trails {
		t.Errorf("after Reset: %v, trails %v", err, c.trails)
	}
}
