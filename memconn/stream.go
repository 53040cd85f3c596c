package memconn

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/bytering/bytering"
)

// line keeps what two processors write apart. Two lines of 64 bytes, because
// processors fetch them in pairs.
const line = 128

// A stream is one direction of a pair: a ring, and for each of its halves the
// lock that lets many goroutines use it in turns.
type stream struct {
	w    lock
	p    *bytering.Producer
	free int // at least so many bytes, as last seen; below 1 for not known
	wy   yielder

	_ [line]byte

	r     lock
	c     *bytering.Consumer
	there int // at least so many bytes, as last seen; below 1 for not known
	ry    yielder

	_ [line]byte
}

func newStream(buffer int) *stream {
	p, c, err := bytering.New(buffer)
	if err != nil {
		panic(fmt.Sprintf("memconn: Buffer of %d bytes: %v", buffer, err))
	}
	s := &stream{p: p, c: c}
	s.w.init()
	s.r.init()
	return s
}

// write is Producer.Write for many goroutines.
func (s *stream) write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, s.w.check(s.p)
	}
	if err := s.w.lock(s.p); err != nil {
		return 0, err
	}
	defer s.w.unlock() // also if b can't be read
	return s.put(b)
}

var errTooLong = errors.New("memconn: Writev of more bytes than an int counts")

// writev is a write of all of bufs in one turn.
func (s *stream) writev(bufs [][]byte) (n int, err error) {
	for _, b := range bufs {
		if n += len(b); n < 0 {
			return 0, errTooLong
		}
	}
	if n == 0 {
		return 0, nil
	}
	if err := s.w.lock(s.p); err != nil {
		return 0, err
	}
	defer s.w.unlock()
	n = 0
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		m, err := s.put(b)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// put writes b inside a turn. It yields first if it would park.
func (s *stream) put(b []byte) (int, error) {
	if len(b) > s.free {
		if s.free = s.p.Free(); len(b) > s.free {
			s.wy.yield(s.p.Free, min(len(b), s.p.Cap()/4))
		}
	}
	n, err := s.p.Write(b)
	s.free -= n
	return n, err
}

func (s *stream) readFrom(src io.Reader) (int64, error) {
	if err := s.w.lock(s.p); err != nil {
		return 0, err
	}
	defer s.w.unlock() // also if src panics
	s.free = 0
	return s.p.ReadFrom(src)
}

// read is Consumer.Read for many goroutines.
func (s *stream) read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, s.r.check(s.c)
	}
	if err := s.r.lock(s.c); err != nil {
		return 0, err
	}
	defer s.r.unlock() // also if b can't be written
	return s.get(b)
}

// readv is a read into bufs, one after the other, in one turn.
func (s *stream) readv(bufs [][]byte) (n int, err error) {
	if !slices.ContainsFunc(bufs, func(b []byte) bool { return len(b) > 0 }) {
		return 0, nil
	}
	if err := s.r.lock(s.c); err != nil {
		return 0, err
	}
	defer s.r.unlock()
	for _, b := range bufs {
		var m int
		switch {
		case len(b) == 0:
			continue
		case n == 0:
			if m, err = s.get(b); err != nil {
				return 0, err
			}
		default:
			// An error is final, so the next call returns it.
			m, _ = s.c.TryRead(b)
			s.there -= m
		}
		if n += m; m < len(b) {
			break
		}
	}
	return n, nil
}

// get reads into b inside a turn. It yields first if it would park.
func (s *stream) get(b []byte) (int, error) {
	if s.there < 1 {
		if s.there = s.c.Len(); s.there < 1 {
			s.ry.yield(s.c.Len, 1)
		}
	}
	n, err := s.c.Read(b)
	s.there -= n
	return n, err
}

func (s *stream) writeTo(dst io.Writer) (int64, error) {
	if err := s.r.lock(s.c); err == io.EOF {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	defer s.r.unlock() // also if dst panics
	s.there = 0
	return s.c.WriteTo(dst)
}

// closeWrite and closeRead end a half, and then make the goroutines that wait
// for a turn at either look again.
func (s *stream) closeWrite() {
	s.p.Close()
	s.wake()
}

func (s *stream) closeRead() {
	s.c.Close()
	s.wake()
}

func (s *stream) wake() {
	wake(s.w.turn)
	wake(s.r.turn)
}
