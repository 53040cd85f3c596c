//go:build interleave

package memconn

import (
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
			add(2, deadline(s, 2, hours...), "deadline/%s/%d", s.name, hours)
		}
		add(2, deadline(s, 3, 5), "deadline/%s/three", s.name)
		add(2, deadlineAgain(s), "deadline/%s/again", s.name)
		add(2, putOff(s, 0), "deadline/%s/cleared", s.name)
		add(2, putOff(s, 90), "deadline/%s/put-off", s.name)
		add(2, stranded(s), "deadline/%s/one-of-two-leaves", s.name)
		add(2, endsWait(s, 2, (*Conn).Close, true, net.ErrClosed), "end/%s/close", s.name)
		add(1, endsWait(s, 3, (*Conn).Close, true, net.ErrClosed), "end/%s/close-three", s.name)
		add(2, endsWait(s, 2, s.shut, true, s.gone), "end/%s/half-close", s.name)
		add(2, endsWait(s, 2, s.peer, false, s.left), "end/%s/peer-half-closes", s.name)
		add(2, endsWait(s, 2, (*Conn).Close, false, s.left), "end/%s/peer-closes", s.name)
		add(2, emptyBeside(s), "empty/%s", s.name)
	}
	add(2, answerToClose, "close/answered")
	add(2, closeTwice, "close/twice")
	add(1, whole, "whole-writes")
	add(2, shared(2, 0, 1), "shared-reads/two")
	add(2, shared(1, 0, 1, 1), "shared-reads/three")
	return all
}

// turns has n goroutines take turns at what belongs to one goroutine at a time, and
// one more goroutine that takes a turn only if it is free.
func turns(n, times int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 1)
		l := &w.a.writing
		mine, want := 0, n*times
		use := func() {
			interleave.Owned(&mine)
			mine++
			l.unlock()
		}
		for i := range n {
			w.Go(fmt.Sprint("taker ", i), func() {
				for range times {
					l.lock()
					use()
				}
			})
		}
		w.Go("trier", func() {
			if l.tryLock() {
				want++
				use()
			}
		})
		w.Final(func() error {
			if mine != want {
				return fmt.Errorf("%d turns, want %d", mine, want)
			}
			return nil
		})
	}
}

// stalled returns a world in which no call of the side gets its byte.
func stalled(t *interleave.T, s side) *world {
	w := pairOf(t, 1)
	s.stall(w)
	return w
}

// deadline sets one deadline after the other. The last one ends n calls: one that
// waits in the ring, and others that wait for their turn.
func deadline(s side, n int, hours ...int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := stalled(t, s)
		last := hours[len(hours)-1]
		for i := range n {
			w.Go(fmt.Sprint("caller ", i), func() {
				m, err := s.call(w.a)
				w.wantLate(m, err, last)
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
		w := stalled(t, s)
		s.set(w.a, after(5))
		late := make([]interleave.Token, 2)
		for i := range late {
			w.Go(fmt.Sprint("caller ", i), func() {
				n, err := s.call(w.a)
				w.wantLate(n, err, 5)
				late[i].Post()
			})
		}
		w.Go("clock", func() {
			w.advance(6)
			for i := range late {
				late[i].Take(nil)
			}
			s.set(w.a, after(5))
			w.Go("caller again", func() {
				n, err := s.call(w.a)
				w.wantLate(n, err, 11)
			})
			w.advance(6)
		})
	}
}

// putOff sets another deadline before the first has passed. The first must not end
// the calls.
func putOff(s side, hours int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := stalled(t, s)
		s.set(w.a, after(5))
		for i := range 2 {
			w.Go(fmt.Sprint("caller ", i), func() { n, err := s.call(w.a); w.want(n, err, 1, nil) })
		}
		w.Go("setter", func() {
			s.set(w.a, after(hours))
			w.advance(10)
			s.pass(w)
			s.pass(w)
		})
	}
}

// stranded has a deadline pass and then removes it, so that of two calls none, one
// or both end. A call that goes on must get its byte, and so must later calls.
func stranded(s side) func(*interleave.T) {
	return func(t *interleave.T) {
		w := stalled(t, s)
		s.set(w.a, after(5))
		cleared := make([]interleave.Token, 2)
		for i := range cleared {
			w.Go(fmt.Sprint("caller ", i), func() {
				n, err := s.call(w.a)
				if err != nil {
					w.wantLate(n, err, 5)
					cleared[i].Take(nil)
					n, err = s.call(w.a)
				}
				w.want(n, err, 1, nil)
			})
		}
		w.Go("clock", func() {
			w.advance(6)
			s.set(w.a, after(0))
			for i := range cleared {
				cleared[i].Post()
			}
			s.pass(w)
			s.pass(w)
		})
	}
}

// endsWait has n calls wait, one in the ring and the others for their turn, and
// then closes something.
func endsWait(s side, n int, end func(*Conn) error, own bool, want error) func(*interleave.T) {
	return func(t *interleave.T) {
		w := stalled(t, s)
		for i := range n {
			w.Go(fmt.Sprint("caller ", i), func() {
				m, err := s.call(w.a)
				w.want(m, err, 0, want)
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

// emptyBeside makes empty calls while another goroutine has the turn.
func emptyBeside(s side) func(*interleave.T) {
	return func(t *interleave.T) {
		w := stalled(t, s)
		w.Go("caller", func() { n, err := s.call(w.a); w.want(n, err, 1, nil) })
		w.Go("empty", func() {
			n, err := w.a.Read(nil)
			w.want(n, err, 0, nil)
			n, err = w.a.Write(nil)
			w.want(n, err, 0, nil)
			n, err = w.a.Readv([][]byte{nil, {}})
			w.want(n, err, 0, nil)
			n, err = w.a.Writev([][]byte{nil, {}})
			w.want(n, err, 0, nil)
			s.pass(w)
		})
	}
}

// answerToClose has the peer write after it saw a Close. The closed end must not
// read that.
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

// closeTwice closes an end from two goroutines. It is closed after either Close.
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

// whole has two goroutines write more than the ring holds. The reader closes as
// soon as it has all of it.
func whole(t *interleave.T) {
	w := pairOf(t, 1)
	w.Go("writer", func() { n, err := w.a.Write([]byte{1, 2}); w.want(n, err, 2, nil) })
	w.Go("vectors", func() { n, err := w.a.Writev([][]byte{{3}, nil, {4}, nil}); w.want(n, err, 2, nil) })
	w.Go("reader", func() {
		got := make([]byte, 4)
		for i := range got {
			n, err := w.b.Read(got[i : i+1])
			w.want(n, err, 1, nil)
		}
		if s := fmt.Sprint(got); s != "[1 2 3 4]" && s != "[3 4 1 2]" {
			w.Fail("mixed: %s", s)
		}
		w.b.Close()
	})
}

// shared has two goroutines read what one writes, into slices of these sizes. Each
// read must have no gap.
func shared(sizes ...int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := pairOf(t, 3)
		w.a.Write([]byte{1})
		var sum, bytes int
		for i := range 2 {
			w.Go(fmt.Sprint("reader ", i), func() {
				for {
					b := make([]byte, 3)
					var bufs [][]byte
					at := 0
					for _, n := range sizes {
						bufs = append(bufs, b[at:at+n])
						at += n
					}
					n, err := w.b.Readv(bufs)
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
}
