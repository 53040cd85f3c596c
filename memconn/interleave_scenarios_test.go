//go:build interleave

package memconn

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/bytering/bytering/internal/interleave"
)

func scenarios() (all []scenario) {
	add := func(bound int, run func(*interleave.T), name string, args ...any) {
		all = append(all, scenario{fmt.Sprintf(name, args...), bound, run})
	}
	add(3, turns(3, 1), "turns/3")
	add(3, turns(2, 2), "turns/2/twice")
	for _, s := range sides {
		for _, hours := range [][]int{{-1}, {5}, {20, 5}, {5, 20}, {0, 5}} {
			add(2, deadline(s, 1, hours...), "deadline/%s/%d", s.name, hours)
		}
		add(1, deadline(s, 2, 5), "deadline/%s/two-waiters", s.name)
		add(1, deadline(s, 2, 5, 20), "deadline/%s/two-waiters-put-off", s.name)
		add(2, deadlineAgain(s), "deadline/%s/again", s.name)
		add(2, putOff(s, 0), "deadline/%s/cleared", s.name)
		add(2, putOff(s, 90), "deadline/%s/put-off", s.name)
		add(1, stranded(s), "deadline/%s/one-of-two-leaves", s.name)
		add(1, alarmOfAll(s), "deadline/%s/one-of-two-has-the-turn", s.name)
		add(2, setters(s, 5, 0), "setters/%s/one-clears", s.name)
		add(2, setters(s, 5, 90), "setters/%s/two-deadlines", s.name)
		add(2, endsWait(s, 1, (*Conn).Close, true, net.ErrClosed), "end/%s/close", s.name)
		add(1, endsWait(s, 2, (*Conn).Close, true, net.ErrClosed), "end/%s/close-two-waiters", s.name)
		add(2, endsWait(s, 1, s.shut, true, s.gone), "end/%s/half-close", s.name)
		add(2, endsWait(s, 1, s.peer, false, s.left), "end/%s/peer-half-closes", s.name)
		add(2, endsWait(s, 1, (*Conn).Close, false, s.left), "end/%s/peer-closes", s.name)
		add(2, emptyBeside(s), "empty/%s", s.name)
	}
	add(2, answerToClose, "close/answered")
	add(2, closeTwice, "close/twice")
	add(2, closeWhileStuck, "close/stuck-outside")
	add(1, whole, "whole-writes")
	add(1, shared, "shared-reads")
	return all
}

// turns has n goroutines take turns at something that belongs to one at a time.
func turns(n, times int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		l, h := sides[0].lock(w.a)
		mine := 0
		for i := range n {
			w.Go(fmt.Sprint("taker ", i), func() {
				for range times {
					if err := l.lock(h); err != nil {
						w.Fail("lock: %v", err)
					}
					interleave.Owned(&mine)
					mine++
					l.unlock()
				}
			})
		}
		w.Final(func() error {
			if mine != n*times {
				return fmt.Errorf("%d turns", mine)
			}
			return nil
		})
	}
}

// deadline sets one deadline after the other, the last of which ends n calls
// that wait for a turn.
func deadline(s side, n int, hours ...int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		last := hours[len(hours)-1]
		for i, done := range w.held(s, n) {
			w.Go(fmt.Sprint("waiter ", i), func() {
				m, err := s.call(w.a)
				w.wantLate(m, err, last)
				done.Post()
			})
		}
		w.Go("setter", func() {
			for _, at := range hours {
				s.set(w.a, after(at))
			}
			w.advance(max(last, 0) + 1)
		})
	}
}

// deadlineAgain lets a second deadline pass after the first.
func deadlineAgain(s side) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		s.set(w.a, after(5))
		again := new(interleave.Token)
		done := w.held(s, 1)[0]
		w.Go("waiter", func() {
			n, err := s.call(w.a)
			w.wantLate(n, err, 5)
			s.set(w.a, after(5))
			again.Post()
			n, err = s.call(w.a)
			w.wantLate(n, err, 11)
			done.Post()
		})
		w.Go("clock", func() {
			w.advance(6)
			again.Take(nil)
			w.advance(6)
		})
	}
}

// putOff sets another deadline before the first has passed, which then must
// not end the wait.
func putOff(s side, hours int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		s.set(w.a, after(5))
		s.pass(w)
		done := w.held(s, 1)[0]
		w.Go("waiter", func() { n, err := s.call(w.a); w.want(n, err, 1, nil) })
		w.Go("setter", func() {
			s.set(w.a, after(hours))
			w.advance(10)
			done.Post()
		})
	}
}

// stranded has a deadline pass and go away, so that of two waiters none, one or
// both leave. One that stays must get its turn.
func stranded(s side) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 2)
		s.pass(w)
		s.pass(w)
		s.set(w.a, after(5))
		w.held(s, 0)
		for i := range 2 {
			w.Go(fmt.Sprint("waiter ", i), func() {
				if n, err := s.call(w.a); n != 1 || err != nil {
					w.wantLate(n, err, 5)
				}
			})
		}
		w.Go("clock", func() { w.advance(6); s.set(w.a, after(0)) })
	}
}

// alarmOfAll lets one of two waiters have its turn until the deadline has ended
// the wait of the other.
func alarmOfAll(s side) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		l, h := s.lock(w.a)
		s.set(w.a, after(5))
		w.held(s, 0)
		var late [2]interleave.Token
		for i := range late {
			w.Go(fmt.Sprint("waiter ", i), func() {
				if err := l.lock(h); err != nil {
					w.wantLate(0, err, 5)
					late[i].Post()
					return
				}
				late[1-i].Take(nil)
				l.unlock()
			})
		}
		w.Go("clock", func() { w.advance(6) })
	}
}

