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

// TestInterleavings runs every scenario within its bound on preemptions.
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

// A world is a pair of connections in a scenario.
type world struct {
	*interleave.T
	a, b *Conn
}

// pairOf makes the pair of a scenario.
func pairOf(t *interleave.T, buffer int) *world {
	a, b := newPair(buffer, Addr(""), Addr(""))
	for _, end := range []struct {
		name string
		*Conn
	}{{"a", a}, {"b", b}} {
		t.Name(end.name+" closed", &end.closed)
		for half, l := range map[string]*turn{"writing": &end.writing, "reading": &end.reading} {
			t.Name(end.name+" "+half, &l.n)
			t.Final(func() error {
				if n := l.n.Raw(); n != 0 {
					return fmt.Errorf("%d goroutines have or want the turn of %s %s at rest", n, end.name, half)
				}
				return nil
			})
		}
	}
	return &world{t, a, b}
}

// A side is one of the two kinds of calls, with what a scenario needs for it. The
// calls are those of end a.
type side struct {
	name  string
	call  func(*Conn) (int, error) // moves one byte
	stall func(w *world)           // stops calls from getting their byte, with a buffer of 1
	pass  func(w *world)           // lets one call get its byte then
	set   func(*Conn, time.Time) error
	shut  func(*Conn) error // closes this direction at a
	gone  error             // the error of a call after shut
	peer  func(*Conn) error // closes this direction at b
	left  error             // the error of a call after peer
}

var sides = []side{
	{
		name:  "writer",
		call:  func(c *Conn) (int, error) { return c.Write([]byte{1}) },
		stall: func(w *world) { w.a.Write([]byte{1}) },
		pass:  func(w *world) { w.b.Read(make([]byte, 1)) },
		set:   (*Conn).SetWriteDeadline,
		shut:  (*Conn).CloseWrite,
		gone:  io.ErrClosedPipe,
		peer:  (*Conn).CloseRead,
		left:  io.ErrClosedPipe,
	},
	{
		name:  "reader",
		call:  func(c *Conn) (int, error) { return c.Read(make([]byte, 1)) },
		stall: func(*world) {},
		pass:  func(w *world) { w.b.Write([]byte{1}) },
		set:   (*Conn).SetReadDeadline,
		shut:  (*Conn).CloseRead,
		gone:  io.EOF,
		peer:  (*Conn).CloseWrite,
		left:  io.EOF,
	},
}

// after returns the time at which the scenario's clock will have advanced by so
// many hours, rounded to milliseconds. 0 means no deadline, and a negative number
// has passed. Hours are far enough apart for the real clock not to matter.
func after(hours int) time.Time {
	if hours == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(hours) * time.Hour)
}

func (w *world) advance(hours int) { w.Advance(uint64(hours) * uint64(time.Hour)) }

// wantLate fails the schedule unless a call moved nothing because of a deadline,
// and ended no earlier than after that many hours.
func (w *world) wantLate(n int, err error, hours int) {
	if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		w.Fail("%d, %v; want the deadline", n, err)
	}
	if now := w.Moment(); hours > 0 && now < uint64(time.Duration(hours)*time.Hour-time.Minute) {
		w.Fail("the call met the deadline of %d hours at time %d", hours, now)
	}
}

func (w *world) want(n int, err error, wantN int, want error) {
	if n != wantN || !errors.Is(err, want) {
		w.Fail("%d, %v; want %d, %v", n, err, wantN, want)
	}
}
