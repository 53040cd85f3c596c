package bytering

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A parked is a call that runs on a goroutine of its own. A bubble fails the test
// if a goroutine does not end, so every such call must end.
type parked struct {
	n    int
	err  error
	done atomic.Bool // n and err are valid once it is true
}

func start(f func() (int, error)) *parked {
	r := new(parked)
	go func() { r.n, r.err = f(); r.done.Store(true) }()
	synctest.Wait()
	return r
}

// stays and ends wait until every goroutine of the bubble is blocked. Then stays
// expects the call to be parked, and ends expects it to have returned.
func (r *parked) stays(t *testing.T, what string) {
	t.Helper()
	if synctest.Wait(); r.done.Load() {
		t.Errorf("%s does not park: %d, %v", what, r.n, r.err)
	}
}

func (r *parked) ends(t *testing.T, what string, n int, err error) {
	t.Helper()
	if synctest.Wait(); !r.done.Load() {
		t.Fatalf("%s is still parked", what)
	}
	want(t, what, r.n, r.err, n, err)
}

// enders end a parked call from a third goroutine by closing the half itself or the
// other one.
var enders = []struct {
	name  string
	other bool
	err   error
}{
	{"own Close", false, nil},
	{"own CloseWithError", false, errTest},
	{"the other's Close", true, nil},
	{"the other's CloseWithError", true, errTest},
}

func TestParkedProducerIsEnded(t *testing.T) {
	for _, m := range parking(producerCalls) {
		for _, e := range enders {
			for _, consumers := range []int{0, 1, 3} { // 0 stands for New
				synctest.Test(t, func(t *testing.T) {
					p, cs := some(t, 4, consumers)
					fill(t, p, 4)
					r := start(func() (int, error) { return m.run(p) })
					wantErr := io.ErrClosedPipe
					if !e.other {
						r.stays(t, m.name)
						p.CloseWithError(e.err)
					} else {
						wantErr = or(e.err, wantErr)
						for _, c := range cs {
							r.stays(t, m.name)
							c.CloseWithError(e.err)
						}
					}
					r.ends(t, m.name+" after "+e.name, 0, wantErr)
				})
			}
		}
	}
}

func TestParkedConsumerIsEnded(t *testing.T) {
	for _, m := range parking(consumerCalls) {
		for _, e := range enders {
			for _, consumers := range []int{0, 1, 3} {
				synctest.Test(t, func(t *testing.T) {
					p, cs := some(t, 4, consumers)
					var rs []*parked
					for _, c := range cs {
						rs = append(rs, start(func() (int, error) { return m.run(c) }))
					}
					for i, r := range rs {
						if r.stays(t, m.name); !e.other {
							cs[i].CloseWithError(e.err)
							r.ends(t, m.name+" after "+e.name, 0, io.ErrClosedPipe)
						}
					}
					if e.other {
						p.CloseWithError(e.err)
					}
					for _, r := range rs {
						switch {
						case !e.other:
						case m.name == "WriteTo":
							r.ends(t, m.name+" after "+e.name, 0, e.err)
						default:
							r.ends(t, m.name+" after "+e.name, 0, or(e.err, io.EOF))
						}
					}
				})
			}
		}
	}
}

func parking[H any](calls []call[H]) []call[H] {
	return slices.DeleteFunc(slices.Clone(calls), func(m call[H]) bool { return !m.parks })
}

// some is like cast, or like pair if consumers is 0.
func some(t *testing.T, capacity, consumers int, opts ...Option) (*Producer, []*Consumer) {
	if consumers > 0 {
		return cast(t, capacity, consumers, opts...)
	}
	p, c := pair(t, capacity, opts...)
	return p, []*Consumer{c}
}

