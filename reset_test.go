package bytering

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// closeAll closes all halves.
func closeAll(p *Producer, cs []*Consumer) {
	p.CloseWithError(errTest)
	for _, c := range cs {
		c.CloseWithError(errLater)
	}
}

// mustReset resets the ring.
func mustReset(t testing.TB, p *Producer, cs []*Consumer) {
	t.Helper()
	if err := Reset(p, cs...); err != nil {
		t.Fatal(err)
	}
}

// After Reset a ring is as after New, whatever came before.
func TestResetIsAsNew(t *testing.T) {
	lives := map[string]func(p *Producer, cs []*Consumer){
		"nothing":   func(*Producer, []*Consumer) {},
		"unread":    func(p *Producer, cs []*Consumer) { p.Write(make([]byte, 3)) },
		"read":      func(p *Producer, cs []*Consumer) { p.Write(make([]byte, 3)); cs[0].Read(make([]byte, 2)) },
		"deadlines": func(p *Producer, cs []*Consumer) { p.SetWriteDeadline(longAgo); cs[0].SetReadDeadline(longAgo) },
		"armed": func(p *Producer, cs []*Consumer) {
			p.Ready()
			cs[0].Ready()
			p.Write(make([]byte, 4))
			p.Notify(4, func() {})
		},
		"lent": func(p *Producer, cs []*Consumer) {
			p.Slices()
			p.Commit(2)
			cs[0].Slices()
			cs[0].Discard(1)
			p.Slices()
			p.Close()
			p.Commit(0)
			cs[0].Peek(1)
			cs[0].Close()
			cs[0].Discard(0)
		},
	}
	for name, live := range lives {
		for _, consumers := range []int{0, 1, 3} {
			p, cs := some(t, 4, consumers)
			for range 3 {
				live(p, cs)
				closeAll(p, cs)
				mustReset(t, p, cs)
				for _, c := range cs {
					state(t, p, c, 0, nil, nil)
					if c.Position() != 0 || p.Position() != 0 {
						t.Errorf("%s: positions %d and %d", name, p.Position(), c.Position())
					}
					if isReady(c.Ready()) || !c.Disarm() || c.Disarm() {
						t.Errorf("%s: the producer is armed", name)
					}
				}
				if p.Disarm() || !isReady(p.Ready()) {
					t.Errorf("%s: the consumer is armed", name)
				}
				n, err := p.Write(stream(0, 4))
				want(t, name+": Write", n, err, 4, nil)
				if a, b := p.Slices(); len(a)+len(b) > 0 {
					t.Errorf("%s: %d bytes are free in a full ring", name, len(a)+len(b))
				}
				p.Close()
				for _, c := range cs {
					a, b := c.Slices()
					if len(a) != 4 || len(b) != 0 {
						t.Errorf("%s: the stream does not begin at the memory's beginning", name)
					}
					drain(t, c, stream(0, 4), io.EOF)
					c.Close()
				}
				want(t, name+": Write", 0, p.Err(), 0, io.ErrClosedPipe)
				mustReset(t, p, cs)
			}
		}
	}
}

