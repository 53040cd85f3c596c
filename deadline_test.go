package bytering

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// deadlines are times in the past and in the far future.
var (
	longAgo = time.Unix(1, 0)
	farOff  = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// A call that starts after the deadline does nothing, whatever the ring holds. A
// call that never parks ignores the deadline.
func TestOverdueCalls(t *testing.T) {
	for _, m := range producerCalls {
		for filled := range 5 {
			p, c := at(t, 4, 3, filled)
			if err := p.SetWriteDeadline(longAgo); err != nil {
				t.Fatal(err)
			}
			n, err := m.run(p)
			switch {
			case m.parks:
				want(t, m.name, n, err, 0, os.ErrDeadlineExceeded)
				state(t, p, c, filled, nil, nil)
			case filled < 4:
				want(t, m.name, n, err, m.n, nil)
			default:
				want(t, m.name, n, err, 0, nil)
			}
		}
	}
	for _, m := range consumerCalls {
		for filled := range 5 {
			p, c := at(t, 4, 3, filled)
			if err := c.SetReadDeadline(longAgo); err != nil {
				t.Fatal(err)
			}
			n, err := m.run(c)
			switch {
			case m.parks:
				want(t, m.name, n, err, 0, os.ErrDeadlineExceeded)
				state(t, p, c, filled, nil, nil)
			case filled > 0:
				want(t, m.name, n, err, m.n, nil)
			default:
				want(t, m.name, n, err, 0, nil)
			}
		}
	}
}

// A call with an empty argument never blocks, and fails after a deadline like any other
// call.
func TestOverdueEmptyArguments(t *testing.T) {
	p, c := at(t, 4, 0, 2)
	p.SetWriteDeadline(longAgo)
	c.SetReadDeadline(longAgo)
	n, err := p.Write(nil)
	want(t, "Write", n, err, 0, os.ErrDeadlineExceeded)
	n, err = c.Read(nil)
	want(t, "Read", n, err, 0, os.ErrDeadlineExceeded)
	want(t, "producer's Wait", 0, p.Wait(ended(), 0), 0, os.ErrDeadlineExceeded)
	want(t, "consumer's Wait", 0, c.Wait(ended(), 0), 0, os.ErrDeadlineExceeded)
	_, err = c.Peek(0)
	want(t, "Peek", 0, err, 0, os.ErrDeadlineExceeded)
	want(t, "Wait for more than the capacity", 0, c.Wait(ended(), 5), 0, ErrRange)
}

// The end takes precedence over a deadline that has passed. After its own Close a
// half takes no more deadlines.
func TestOverdueAndClosed(t *testing.T) {
	for _, m := range parking(producerCalls) {
		p, c := at(t, 4, 3, 4)
		p.SetWriteDeadline(longAgo)
		c.CloseWithError(errTest)
		n, err := m.run(p)
		want(t, m.name, n, err, 0, errTest)
		want(t, "SetWriteDeadline", 0, p.SetWriteDeadline(longAgo), 0, nil)
		p.Close()
		n, err = m.run(p)
		want(t, m.name, n, err, 0, io.ErrClosedPipe)
		want(t, "SetWriteDeadline", 0, p.SetWriteDeadline(time.Time{}), 0, io.ErrClosedPipe)
	}
	for _, m := range parking(consumerCalls) {
		p, c := at(t, 4, 3, 1)
		c.SetReadDeadline(longAgo)
		p.CloseWithError(errTest)
		n, err := m.run(c)
		want(t, m.name+" with a byte left", n, err, 0, os.ErrDeadlineExceeded)
		c.Discard(1)
		n, err = m.run(c)
		want(t, m.name, n, err, 0, errTest)
		want(t, "SetReadDeadline", 0, c.SetReadDeadline(longAgo), 0, nil)
		c.Close()
		n, err = m.run(c)
		want(t, m.name, n, err, 0, io.ErrClosedPipe)
		want(t, "SetReadDeadline", 0, c.SetReadDeadline(time.Time{}), 0, io.ErrClosedPipe)
	}
}

// A deadline's error is one that callers of package net recognize as a timeout.
func TestDeadlineErrorIsATimeout(t *testing.T) {
	_, c := pair(t, 4)
	c.SetReadDeadline(longAgo)
	_, err := c.ReadByte()
	var e interface{ Timeout() bool } // as in net.Error
	if !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("%v is not a timeout", err)
	}
}