// A parked call goes on as soon as the other half has moved far enough. The
// starting points put an armed target on the other side of the wrap.
func TestParkedCallsGoOn(t *testing.T) {
	for _, begin := range []uint64{0, 1<<63 - 4, 1<<63 - 1} {
		for _, m := range parking(producerCalls) {
			synctest.Test(t, func(t *testing.T) {
				p, c := pair(t, 4, startAt(begin))
				fill(t, p, 4)
				r := start(func() (int, error) { return m.run(p) })
				r.stays(t, m.name)
				c.Discard(0)
				r.stays(t, m.name)
				c.Discard(1)
				filled := 4
				if m.name == "Wait" {
					filled = 3
				}
				r.ends(t, m.name, m.n, nil)
				state(t, p, c, filled, nil, nil)
			})
		}
		for _, m := range parking(consumerCalls) {
			synctest.Test(t, func(t *testing.T) {
				p, c := pair(t, 4, startAt(begin))
				r := start(func() (int, error) { return m.run(c) })
				r.stays(t, m.name)
				p.Commit(0)
				r.stays(t, m.name)
				p.Slices()
				p.Commit(1)
				if m.name == "WriteTo" {
					r.stays(t, m.name)
					state(t, p, c, 0, nil, nil)
					p.Close()
				}
				r.ends(t, m.name, m.n, nil)
			})
		}
	}
}

func TestWaitParksUntilContextEnds(t *testing.T) {
	waits := map[string]func(p *Producer, c *Consumer, ctx context.Context) error{
		"producer": func(p *Producer, _ *Consumer, ctx context.Context) error { return p.Wait(ctx, 3) },
		"consumer": func(_ *Producer, c *Consumer, ctx context.Context) error { return c.Wait(ctx, 3) },
	}
	for name, wait := range waits {
		synctest.Test(t, func(t *testing.T) {
			p, c := at(t, 4, 3, 2)
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errTest)
			defer cancel()
			began := time.Now()
			r := start(func() (int, error) { return 0, wait(p, c, ctx) })
			time.Sleep(time.Hour - 1)
			r.stays(t, name)
			time.Sleep(1 * time.Nanosecond)
			r.ends(t, name, 0, errTest)
			if d := time.Since(began); d != time.Hour {
				t.Errorf("%s waits for %v", name, d)
			}

			ctx2, cancel2 := context.WithCancel(t.Context())
			r = start(func() (int, error) { return 0, wait(p, c, ctx2) })
			time.Sleep(time.Hour)
			r.stays(t, name)
			cancel2()
			r.ends(t, name, 0, context.Canceled)

			// The ring stays usable, and now there are enough bytes.
			fill(t, p, 1)
			c.Discard(2)
			if name == "consumer" {
				fill(t, p, 2)
			}
			if err := wait(p, c, ctx2); err != nil {
				t.Errorf("%s: %v with enough bytes there and a context that has ended", name, err)
			}
		})
	}
}

// Wait returns nil if the bytes are there when ctx ends, though a select may see
// the end of ctx first.
func TestWaitTakesWhatIsThereFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := at(t, 4, 0, 2)
		p2, c2 := at(t, 4, 0, 2)
		ctx, cancel := context.WithCancelCause(t.Context())
		w := start(func() (int, error) { return 0, p.Wait(ctx, 4) })
		r := start(func() (int, error) { return 0, c2.Wait(ctx, 4) })
		c.shared.cursor.Store(2) // the bytes are there, but the token is not sent yet
		p2.ring.producer.cursor.Store(4)
		cancel(errTest)
		w.ends(t, "producer's Wait", 0, nil)
		r.ends(t, "consumer's Wait", 0, nil)
	})
}