// setters sets two deadlines at once. The lock and the ring must be left with
// the same.
func setters(s side, first, second int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		l, h := s.lock(w.a)
		w.Go("first", func() { s.set(w.a, after(first)) })
		w.Go("second", func() { s.set(w.a, after(second)) })
		w.Final(func() error {
			w.advance(10)
			ours := l.ended(h)
			if ring := h.(interface {
				Wait(context.Context, int) error
			}).Wait(context.Background(), 0); ours != ring {
				return fmt.Errorf("the lock says %v, the ring %v", ours, ring)
			}
			return nil
		})
	}
}

// endsWait has n calls wait for a turn, and closes something.
func endsWait(s side, n int, end func(*Conn) error, own bool, want error) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		for i, done := range w.held(s, n) {
			w.Go(fmt.Sprint("waiter ", i), func() {
				m, err := s.call(w.a)
				w.want(m, err, 0, want)
				done.Post()
			})
		}
		w.Go("closer", func() {
			c := w.b
			if own {
				c = w.a
			}
			if err := end(c); err != nil {
				w.Fail("close: %v", err)
			}
		})
	}
}

// emptyBeside calls with nothing while another goroutine has the turn.
func emptyBeside(s side) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		done := w.held(s, 1)[0]
		w.Go("empty", func() {
			n, err := w.a.Read(nil)
			w.want(n, err, 0, nil)
			n, err = w.a.Write(nil)
			w.want(n, err, 0, nil)
			n, err = w.a.Readv([][]byte{nil, {}})
			w.want(n, err, 0, nil)
			n, err = w.a.Writev([][]byte{nil, {}})
			w.want(n, err, 0, nil)
			done.Post()
		})
		w.Go("other", func() { s.pass(w); n, err := s.call(w.a); w.want(n, err, 1, nil) })
	}
}

// answerToClose has the peer write because it saw a Close. The closed end must
// not read that.
func answerToClose(t *interleave.T) {
	w := pairOf(t, 1)
	w.Go("reader", func() {
		n, err := w.a.Read(make([]byte, 1))
		w.want(n, err, 0, net.ErrClosed)
	})
	w.Go("closer", func() { w.a.Close() })
	w.Go("peer", func() {
		n, err := w.b.Read(make([]byte, 1))
		w.want(n, err, 0, io.EOF)
		n, err = w.b.Write([]byte{1})
		w.want(n, err, 0, io.ErrClosedPipe)
	})
}

// closeTwice closes an end from two sides. After either Close it is closed.
func closeTwice(t *interleave.T) {
	w := pairOf(t, 1)
	w.b.Write([]byte{1})
	for i := range 2 {
		w.Go(fmt.Sprint("closer ", i), func() {
			w.a.Close()
			n, err := w.a.Read(make([]byte, 1))
			w.want(n, err, 0, net.ErrClosed)
			n, err = w.b.Write([]byte{1})
			w.want(n, err, 0, io.ErrClosedPipe)
			n, err = w.b.Read(make([]byte, 1))
			w.want(n, err, 0, io.EOF)
		})
	}
}

// closeWhileStuck closes an end with a call in a foreign Read, and another behind
// it.
func closeWhileStuck(t *interleave.T) {
	w := pairOf(t, 1)
	in, out := new(interleave.Token), new(interleave.Token)
	w.Go("holder", func() {
		n, err := w.a.ReadFrom(readerFunc(func([]byte) (int, error) {
			in.Post()
			out.Take(nil)
			return 1, io.EOF
		}))
		w.want(int(n), err, 0, net.ErrClosed) // what came after the Close is lost
		in.Post()                             // if the Close came before all
	})
	w.Go("waiter", func() {
		in.Take(nil)
		n, err := w.a.Write([]byte{1})
		w.want(n, err, 0, net.ErrClosed)
		out.Post()
	})
	w.Go("closer", func() { w.a.Close() })
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// whole has two goroutines write more than the ring holds.
func whole(t *interleave.T) {
	w := pairOf(t, 1)
	w.Go("writer", func() { n, err := w.a.Write([]byte{1, 2}); w.want(n, err, 2, nil) })
	w.Go("vectors", func() { n, err := w.a.Writev([][]byte{{3}, nil, {4}}); w.want(n, err, 2, nil) })
	w.Go("reader", func() {
		got := make([]byte, 4)
		for i := range got {
			n, err := w.b.Read(got[i : i+1])
			w.want(n, err, 1, nil)
		}
		if s := fmt.Sprint(got); s != "[1 2 3 4]" && s != "[3 4 1 2]" {
			w.Fail("mixed: %s", s)
		}
	})
}

// shared has two goroutines read what one writes, each read without a gap.
func shared(t *interleave.T) {
	w := pairOf(t, 3)
	w.a.Write([]byte{1})
	var sum, bytes int
	for i := range 2 {
		w.Go(fmt.Sprint("reader ", i), func() {
			for {
				b := make([]byte, 3)
				n, err := w.b.Readv([][]byte{b[:2], nil, b[2:]})
				for _, v := range b[:n] {
					sum += int(v)
				}
				bytes += n
				if err != nil {
					w.want(n, err, 0, io.EOF)
					return
				}
			}
		})
	}
	w.Go("writer", func() {
		n, err := w.a.Write([]byte{2, 4})
		w.want(n, err, 2, nil)
		w.a.Close()
	})
	w.Final(func() error {
		if sum != 7 || bytes != 3 {
			return fmt.Errorf("%d bytes of sum %d were read", bytes, sum)
		}
		return nil
	})
}