// setters set the deadline of a parked call from another goroutine. The call ends
// after the duration given.
var setters = []struct {
	name string
	set  func(set func(time.Time) error)
	d    time.Duration
}{
	{"future", func(set func(time.Time) error) { set(time.Now().Add(time.Hour)) }, time.Hour},
	{"past", func(set func(time.Time) error) { set(longAgo) }, 0},
	{"now", func(set func(time.Time) error) { set(time.Now()) }, 0},
	{"wall clock", func(set func(time.Time) error) { set(time.Now().Add(time.Hour).Round(0)) }, time.Hour},
	{"other zone", func(set func(time.Time) error) {
		set(time.Now().Add(time.Hour).In(time.FixedZone("", 3600)))
	}, time.Hour},
	{"later", func(set func(time.Time) error) {
		set(time.Now().Add(time.Minute))
		time.Sleep(time.Second)
		set(time.Now().Add(time.Hour))
	}, time.Hour + time.Second},
	{"earlier", func(set func(time.Time) error) {
		set(time.Now().Add(time.Hour))
		time.Sleep(time.Second)
		set(time.Now().Add(time.Minute))
	}, time.Minute + time.Second},
	{"cleared and set", func(set func(time.Time) error) {
		set(time.Now().Add(time.Minute))
		time.Sleep(time.Second)
		set(time.Time{})
		time.Sleep(time.Hour)
		set(time.Now().Add(time.Second))
	}, time.Hour + 2*time.Second},
	{"far off first", func(set func(time.Time) error) {
		set(farOff)
		time.Sleep(time.Hour)
		set(time.Now())
	}, time.Hour},
}

func TestParkedCallsMeetTheDeadline(t *testing.T) {
	for _, s := range setters {
		for _, before := range []bool{false, true} {
			for _, consumers := range []int{0, 1, 3} {
				for _, m := range parking(producerCalls) {
					synctest.Test(t, func(t *testing.T) {
						p, cs := some(t, 4, consumers)
						fill(t, p, 4)
						meet(t, m.name+" and "+s.name, s.set, s.d, before, p.SetWriteDeadline, func() (int, error) { return m.run(p) })
						// The ring stays usable after a deadline.
						p.SetWriteDeadline(time.Time{})
						r := start(func() (int, error) { return m.run(p) })
						r.stays(t, m.name)
						for _, c := range cs {
							c.Discard(2)
						}
						n := m.n
						if m.name == "ReadFrom" { // the call that met the deadline may have read a byte
							synctest.Wait()
							n = int(p.Position()) - 4
						}
						r.ends(t, m.name, n, nil)
					})
				}
				for _, m := range parking(consumerCalls) {
					synctest.Test(t, func(t *testing.T) {
						p, cs := some(t, 4, consumers)
						c := cs[0]
						meet(t, m.name+" and "+s.name, s.set, s.d, before, c.SetReadDeadline, func() (int, error) { return m.run(c) })
						c.SetReadDeadline(time.Time{})
						r := start(func() (int, error) { return m.run(c) })
						r.stays(t, m.name)
						fill(t, p, 1)
						p.Close()
						r.ends(t, m.name, m.n, nil)
					})
				}
			}
		}
	}
}

// meet runs a call that parks and sets its deadline before the call or while it is
// parked. The call must end when the deadline passes, and again each time it is
// repeated.
func meet(t *testing.T, what string, set func(func(time.Time) error), d time.Duration, before bool, setter func(time.Time) error, run func() (int, error)) {
	t.Helper()
	for range 2 {
		began := time.Now()
		took := time.Duration(-1)
		timed := func() (int, error) {
			n, err := run()
			took = time.Since(began)
			return n, err
		}
		var r *parked
		if before {
			go set(setter)
			r = start(timed)
		} else {
			setter(time.Time{})
			r = start(timed)
			r.stays(t, what)
			go set(setter)
		}
		time.Sleep(d)
		r.ends(t, what, 0, os.ErrDeadlineExceeded)
		if took != d {
			t.Errorf("%s takes %v, want %v", what, took, d)
		}
		// The deadline holds until another one is set.
		n, err := run()
		want(t, what+" again", n, err, 0, os.ErrDeadlineExceeded)
		setter(time.Time{})
	}
}