// WaitEmpty waits until everything was taken, before the producer's Close and after
// it, whatever the policy.
func TestWaitEmpty(t *testing.T) {
	for i := range 4 {
		closed, spin := i%2 > 0, time.Duration(i/2)
		for _, consumers := range []int{0, 2} {
			for name, end := range map[string]func(p *Producer, cs []*Consumer) (wait error){
				"taken":       func(p *Producer, cs []*Consumer) error { drainAll(cs, 8); return nil },
				"then closed": func(p *Producer, cs []*Consumer) error { drainAll(cs, 8); failAll(cs); return nil },
				"not taken":   func(p *Producer, cs []*Consumer) error { drainAll(cs, 7); failAll(cs); return errTest },
				"a closed one has not": func(p *Producer, cs []*Consumer) error {
					if len(cs) > 1 {
						cs[1].CloseWithError(errLater)
					}
					drainAll(cs[:1], 8)
					return nil
				},
				"its slices are lent": func(p *Producer, cs []*Consumer) error {
					if c := cs[len(cs)-1]; len(cs) > 1 {
						c.Slices()
						c.Close()
						drainAll(cs[:1], 8)
						synctest.Wait()
						c.Discard(0)
						return nil
					}
					drainAll(cs, 8)
					return nil
				},
			} {
				synctest.Test(t, func(t *testing.T) {
					p, cs := some(t, 8, consumers)
					p.spinFor = spin
					fill(t, p, 8)
					if closed {
						p.SetWriteDeadline(time.Now().Add(time.Second)) // the Close ends this deadline
						p.Close()
					}
					r := start(func() (int, error) { return 0, p.WaitEmpty(t.Context()) })
					r.stays(t, name)
					time.Sleep(time.Minute)
					r.stays(t, name)
					wanted := end(p, cs)
					r.ends(t, name, 0, wanted)
					want(t, name+", again", 0, p.WaitEmpty(t.Context()), 0, wanted)
				})
			}
		}
	}
}

func drainAll(cs []*Consumer, n int) {
	for _, c := range cs {
		c.Discard(n)
	}
}

func failAll(cs []*Consumer) {
	for _, c := range cs {
		c.CloseWithError(errTest)
	}
}

// WaitEmpty ends with its context or deadline. It publishes what ReadFrom has left
// in the spill.
func TestWaitEmptyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, cs := spilled(t, 0, 3)
		want(t, "WaitEmpty", 0, p.WaitEmpty(ended()), 0, errTest)
		p.SetWriteDeadline(time.Now().Add(time.Second))
		want(t, "WaitEmpty", 0, p.WaitEmpty(t.Context()), 0, os.ErrDeadlineExceeded)
		want(t, "WaitEmpty", 0, p.WaitEmpty(t.Context()), 0, os.ErrDeadlineExceeded)
		p.SetWriteDeadline(time.Time{})
		r := start(func() (int, error) { return 0, p.WaitEmpty(t.Context()) })
		cs[0].Discard(4)
		r.stays(t, "WaitEmpty")
		if cs[0].Len() != 3 {
			t.Errorf("%d bytes are there, want the 3 that ReadFrom had left", cs[0].Len())
		}
		cs[0].Discard(3)
		r.ends(t, "WaitEmpty", 0, nil)
	})
}

// A full ring is not refilled byte by byte: a parked writer sleeps until a quarter
// is free, or enough for the rest of its bytes.
func TestHysteresis(t *testing.T) {
	writers := map[string]func(p *Producer, n int) (int, error){
		"Write": func(p *Producer, n int) (int, error) { return p.Write(stream(p.Position(), n)) },
		"ReadFrom": func(p *Producer, n int) (int, error) {
			m, err := p.ReadFrom(&source{p.Position(), n})
			return int(m), err
		},
	}
	for name, write := range writers {
		for _, tc := range []struct{ capacity, n, free int }{
			{16, 100, 4}, {17, 100, 4}, {20, 100, 5}, {3, 100, 1}, {1, 100, 1},
			{16, 16 + 3, 3}, {16, 16 + 1, 1}, {16, 16 + 4, 4}, {16, 16 + 5, 4},
		} {
			free := tc.free
			if name == "ReadFrom" {
				free = max(1, tc.capacity/4) // ReadFrom does not know how many bytes are left
			}
			synctest.Test(t, func(t *testing.T) {
				p, c := pair(t, tc.capacity)
				r := start(func() (int, error) { return write(p, tc.n) })
				for i := range free {
					if got := c.Len(); got != tc.capacity-i {
						t.Errorf("%s of %d: woken by %d free bytes of %d, want %d", name, tc.n, i, tc.capacity, free)
					}
					c.Discard(1)
					synctest.Wait()
				}
				if got, left := c.Len(), min(free, tc.n-tc.capacity); got != tc.capacity-free+left {
					t.Errorf("%s of %d: not woken by %d free bytes of %d", name, tc.n, free, tc.capacity)
				}
				c.Close()
				synctest.Wait()
				if !r.done.Load() {
					t.Errorf("%s is still parked", name)
				}
			})
		}
	}
}