// If Reset cannot reset the ring, it returns an error that names the reason, and
// changes nothing.
func TestResetRefuses(t *testing.T) {
	other, others := cast(t, 4, 3)
	closeAll(other, others)
	one, _ := pair(t, 4)
	for _, tc := range []struct {
		name string
		// live prepares a ring of three consumers, by default by closing all halves.
		// args returns the arguments of Reset, by default all halves.
		live func(p *Producer, cs []*Consumer)
		args func(p *Producer, cs []*Consumer) (*Producer, []*Consumer)
		says string
	}{
		{"no producer", nil, func(_ *Producer, cs []*Consumer) (*Producer, []*Consumer) { return nil, cs }, "no producer"},
		{"empty producer", nil, func(_ *Producer, cs []*Consumer) (*Producer, []*Consumer) { return new(Producer), cs }, "no producer"},
		{"no consumers", nil, func(p *Producer, _ []*Consumer) (*Producer, []*Consumer) { return p, nil }, "0 consumers of 3"},
		{"one missing", nil, func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) { return p, cs[1:] }, "2 consumers of 3"},
		{"one too many", nil, func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) { return p, append(cs, cs[0]) }, "4 consumers of 3"},
		{"one nil", nil, func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) {
			return p, []*Consumer{cs[0], nil, cs[2]}
		}, "no consumer at 1"},
		{"one empty", nil, func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) {
			return p, []*Consumer{cs[0], new(Consumer), cs[2]}
		}, "no consumer at 1"},
		{"one twice", nil, func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) {
			return p, []*Consumer{cs[2], cs[0], cs[2]}
		}, "twice"},
		{"one of another ring", nil, func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) {
			return p, []*Consumer{cs[0], cs[1], others[2]}
		}, "consumer at 2 is of another ring"},
		{"all of another ring", nil, func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) { return other, cs }, "another ring"},
		{"a producer of another size", nil, func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) { return one, cs }, "3 consumers of 1"},
		{"producer open", func(p *Producer, cs []*Consumer) {
			for _, c := range cs {
				c.Close()
			}
		}, nil, "no Close of the producer"},
		{"consumer open", func(p *Producer, cs []*Consumer) { p.Close(); cs[0].Close(); cs[2].Close() }, nil, "no Close of the consumer at 1"},
		{"producer lends", func(p *Producer, cs []*Consumer) { p.Slices(); closeAll(p, cs) }, nil, "slices are lent by the producer"},
		{"consumer lends", func(p *Producer, cs []*Consumer) {
			p.WriteByte(1)
			cs[1].Slices()
			closeAll(p, cs)
		}, nil, "slices are lent by the consumer at 1"},
		{"consumer lends what Peek gave", func(p *Producer, cs []*Consumer) {
			p.WriteByte(1)
			cs[2].Peek(1)
			closeAll(p, cs)
		}, nil, "slices are lent by the consumer at 2"},
	} {
		p, cs := cast(t, 4, 3)
		if tc.live == nil {
			tc.live = closeAll
		}
		tc.live(p, cs)
		args := func(p *Producer, cs []*Consumer) (*Producer, []*Consumer) { return p, cs }
		if tc.args != nil {
			args = tc.args
		}
		perr, cerr, there := p.Err(), cs[0].Err(), cs[0].Len()
		rp, rcs := args(p, slices.Clone(cs))
		err := Reset(rp, rcs...)
		if !errors.Is(err, ErrInvalidReset) || !strings.Contains(fmt.Sprint(err), tc.says) {
			t.Errorf("%s: %v, want an error that says %q", tc.name, err, tc.says)
		}
		if !is(p.Err(), perr) || !is(cs[0].Err(), cerr) || cs[0].Len() != there {
			t.Errorf("%s: Reset changed something, though it returned %v", tc.name, err)
		}
		// After what was missing is made good, Reset succeeds.
		closeAll(p, cs)
		p.Commit(0)
		for _, c := range cs {
			c.Discard(0)
		}
		slices.Reverse(cs)
		mustReset(t, p, cs)
	}
}

// Reset notices a running call.
func TestResetInsideACall(t *testing.T) {
	for _, consumers := range []int{0, 2} {
		p, cs := some(t, 4, consumers)
		p.IOSlices(func([][]byte, int) (int, error) {
			closeAll(p, cs)
			if err := Reset(p, cs...); !errors.Is(err, ErrInvalidReset) || !strings.Contains(err.Error(), "call is running of the producer") {
				t.Errorf("Reset in a producer's call: %v", err)
			}
			return 0, nil
		})
		mustReset(t, p, cs)
		cs[0].IOSlices(func([][]byte, int) (int, error) {
			closeAll(p, cs)
			if err := Reset(p, cs...); !errors.Is(err, ErrInvalidReset) || !strings.Contains(err.Error(), "call is running of the consumer at 0") {
				t.Errorf("Reset in a consumer's call: %v", err)
			}
			return 0, nil
		})
		mustReset(t, p, cs)
	}
}

// A call that is left behind keeps its ring from being reset until it returns.
func TestResetWithACallLeftBehind(t *testing.T) {
	p, c := pair(t, 4)
	reading, read := make(chan bool), make(chan bool)
	left := make(chan error)
	go func() {
		_, err := p.ReadFrom(readerFunc(func(b []byte) (int, error) {
			reading <- true
			<-read
			return copy(b, "late"), io.EOF
		}))
		left <- err
	}()
	<-reading
	closeAll(p, []*Consumer{c})
	for range 2 {
		if err := Reset(p, c); !errors.Is(err, ErrInvalidReset) || !strings.Contains(err.Error(), "call is running of the producer") {
			t.Errorf("Reset with a ReadFrom left behind: %v", err)
		}
	}
	close(read)
	if err := <-left; err != io.ErrClosedPipe {
		t.Errorf("the ReadFrom returns %v", err)
	}
	mustReset(t, p, []*Consumer{c})
}

// After Reset a half does not know what it had seen in the life before.
func TestResetForgetsWhatWasSeen(t *testing.T) {
	p, c := pair(t, 8)
	fill(t, p, 6)
	c.Read(make([]byte, 1))
	if c.quick < 4 {
		t.Fatalf("the consumer may move %d bytes", c.quick)
	}
	closeAll(p, []*Consumer{c})
	mustReset(t, p, []*Consumer{c})
	if n, err := c.TryRead(make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("TryRead of an empty ring = %d, %v", n, err)
	}
	fill(t, p, 8)
}

// Reset leaves the memory as it is, but no call that reads shows its contents.
func TestResetDoesNotClear(t *testing.T) {
	p, c := pair(t, 4)
	p.WriteString("old!")
	closeAll(p, []*Consumer{c})
	mustReset(t, p, []*Consumer{c})
	if a, _ := p.Slices(); string(a) != "old!" {
		t.Errorf("the memory is %q", a)
	}
	p.Commit(0)
	p.WriteString("n")
	if a, b := c.Slices(); string(a) != "n" || len(b) > 0 {
		t.Errorf("the consumer sees %q and %q", a, b)
	}
}

