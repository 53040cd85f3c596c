package memconn

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/bytering/bytering"
)

// line keeps what two processors write apart. Two lines of 64 bytes, because
// processors fetch them in pairs.
const line = 128

// A stream is one direction of a pair: a ring, and for each of its halves the
// lock that makes it everybody's.
//
// Both sides take small pieces from a slice of the ring that they looked up
// once. That costs less than a Write or a Read of the half, and pays for the
// lock: chunks of 64 bytes took 26 ns in place of 34, with one processor.
type stream struct {
	w    lock
	p    *bytering.Producer
	wy   yielder
	room []byte // empty space that was looked up; w's holder has it

	_ [line]byte

	// What r's holder has. Of the filled space that was looked up, rest is to be
	// read. The bytes before it are given back together, an eighth of the ring
	// at a time, unless the writer is short.
	r     lock
	c     *bytering.Consumer
	rest  []byte
	taken int // bytes before rest that are not discarded yet
	lazy  int // an eighth of the ring
	ry    yielder

	// short is what a writer that is about to park waits for, or 0: waiting and
	// the read cursor that would be enough, or insatiable if one that is far
	// ahead is, and every step there may help. See feed.
	short atomic.Uint64

	_ [line]byte
}

const (
	waiting    = 1 << 63
	insatiable = 1<<64 - 1
)

func newStream(buffer int) *stream {
	p, c, err := bytering.New(buffer)
	if err != nil {
		panic(fmt.Sprintf("memconn: Buffer of %d bytes: %v", buffer, err))
	}
	s := &stream{p: p, c: c, lazy: buffer / 8}
	s.w.init()
	s.r.init()
	return s
}

// write is Producer.Write for many goroutines.
func (s *stream) write(b []byte) (n int, err error) {
	if !s.w.try() {
		if err := s.w.wait(s.p); err != nil {
			return 0, err
		}
	}
	if len(b) <= len(s.room) && s.w.limit.Load() == 0 {
		n = copy(s.room, b)
		s.room = s.room[n:]
		if err = s.p.Commit(n); err != nil {
			n = 0
		}
	} else {
		n, err = s.put(b)
	}
	s.w.unlock()
	return n, err
}

// put is write where the room is not enough, with the lock held.
func (s *stream) put(b []byte) (n int, err error) {
	if len(b) <= s.p.Free() {
		n, err = s.p.Write(b)
	} else {
		want := waiting | (s.p.Position() + uint64(len(b)-s.p.Cap()))
		if len(b) > s.p.Cap()/4 {
			want = insatiable // parks more than once, perhaps
		}
		s.short.Store(want)
		s.feed()
		s.wy.yield(s.p.Free, min(len(b), s.p.Cap()/4))
		n, err = s.p.Write(b)
		s.short.Store(0)
	}
	s.room = nil
	if len(b) < s.lazy && s.w.limit.Load() == 0 {
		s.room, _ = s.p.Slices()
	}
	return n, err
}

// feed gives a writer that is short what was taken, if that is enough for it.
// The writer calls it after it has stored short and before it parks; a reader
// calls it after it has unlocked and found that somebody is short. Either the
// writer gets the lock here, or who has it unlocks after short was stored, and
// finds it. So no writer sleeps while there is room for it.
func (s *stream) feed() {
	for want := s.short.Load(); want != 0 && s.r.seize(); {
		// Cursors are counts modulo 1<<63, without the bit that says waiting.
		ahead := s.c.Position() + uint64(s.taken) - want
		if s.taken > 0 && (want == insatiable || ahead&^waiting < 1<<62) {
			if want != insatiable {
				s.short.CompareAndSwap(want, 0)
			}
			s.c.Discard(s.taken)
			s.taken = 0
		}
		s.r.unlock()
		was := want
		if want = s.short.Load(); want == was {
			return
		}
	}
}

func (s *stream) readFrom(src io.Reader) (int64, error) {
	if !s.w.try() {
		if err := s.w.wait(s.p); err != nil {
			return 0, err
		}
	}
	defer s.w.unlock() // also if src panics
	defer s.short.Store(0)
	s.room = nil
	s.short.Store(insatiable)
	s.feed()
	return s.p.ReadFrom(src)
}

// read is Consumer.Read for many goroutines.
func (s *stream) read(b []byte) (n int, err error) {
	if !s.r.try() {
		if err := s.r.wait(s.c); err != nil {
			return 0, err
		}
	}
	if len(b) < len(s.rest) && s.taken < s.lazy && s.r.limit.Load() == 0 {
		n = copy(b, s.rest)
		s.rest = s.rest[n:]
		s.taken += n
	} else {
		n, err = s.take(b)
	}
	s.r.unlock()
	if s.short.Load() != 0 {
		s.feed()
	}
	return n, err
}

// take is read where the rest is not enough, with the lock held.
func (s *stream) take(b []byte) (int, error) {
	s.settle()
	there := s.c.Len()
	if there == 0 && len(b) > 0 {
		s.ry.yield(s.c.Len, 1)
	}
	n, err := s.c.Read(b)
	if n < there && len(b) < s.lazy && s.r.limit.Load() == 0 {
		s.rest, _ = s.c.Slices()
	}
	return n, err
}

// settle discards what was taken, so that the half is as it seems.
func (s *stream) settle() {
	if s.taken > 0 {
		s.c.Discard(s.taken) // in vain if the half was closed
	}
	s.taken, s.rest = 0, nil
}

func (s *stream) writeTo(dst io.Writer) (int64, error) {
	if !s.r.try() {
		if err := s.r.wait(s.c); err != nil {
			return 0, err
		}
	}
	defer s.r.unlock() // also if dst panics
	s.settle()
	return s.c.WriteTo(dst)
}

// closeWrite and closeRead end a half. A write is in vain after either; reads
// go on after closeWrite, until nothing is left. Those who wait for a turn to
// read need not know: the holder is in the ring, which tells it, or has bytes
// that are not read yet.
func (s *stream) closeWrite() {
	s.p.Close()
	s.w.end()
}

func (s *stream) closeRead() {
	s.c.Close()
	s.r.end()
	s.w.end()
}