// The hysteresis gives way to a consumer that is about to park for more than there
// is. Otherwise both would sleep for ever.
func TestHysteresisGivesWay(t *testing.T) {
	asks := map[string]func(c *Consumer) error{
		"Wait": func(c *Consumer) error { return c.Wait(context.Background(), 16) },
		"Peek": func(c *Consumer) error { _, err := c.Peek(16); return err },
	}
	for name, ask := range asks {
		for _, consumers := range []int{0, 1, 2} {
			synctest.Test(t, func(t *testing.T) {
				p, cs := some(t, 16, consumers)
				w := start(func() (int, error) { return p.Write(stream(0, 64)) })
				for _, c := range cs {
					c.Discard(1)
				}
				w.stays(t, "Write")
				if got := p.Position(); got != 16 {
					t.Errorf("a free byte wakes Write: %d", got)
				}
				r := start(func() (int, error) { return 0, ask(cs[0]) })
				r.ends(t, name, 0, nil)
				w.stays(t, "Write")
				for _, c := range cs {
					c.Close()
				}
				for _, c := range cs {
					c.Discard(0) // gives back what Peek may hold
				}
				w.ends(t, "Write", 17, io.ErrClosedPipe)
			})
		}
	}
}

// If a Peek of one of several consumers is cut short by that consumer's Close, it
// hands out nothing, so nothing must be given back.
func TestBroadcastPeekIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, cs := cast(t, 4, 2)
		fill(t, p, 2)
		cs[1].Discard(2)
		r := start(func() (int, error) { b, err := cs[0].Peek(4); return len(b), err })
		r.stays(t, "Peek")
		cs[0].Close()
		r.ends(t, "Peek", 0, io.ErrClosedPipe)
		if got := p.Free(); got != 4 {
			t.Errorf("%d bytes are free after the closed consumer's call has returned, want 4", got)
		}
	})
}

// A Write that is parked because of the slowest consumer goes on once that consumer
// is closed and has given back what it was handed.
func TestParkedWriteAndAClosedConsumer(t *testing.T) {
	for _, lent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p, cs := cast(t, 4, 2)
			w := start(func() (int, error) { return p.Write(stream(0, 8)) })
			cs[1].Discard(4)
			w.stays(t, "Write")
			if lent {
				cs[0].Slices()
			}
			cs[0].Close()
			if lent {
				w.stays(t, "Write")
				cs[0].Discard(0)
			}
			w.ends(t, "Write", 8, nil)
		})
	}
}

// Two halves that have nothing to do are blocked and use no processor: only then
// does time advance in the bubble.
func TestIdlePairIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 4)
		r := start(func() (int, error) { return c.Read(make([]byte, 8)) })
		p2, c2 := pair(t, 4)
		w := start(func() (int, error) { return p2.Write(make([]byte, 8)) })
		time.Sleep(24 * time.Hour)
		r.stays(t, "Read")
		w.stays(t, "Write")
		if err := errors.Join(p.Close(), c2.Close()); err != nil {
			t.Error(err)
		}
		r.ends(t, "Read", 0, io.EOF)
		w.ends(t, "Write", 4, io.ErrClosedPipe)
	})
}