// A call that meets the deadline reports what it moved before.
func TestDeadlineTellsWhatWasMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 4)
		p.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := p.Write(stream(0, 9))
		want(t, "Write", n, err, 4, os.ErrDeadlineExceeded)
		p.SetWriteDeadline(time.Now().Add(time.Second))
		m, err := p.ReadFrom(&source{4, 9})
		want(t, "ReadFrom", int(m), err, 0, os.ErrDeadlineExceeded)
		p.SetWriteDeadline(time.Now().Add(time.Second))
		c.Discard(2)
		m, err = p.ReadFrom(&source{}) // publishes what the last ReadFrom has read
		want(t, "ReadFrom", int(m), err, 2, os.ErrDeadlineExceeded)
		if p.Free() != 0 || c.Len() != 4 {
			t.Errorf("%d bytes are free, %d are there", p.Free(), c.Len())
		}

		var b bytes.Buffer
		c.SetReadDeadline(time.Now().Add(time.Second))
		m, err = c.WriteTo(&b)
		want(t, "WriteTo", int(m), err, 4, os.ErrDeadlineExceeded)
		if err := checkStream(b.Bytes(), 2); err != nil {
			t.Error(err)
		}
		p.SetWriteDeadline(time.Time{})
		for _, rest := range []int{4, 3} {
			k, err := p.TryWrite(nil)
			want(t, "TryWrite", k, err, 0, nil)
			if c.Len() != rest {
				t.Errorf("%d of the %d bytes that ReadFrom has read are there", c.Len(), rest)
			}
			c.Discard(rest)
		}
		fill(t, p, 3)
		c.SetReadDeadline(time.Now().Add(time.Second))
		x, err := c.Peek(4)
		want(t, "Peek", len(x), err, 3, os.ErrDeadlineExceeded)
		if err := checkStream(x, 13); err != nil {
			t.Error(err)
		}
		c.SetReadDeadline(time.Now().Add(time.Second))
		want(t, "Wait", 0, c.Wait(t.Context(), 4), 0, os.ErrDeadlineExceeded)
		p.Close()
		c.SetReadDeadline(time.Time{})
		drain(t, c, stream(13, 3), io.EOF)
	})
}

// Some space comes to a parked Write, and then its deadline passes.
func TestDeadlineAfterSomeSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 16)
		fill(t, p, 16)
		p.SetWriteDeadline(time.Now().Add(time.Hour))
		r := start(func() (int, error) { return p.Write(stream(16, 16)) })
		c.Discard(4)
		r.stays(t, "Write")
		c.Discard(2) // less than a quarter: the writer sleeps on, and takes the space in the end
		r.stays(t, "Write")
		time.Sleep(time.Hour)
		r.ends(t, "Write", 4+2, os.ErrDeadlineExceeded)
		state(t, p, c, 16, nil, nil)
	})
}

// A wait ends with its deadline or its context, whichever comes first.
func TestWaitWithDeadlineAndContext(t *testing.T) {
	for _, tc := range []struct {
		deadline, ctx time.Duration
		err           error
	}{
		{time.Minute, time.Hour, os.ErrDeadlineExceeded},
		{time.Hour, time.Minute, errTest},
		{-1, time.Minute, os.ErrDeadlineExceeded},
		{time.Hour, -1, errTest},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, c := at(t, 4, 3, 2)
			ctx, cancel := context.WithTimeoutCause(t.Context(), tc.ctx, errTest)
			defer cancel()
			p.SetWriteDeadline(time.Now().Add(tc.deadline))
			c.SetReadDeadline(time.Now().Add(tc.deadline))
			w := start(func() (int, error) { return 0, p.Wait(ctx, 3) })
			r := start(func() (int, error) { return 0, c.Wait(ctx, 3) })
			if min(tc.deadline, tc.ctx) > 0 {
				w.stays(t, "producer's Wait")
				r.stays(t, "consumer's Wait")
			}
			time.Sleep(time.Minute)
			w.ends(t, "producer's Wait", 0, tc.err)
			r.ends(t, "consumer's Wait", 0, tc.err)
			state(t, p, c, 2, nil, nil)
		})
	}
}

// The timer of an earlier call goes off during a call with a later deadline, which
// then sleeps on.
func TestTimerOfAnEarlierDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 4)
		c.SetReadDeadline(time.Now().Add(time.Minute))
		r := start(func() (int, error) { return c.Read(make([]byte, 4)) })
		fill(t, p, 1)
		r.ends(t, "Read", 1, nil)
		c.SetReadDeadline(time.Time{})
		r = start(func() (int, error) { return c.Read(make([]byte, 4)) })
		time.Sleep(time.Hour)
		r.stays(t, "Read")
		c.SetReadDeadline(time.Now().Add(time.Minute))
		time.Sleep(time.Minute)
		r.ends(t, "Read", 0, os.ErrDeadlineExceeded)
	})
}

