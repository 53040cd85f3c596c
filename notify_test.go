package bytering

import (
	"errors"
	"io"
	"math"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// A notifier has the methods of both halves that notify.
type notifier interface {
	Notify(n int, f func()) bool
	Disarm() bool
	Ready() <-chan struct{}
	Close() error
}

// If there is no reason to wait, Notify returns false, and f does not run.
func TestNotifyOfWhatIsThere(t *testing.T) {
	f := func() { t.Error("the function runs, though Notify returned false") }
	for filled := range 5 {
		for n := range 5 {
			p, c := at(t, 4, 3, filled)
			if got, want := p.Notify(n, func() {}), n > 4-filled; got != want {
				t.Errorf("producer's Notify(%d) with %d free is %t", n, 4-filled, got)
			}
			if got, want := c.Notify(n, func() {}), n > filled; got != want {
				t.Errorf("consumer's Notify(%d) with %d there is %t", n, filled, got)
			}
			state(t, p, c, filled, nil, nil)
			for name, h := range map[string]notifier{"producer": p, "consumer": c} {
				h.Disarm()
				h.Close()
				if h.Notify(n, f) {
					t.Errorf("%s's Notify(%d) is true after its close", name, n)
				}
			}
			p, c = at(t, 4, 3, filled)
			p.Close()
			if c.Notify(n, f) {
				t.Errorf("consumer's Notify(%d) is true after the end", n)
			}
			p, c = at(t, 4, 3, filled)
			c.Close()
			if p.Notify(n, f) {
				t.Errorf("producer's Notify(%d) is true after the end", n)
			}
		}
	}
}

func TestNotifyPanics(t *testing.T) {
	p, c := pair(t, 4)
	for name, h := range map[string]notifier{"producer": p, "consumer": c} {
		for _, n := range []int{-1, 5, math.MinInt, math.MaxInt} {
			panics(t, name+"'s Notify", func() { h.Notify(n, func() {}) }, "Notify of "+strconv.Itoa(n)+" bytes in a ring of 4")
		}
		panics(t, name+"'s Notify", func() { h.Notify(1, nil) }, "nil function")
		if h.Notify(0, func() {}) {
			t.Errorf("%s is not usable after Notify has panicked", name)
		}
	}
}

// The function runs once, as soon as n bytes have come, in whatever pieces.
func TestNotifyRunsOnce(t *testing.T) {
	for _, begin := range []uint64{0, 1<<63 - 3} {
		for n := 1; n <= 8; n++ {
			for piece := 1; piece <= 3; piece++ {
				for _, consumers := range []int{0, 1, 3} {
					p, cs := some(t, 8, consumers, startAt(begin))
					c, ran := cs[0], 0
					if !c.Notify(n, func() { ran++ }) {
						t.Fatalf("consumer's Notify(%d) is false", n)
					}
					for p.Free() > 0 {
						fill(t, p, min(piece, p.Free()))
						if want := c.Len() >= n; want != (ran == 1) || ran > 1 {
							t.Errorf("consumer's Notify(%d) has run %d times with %d there", n, ran, c.Len())
						}
					}
					if c.Disarm() {
						t.Errorf("Notify(%d) is armed after it has run", n)
					}

					ran = 0
					if !p.Notify(n, func() { ran++ }) {
						t.Fatalf("producer's Notify(%d) is false", n)
					}
					for c.Len() > 0 {
						for i := range cs {
							if i > 0 {
								if want := p.Free() >= n; want != (ran == 1) || ran > 1 {
									t.Errorf("producer's Notify(%d) has run %d times with %d free", n, ran, p.Free())
								}
							}
							cs[i].Discard(min(piece, cs[i].Len()))
						}
						if want := p.Free() >= n; want != (ran == 1) || ran > 1 {
							t.Errorf("producer's Notify(%d) has run %d times with %d free", n, ran, p.Free())
						}
					}
					if p.Disarm() {
						t.Errorf("Notify(%d) is armed after it has run", n)
					}
				}
			}
		}
	}
}

// Every end notifies: the half's own close, the other half's, and with several
// consumers the close of the last of them.
func TestNotifyOfTheEnd(t *testing.T) {
	for _, consumers := range []int{0, 1, 3} {
		for _, own := range []bool{true, false} {
			p, cs := some(t, 4, consumers)
			fill(t, p, 4)
			ran := 0
			p.Notify(4, func() { ran++ })
			for i, c := range cs {
				if ran > 0 && !own {
					t.Errorf("the producer is notified with %d of %d consumers closed", i, len(cs))
				}
				if own {
					p.Close()
				} else {
					c.Close()
				}
			}
			if ran != 1 {
				t.Errorf("the producer is notified %d times of the end, with %d consumers, own Close: %t", ran, consumers, own)
			}

			p, cs = some(t, 4, consumers)
			fill(t, p, 2)
			told := make([]int, len(cs))
			for i, c := range cs {
				c.Notify(4, func() { told[i]++ })
			}
			for i, c := range cs {
				if own {
					c.Close()
				} else {
					p.Close()
				}
				if told[i] != 1 {
					t.Errorf("consumer %d is notified %d times of the end, own Close: %t", i, told[i], own)
				}
			}
		}
	}
}

// A closed consumer, one of several, stops limiting the producer when it gives its
// slices back. That notifies the producer too.
func TestNotifyOfARelease(t *testing.T) {
	p, cs := cast(t, 4, 2)
	fill(t, p, 4)
	cs[1].Discard(4)
	cs[0].Slices()
	ran := 0
	p.Notify(4, func() { ran++ })
	if cs[0].Close(); ran != 0 {
		t.Error("the producer is notified of space that a closed consumer holds")
	}
	if cs[0].Discard(0); ran != 1 {
		t.Errorf("the producer is notified %d times of what a closed consumer gives back", ran)
	}
}

// A half has one arming at a time. The last one counts. A call that parks withdraws
// it, and one that does not park leaves it.
func TestNotifyIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 4)
		var first, second int
		c.Notify(1, func() { first++ })
		c.Notify(2, func() { second++ })
		fill(t, p, 2)
		if first != 0 || second != 1 {
			t.Errorf("the first function runs %d times, the second %d times", first, second)
		}
		c.Notify(3, func() { first++ })
		c.Notify(0, func() { second++ })
		fill(t, p, 1)
		if first != 0 || second != 1 {
			t.Errorf("after a third Notify that does not arm, the first function runs %d times, the second %d times", first, second)
		}
		c.Notify(4, func() { first++ })
		c.Read(make([]byte, 3))
		fill(t, p, 1)
		if first != 1 {
			t.Errorf("a Read that does not park lets Notify's function run %d times", first)
		}

		c.Discard(1)
		c.Notify(2, func() { first++ })
		r := start(func() (int, error) { return c.Read(make([]byte, 4)) })
		fill(t, p, 2)
		r.ends(t, "Read", 2, nil)
		if first != 1 || c.Disarm() {
			t.Error("a Read that parks leaves Notify armed")
		}
		fill(t, p, 4)
		p.Notify(3, func() { second++ })
		r = start(func() (int, error) { return p.Write(make([]byte, 1)) })
		c.Discard(4)
		r.ends(t, "Write", 1, nil)
		if second != 1 || p.Disarm() {
			t.Error("a Write that parks leaves Notify armed")
		}
	})
}