// A function that is armed in one life does not run in the next.
func TestResetWithdraws(t *testing.T) {
	p, c := pair(t, 4)
	f := func() { t.Error("the function runs in the next life") }
	p.ring.producer.target.note.Store(&note{p.goal(1), f})
	c.shared.target.note.Store(&note{c.goal(1), f})
	p.ring.producer.cursor.Or(closed) // closed, but not notified yet
	c.shared.cursor.Or(closed)
	p.ring.openConsumers.Store(0)
	p.ring.openProducer.Store(0)
	mustReset(t, p, []*Consumer{c})
	fill(t, p, 4)
	c.Discard(4)
	closeAll(p, []*Consumer{c})
}

// The timer of a deadline goes off in the next life, during a call that parks.
func TestResetUnderATimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 4)
		for range 3 {
			c.SetReadDeadline(time.Now().Add(time.Minute))
			r := start(func() (int, error) { return c.Read(make([]byte, 1)) })
			r.stays(t, "Read")
			p.Close()
			r.ends(t, "Read", 0, io.EOF)
			c.Close()
			mustReset(t, p, []*Consumer{c})
			r = start(func() (int, error) { return c.Read(make([]byte, 1)) })
			time.Sleep(time.Hour)
			r.stays(t, "Read in the next life")
			c.SetReadDeadline(time.Now().Add(time.Minute))
			time.Sleep(time.Minute)
			r.ends(t, "Read in the next life", 0, os.ErrDeadlineExceeded)
			closeAll(p, []*Consumer{c})
			mustReset(t, p, []*Consumer{c})
		}
	})
}

// If Close has set the bit but not yet stored its error, the other half gets the
// default error.
func TestLateCloseHasAnError(t *testing.T) {
	p, c := pair(t, 4)
	fill(t, p, 1)
	p.ring.producer.cursor.Or(closed)
	want(t, "Wait", 0, c.Wait(forever, 2), 0, io.ErrUnexpectedEOF)
	drain(t, c, stream(0, 1), io.EOF)
	c.shared.cursor.Or(closed)
	if err := p.peersErr(); err != io.ErrClosedPipe {
		t.Errorf("the producer gets %v", err)
	}
}

func TestAllocsOfReset(t *testing.T) {
	for _, consumers := range []int{0, 3} {
		p, cs := some(t, 17, consumers)
		b := make([]byte, 5)
		for _, c := range cs {
			c.Ready()
		}
		got := testing.AllocsPerRun(100, func() {
			p.Write(b)
			p.ring.producer.cursor.Or(closed) // Close would allocate its error
			for _, c := range cs {
				c.Read(b)
				c.shared.cursor.Or(closed)
			}
			p.ring.openConsumers.Store(0)
			p.ring.openProducer.Store(0)
			if err := Reset(p, cs...); err != nil {
				t.Error(err)
			}
		})
		if got != 0 {
			t.Errorf("Reset allocates %v times", got)
		}
	}
}

// TestStressReset uses one ring for many lives. A third goroutine may end a life,
// and the rest of its Close reaches into the next.
func TestStressReset(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, consumers := range []int{0, 2} {
		p, cs := some(t, 61, consumers)
		for life := range 300 {
			rng := rand.New(rand.NewPCG(seed, uint64(life)))
			var wg, aside sync.WaitGroup
			total, pause := 1+rng.IntN(1000), rng.IntN(20)
			closer := rng.IntN(3) // closes all consumers, the producer or neither
			aside.Go(func() {
				time.Sleep(time.Duration(pause) * time.Microsecond)
				switch closer {
				case 0:
					for _, c := range cs {
						c.CloseWithError(errLater)
					}
				case 1:
					p.CloseWithError(errTest)
				}
			})
			wrote := 0
			wg.Go(func() {
				wrote, _ = p.Write(stream(0, total))
				if closer != 1 {
					p.Close()
				}
				for p.ring.producer.cursor.Load()&closed == 0 {
					time.Sleep(time.Microsecond)
				}
			})
			for _, c := range cs {
				wg.Go(func() {
					b, err := io.ReadAll(c)
					if bad := checkStream(b, 0); bad != nil {
						t.Errorf("life %d: %v", life, bad)
					}
					if closer != 0 && (err != nil && err != errTest || c.Position() != p.Position()) {
						t.Errorf("life %d: %d of %d bytes, %v", life, c.Position(), p.Position(), err)
					}
					if closer != 0 {
						c.Close()
					}
				})
			}
			wg.Wait()
			if uint64(wrote) != p.Position() {
				t.Errorf("life %d: %d bytes counted, position %d", life, wrote, p.Position())
			}
			for {
				err := Reset(p, cs...)
				if err == nil {
					break
				}
				if closer == 2 {
					t.Fatalf("life %d: %v", life, err)
				}
				time.Sleep(time.Microsecond)
			}
			for _, c := range cs {
				state(t, p, c, 0, nil, nil)
			}
			aside.Wait() // a late Close would end the next life
		}
	}
}