// Deadlines that both sides set anew for each call do not allocate, except for
// their first timers.
func TestAllocsOfDeadlines(t *testing.T) {
	ping, pong := pair(t, 8)
	p, c := pair(t, 8)
	go func() {
		b := make([]byte, 8)
		for {
			pong.SetReadDeadline(time.Now().Add(time.Hour))
			n, err := pong.Read(b)
			if err != nil {
				p.CloseWithError(err)
				return
			}
			p.SetWriteDeadline(time.Now().Add(time.Hour))
			p.Write(b[:n])
		}
	}()
	b := make([]byte, 5)
	got := testing.AllocsPerRun(1000, func() {
		ping.SetWriteDeadline(time.Now().Add(time.Hour))
		if n, err := ping.Write(b); n != 5 || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
		c.SetReadDeadline(time.Now().Add(time.Hour))
		if b, err := c.Peek(5); len(b) != 5 || err != nil {
			t.Errorf("Peek = %d, %v", len(b), err)
		}
		c.Discard(5)
	})
	if got != 0 {
		t.Errorf("a hand-over there and back under deadlines allocates %v times", got)
	}
	ping.Close()
	drain(t, c, nil, io.EOF)
}

// A call that does not wait makes no timer.
func TestNoTimerWithoutAWait(t *testing.T) {
	p, c := pair(t, 8)
	p.SetWriteDeadline(time.Now().Add(time.Hour))
	c.SetReadDeadline(time.Now().Add(time.Hour))
	p.WriteString("abc")
	c.Read(make([]byte, 8))
	if _, err := p.ReadFrom(strings.NewReader("abc")); err != nil {
		t.Error(err)
	}
	c.Peek(3)
	c.Wait(context.Background(), 3)
	if p.timer != (seam.Timer{}) || c.timer != (seam.Timer{}) {
		t.Error("a call that found what it wanted has made a timer")
	}
}

// The timer that a parked call has set stops when its half is closed, whether the
// call has returned before or is ended by the Close.
func TestCloseStopsTheTimer(t *testing.T) {
	for _, parked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			empty, c := pair(t, 4)
			p, full := pair(t, 4)
			fill(t, p, 4)
			c.SetReadDeadline(time.Now().Add(time.Hour))
			p.SetWriteDeadline(time.Now().Add(time.Hour))
			read := start(func() (int, error) { return c.Read(make([]byte, 4)) })
			write := start(func() (int, error) { return p.Write(make([]byte, 1)) })
			synctest.Wait()
			err := io.ErrClosedPipe
			n := 0
			if !parked {
				fill(t, empty, 1)
				full.Discard(4)
				n, err = 1, nil
				read.ends(t, "Read", n, err)
				write.ends(t, "Write", n, err)
			}
			c.Close()
			p.Close()
			if parked {
				read.ends(t, "Read", n, err)
				write.ends(t, "Write", n, err)
			}
			seam.Drain(c.shared.target.token)
			seam.Drain(p.ring.producer.target.token)
			time.Sleep(2 * time.Hour)
			if len(seam.Chan(c.shared.target.token))+len(seam.Chan(p.ring.producer.target.token)) != 0 {
				t.Errorf("parked: %t: the timer of a closed half goes off", parked)
			}
		})
	}
}

// Another goroutine sets deadlines at random while bytes flow. No byte is lost, and
// none comes twice.
func TestStressDeadlines(t *testing.T) {
	for _, consumers := range []int{0, 2} {
		const total = 20000
		p, cs := some(t, 61, consumers)
		stop := make(chan bool)
		setter := func(set func(time.Time) error) {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				switch i % 4 {
				case 0:
					set(time.Now().Add(20 * time.Microsecond))
				case 1:
					set(longAgo)
				default:
					set(time.Time{})
				}
				time.Sleep(10 * time.Microsecond)
			}
		}
		go setter(p.SetWriteDeadline)
		sent := make(chan error)
		go func() {
			pos := 0
			var err error
			for pos < total && (err == nil || err == os.ErrDeadlineExceeded) {
				var n int
				n, err = p.Write(stream(uint64(pos), min(200, total-pos)))
				pos += n
				giveWay()
			}
			p.Close()
			if err == os.ErrDeadlineExceeded {
				err = nil
			}
			sent <- err
		}()
		got := make(chan error, len(cs))
		for _, c := range cs {
			go setter(c.SetReadDeadline)
			go func() {
				b := make([]byte, 100)
				pos := 0
				for {
					n, err := c.Read(b)
					if bad := checkStream(b[:n], uint64(pos)); bad != nil {
						err = bad
					}
					if pos += n; err == nil || err == os.ErrDeadlineExceeded {
						giveWay()
						continue
					}
					if pos != total {
						err = errors.Join(err, io.ErrUnexpectedEOF)
					}
					got <- err
					return
				}
			}()
		}
		want(t, "the writer", 0, <-sent, 0, nil)
		for range cs {
			want(t, "a reader", 0, <-got, 0, io.EOF)
		}
		close(stop)
	}
}
