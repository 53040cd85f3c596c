package memconn

import (
	"io"
	"os"

	"github.com/bytering/bytering"
)

// line keeps what two processors write apart. Two lines of 64 bytes, because
// processors fetch them in pairs.
const line = 128

// A stream is one direction of a pair: a ring, and for each of its halves the
// lock that makes it everybody's.
type stream struct {
	w lock
	p *bytering.Producer

	_ [line]byte

	r lock
	c *bytering.Consumer
	// Those that hold r take small pieces from rest, the part of the filled
	// space that was looked at last, and give them back together: a small Read
	// is then a copy and the lock.
	rest  []byte
	taken int  // bytes before rest that are not discarded yet
	more  bool // the last read left something, as far as it saw
	lazy  int  // how much taken may be: an eighth of the ring

	_ [line]byte
}

func newStream(buffer int) *stream {
	p, c, err := bytering.New(buffer)
	if err != nil {
		panic("memconn: " + err.Error())
	}
	s := &stream{p: p, c: c, lazy: buffer / 8}
	s.w.init()
	s.r.init()
	return s
}

// write is Producer.Write for many goroutines.
func (s *stream) write(b []byte) (int, error) {
	if !s.w.try() {
		if err := s.w.wait(s.p); err != nil {
			return 0, err
		}
	}
	n, err := s.p.Write(b)
	s.w.unlock()
	return n, err
}

func (s *stream) readFrom(src io.Reader) (int64, error) {
	if !s.w.try() {
		if err := s.w.wait(s.p); err != nil {
			return 0, err
		}
	}
	defer s.w.unlock() // also if src panics
	return s.p.ReadFrom(src)
}

// read is Consumer.Read for many goroutines.
func (s *stream) read(b []byte) (int, error) {
	if !s.r.try() {
		if err := s.r.wait(s.c); err != nil {
			return 0, err
		}
	}
	n, err := s.take(b)
	s.r.unlock()
	return n, err
}

// take is read with the lock held.
func (s *stream) take(b []byte) (int, error) {
	if len(b) >= s.lazy {
		s.settle()
		return s.c.Read(b)
	}
	if len(s.rest) == 0 {
		if s.more {
			s.rest, _ = s.c.Slices()
		}
		if len(s.rest) == 0 {
			n, err := s.c.Read(b)
			s.more = n == len(b)
			return n, err
		}
	}
	if s.r.limit.Load() != 0 && s.r.late() {
		if err := s.c.Err(); err != nil {
			return 0, err
		}
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	s.taken += n
	switch {
	case len(s.rest) == 0:
		s.settle()
		if n < len(b) { // the wrap, or what came meanwhile
			m, _ := s.c.TryRead(b[n:])
			n += m
			s.more = n == len(b)
		}
	case s.taken >= s.lazy:
		s.c.Discard(s.taken) // in vain if the half was closed
		s.taken = 0
	}
	return n, nil
}

// settle discards what was taken, so that the half is as it seems.
func (s *stream) settle() {
	if s.taken > 0 {
		s.c.Discard(s.taken)
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

// closeWrite and closeRead end a half. Those who wait for the other half may
// have reason to give up as well.
func (s *stream) closeWrite() {
	s.p.Close()
	s.w.end()
	s.r.wake()
}

func (s *stream) closeRead() {
	s.c.Close()
	s.r.end()
	s.w.wake()
}
