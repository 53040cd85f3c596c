//go:build interleave

package memconn

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/interleave"
)

// TestInterleavings runs every scenario within its bound of preemptions.
//
//	go test -tags interleave -run TestInterleavings ./memconn
func TestInterleavings(t *testing.T) {
	schedules := 0
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			r := interleave.Explore(interleave.Options{Preemptions: s.bound}, s.run)
			if r.Failure != nil {
				t.Fatalf("after %d schedules: %v", r.Schedules, r.Failure)
			}
			t.Logf("%d schedules, %d operations in the longest, at most %d preemptions", r.Schedules, r.Depth, s.bound)
			schedules += r.Schedules
		})
	}
	t.Logf("interleave: %d scenarios, %d schedules", len(scenarios()), schedules)
}

type scenario struct {
	name  string
	bound int
	run   func(*interleave.T)
}

// A world is a pair in a scenario.
type world struct {
	*interleave.T
	a, b *Conn
}

// pairOf makes the pair of a scenario. It does not yield, because that depends
// on the time it takes.
func pairOf(t *interleave.T, buffer int) *world {
	a, b := pair(buffer, Addr{}, Addr{})
	w := &world{t, a, b}
	for name, s := range map[string]*stream{"a to b": a.out, "b to a": a.in} {
		s.wy.skip, s.ry.skip = 1<<30, 1<<30
		for half, l := range map[string]*lock{"writers": &s.w, "readers": &s.r} {
			t.Name(name+" "+half, &l.state)
			t.Final(func() error {
				if n := l.state.Raw(); n != 0 {
					return fmt.Errorf("the state of the %s %s is %d at rest", name, half, n)
				}
				return nil
			})
		}
	}
	t.Name("a closed", &a.closed)
	t.Name("b closed", &b.closed)
	t.Final(func() error {
		if n := t.Alarms(); n != 0 {
			return fmt.Errorf("%d alarms are set at rest", n)
		}
		return nil
	})
	return w
}

// A side is one of the two kinds of calls, with what a scenario needs of it.
// The calls are those of a.
type side struct {
	name string
	lock func(*Conn) (*lock, half)
	call func(*Conn) (int, error) // of one byte
	pass func(w *world)           // lets a call have its byte
	set  func(*Conn, time.Time) error
	shut func(*Conn) error // this direction, at a
	gone error             // what that makes of a call
	peer func(*Conn) error // this direction, at b
	left error             // what that makes of a call
}

var sides = []side{
	{
		name: "writer",
		lock: func(c *Conn) (*lock, half) { return &c.out.w, c.out.p },
		call: func(c *Conn) (int, error) { return c.Write([]byte{1}) },
		pass: func(*world) {},
		set:  (*Conn).SetWriteDeadline,
		shut: (*Conn).CloseWrite,
		gone: io.ErrClosedPipe,
		peer: (*Conn).CloseRead,
		left: io.ErrClosedPipe,
	},
	{
		name: "reader",
		lock: func(c *Conn) (*lock, half) { return &c.in.r, c.in.c },
		call: func(c *Conn) (int, error) { return c.Read(make([]byte, 1)) },
		pass: func(w *world) { w.b.Write([]byte{1}) },
		set:  (*Conn).SetReadDeadline,
		shut: (*Conn).CloseRead,
		gone: io.EOF,
		peer: (*Conn).CloseWrite,
		left: io.EOF,
	},
}

// after returns the time at which the clock of the scenario will have moved on
// by so many hours, to the millisecond; 0 is no deadline, and a negative one
// has passed. The hours keep apart what the real clock would blur.
func after(hours int) time.Time {
	if hours == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(hours) * time.Hour)
}

func (w *world) advance(hours int) { w.Advance(uint64(hours) * uint64(time.Hour)) }

// wantLate fails unless a call came to nothing because of a deadline, and not
// before that many hours.
func (w *world) wantLate(n int, err error, hours int) {
	if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		w.Fail("%d, %v; want the deadline", n, err)
	}
	if now := w.Moment(); hours > 0 && now < uint64(time.Duration(hours)*time.Hour-time.Minute) {
		w.Fail("the deadline of %d hours has passed at %d", hours, now)
	}
}

func (w *world) want(n int, err error, wantN int, want error) {
	if n != wantN || !errors.Is(err, want) {
		w.Fail("%d, %v; want %d, %v", n, err, wantN, want)
	}
}

// held has a goroutine hold the turn of a side until every token that it
// returns is there.
func (w *world) held(s side, n int) []*interleave.Token {
	l, h := s.lock(w.a)
	if err := l.lock(h); err != nil {
		panic(err)
	}
	tokens := make([]*interleave.Token, n)
	for i := range tokens {
		tokens[i] = new(interleave.Token)
	}
	w.Go("holder", func() {
		for _, k := range tokens {
			k.Take(nil)
		}
		l.unlock()
	})
	return tokens
}
