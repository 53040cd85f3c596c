//go:build !interleave

package bytering

import (
	"context"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bytering/bytering/internal/seam"
)

// Wait where it need not park: what is there wins over a context that has
// ended, and that over nothing.
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

// Without a cause it is the context's own error.
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

// A waiting half leaves no target behind, so that the other one need not post.
func TestWaitDisarms(t *testing.T) {
	p, c := at(t, 4, 0, 2)
	p.Wait(ended(), 4)
	c.Wait(ended(), 4)
	if space, data := p.ring.producer.target.Load(), c.shared.target.Load(); space != 0 || data != 0 {
		t.Errorf("targets are %#x and %#x after their waits", space, data)
	}
	fill(t, p, 2)
	c.Discard(4)
	if n := len(p.ring.producer.target.token) + len(c.shared.target.token); n != 0 {
		t.Errorf("%d tokens for nobody", n)
	}
}

// A token that is no longer needed is harmless: the waiter loops.
func TestSpuriousTokens(t *testing.T) {
	p, c := at(t, 2, 1, 2)
	p.ring.producer.target.token <- struct{}{}
	c.shared.target.token <- struct{}{}
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

// moved and wake post where the target is armed and, for moved, reached.
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
			if got := len(w.token) == 1; got != want {
				t.Errorf("%s of %#x at %#x posts: %v, want %v", name, tc.target, tc.at, got, want)
			}
			if disarmed := w.Load() == 0; disarmed != (want || tc.target == 0) {
				t.Errorf("%s of %#x at %#x leaves %#x", name, tc.target, tc.at, w.Load())
			}
		}
	}
}

// A producer that is armed when the last consumer of several is released is
// woken, though there is no read cursor left to compare with.
func TestDiscardedByTheLast(t *testing.T) {
	p, cs := cast(t, 4, 2)
	cs[0].Close()
	cs[1].Close()
	p.ring.producer.target.Store(armed | 3)
	p.ring.wakeProducer()
	if len(p.ring.producer.target.token) != 1 || p.ring.producer.target.Load() != 0 {
		t.Errorf("%d tokens, target %#x", len(p.ring.producer.target.token), p.ring.producer.target.Load())
	}
	p.ring.producer.target.Store(armed | 3)
	p.ring.wakeSoft()
	if p.ring.producer.target.Load() == 0 {
		t.Error("wakeSoft wakes for consumers that are gone")
	}
}

// Anybody may look on at any time, and sees nothing that never was.
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
				// Read first: what is read then was written before.
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
					t.Errorf("the end with %d bytes left", c.Len())
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