func TestDisarm(t *testing.T) {
	p, c := at(t, 4, 0, 2)
	for name, h := range map[string]notifier{"producer": p, "consumer": c} {
		if h.Disarm() {
			t.Errorf("%s: something was armed", name)
		}
		if !h.Notify(4, func() { t.Errorf("%s: the function runs after Disarm", name) }) || !h.Disarm() || h.Disarm() {
			t.Errorf("%s: Disarm does not withdraw once", name)
		}
	}
	fill(t, p, 2)
	c.Discard(4)
	if c.Ready(); !c.Disarm() {
		t.Error("Disarm does not withdraw Ready")
	}
	fill(t, p, 1)
	select {
	case <-seam.Chan(c.readiness.token):
		t.Error("Ready's channel gets a value after Disarm")
	default:
	}
}

func isReady(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestReady(t *testing.T) {
	p, c := pair(t, 4)
	if ch := p.Ready(); !isReady(ch) || isReady(ch) {
		t.Error("the producer's channel does not get one value with space there")
	}
	ch := c.Ready()
	if isReady(ch) {
		t.Error("the consumer's channel gets a value with nothing there")
	}
	fill(t, p, 1)
	if c.Ready() != ch {
		t.Error("Ready returns another channel")
	}
	if !isReady(ch) || isReady(ch) {
		t.Error("the consumer's channel does not get one value for two armings")
	}
	c.Ready()
	c.Discard(1)
	if c.Ready(); isReady(ch) {
		t.Error("the consumer's channel has a value of an earlier arming")
	}
	fill(t, p, 4)
	if !isReady(ch) {
		t.Error("the consumer's channel gets no value from a commit")
	}
	if isReady(p.Ready()) {
		t.Error("the producer's channel gets a value with no space")
	}
	c.Discard(1)
	if !isReady(seam.Chan(p.readiness.token)) {
		t.Error("the producer's channel gets no value from a discard")
	}
	// After the end the channel always has a value.
	p.Close()
	for range 3 {
		if !isReady(p.Ready()) || !isReady(c.Ready()) {
			t.Error("a channel is not ready after the end")
		}
	}
	c.Discard(3)
	if !isReady(c.Ready()) || c.Err() != io.EOF {
		t.Error("the consumer's channel is not ready with everything read")
	}
}

// The function runs inside the other half's call and may make every call that is
// allowed on any goroutine. A call of that half is an overlap and panics.
func TestNotifyFromInside(t *testing.T) {
	p, c := pair(t, 4)
	ran := false
	c.Notify(2, func() {
		ran = true
		state(t, p, c, 2, nil, nil)
		c.Disarm()
		p.SetWriteDeadline(time.Time{})
		c.SetReadDeadline(time.Time{})
		panics(t, "TryWrite", func() { p.TryWrite([]byte("x")) }, "overlapping")
		p.CloseWithError(errTest)
		c.CloseWithError(errLater)
	})
	n, err := p.Write(stream(0, 2))
	want(t, "Write", n, err, 2, nil)
	if !ran {
		t.Error("the function does not run")
	}
	state(t, p, c, 2, io.ErrClosedPipe, io.ErrClosedPipe)
}

// A call panics if it finds the half busy.
func TestNotifyOverlaps(t *testing.T) {
	p, c := at(t, 4, 0, 2)
	p.IOSlices(func([][]byte, int) (int, error) {
		panics(t, "Notify", func() { p.Notify(1, func() {}) }, "overlapping calls of a Producer")
		panics(t, "Ready", func() { p.Ready() }, "overlapping calls of a Producer")
		return 0, nil
	})
	c.IOSlices(func([][]byte, int) (int, error) {
		panics(t, "Notify", func() { c.Notify(1, func() {}) }, "overlapping calls of a Consumer")
		panics(t, "Ready", func() { c.Ready() }, "overlapping calls of a Consumer")
		return 0, nil
	})
}

// An arming allocates its note and nothing else. Without a reason to wait it
// allocates nothing.
func TestAllocsOfNotify(t *testing.T) {
	p, c := at(t, 8, 3, 4)
	f := func() {}
	for _, tc := range []struct {
		name string
		run  func()
		want float64
	}{
		{"Notify of what is there", func() { p.Notify(4, f); c.Notify(4, f) }, 0},
		{"Ready of what is there", func() { <-p.Ready(); <-c.Ready() }, 0},
		{"Notify and Disarm", func() { p.Notify(5, f); p.Disarm() }, 1},
		{"Ready, Write, Read", func() { c.Discard(c.Len()); ch := c.Ready(); p.Write(make([]byte, 4)); <-ch }, 1},
	} {
		if got := testing.AllocsPerRun(100, tc.run); got != tc.want {
			t.Errorf("%s allocates %v times, want %v", tc.name, got, tc.want)
		}
	}
}

// TestStressNotify runs loops that wait in every way on both sides: in a select,
// with a function that sends, and parked. One of them is an event loop on a thread
// of its own.
func TestStressNotify(t *testing.T) {
	type way func(h notifier, wait func() error)
	parks := way(func(_ notifier, wait func() error) { wait() })
	selects := way(func(h notifier, _ func() error) {
		select {
		case <-h.Ready():
		case <-time.After(10 * time.Second):
			t.Error("Ready's channel gets no value")
		}
	})
	notifies := way(func(h notifier, _ func() error) {
		wake := make(chan int, 2)
		if h.Notify(1, func() { wake <- 1 }) {
			<-wake
		}
		if len(wake) > 0 {
			t.Error("the function runs twice")
		}
	})
	disarms := way(func(h notifier, _ func() error) {
		var ran atomic.Int32
		if h.Notify(1, func() { ran.Add(1) }) {
			runtime.Gosched()
			if !h.Disarm() {
				for ran.Load() == 0 {
					runtime.Gosched()
				}
			} else if ran.Load() > 0 {
				t.Error("the function runs, and Disarm returns true")
			}
		}
	})
	ways := []way{parks, selects, notifies, disarms}
	for i, pw := range ways {
		for j, cw := range ways {
			for _, consumers := range []int{0, 2} {
				const total = 3000
				p, cs := some(t, 7, consumers)
				var wg sync.WaitGroup
				wg.Go(func() {
					for pos := 0; pos < total; {
						n, err := p.TryWrite(stream(uint64(pos), min(5, total-pos)))
						if pos += n; err != nil {
							t.Errorf("TryWrite: %v", err)
							return
						}
						if n == 0 {
							pw(p, func() error { return p.Wait(forever, 1) })
						}
					}
					p.Close()
				})
				for _, c := range cs {
					wg.Go(func() {
						if i+j == 2 {
							runtime.LockOSThread()
							defer runtime.UnlockOSThread()
						}
						b := make([]byte, 4)
						for pos := uint64(0); ; {
							n, err := c.TryRead(b)
							err = errors.Join(checkStream(b[:n], pos), err)
							if pos += uint64(n); err != nil {
								if pos != total || !errors.Is(err, io.EOF) {
									t.Errorf("TryRead: %v after %d bytes", err, pos)
								}
								return
							}
							if n == 0 {
								cw(c, func() error { return c.Wait(forever, 1) })
							}
						}
					})
				}
				wg.Wait()
			}
		}
	}
}
