package pump

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/bytering/bytering/vectored"
)

// errLeft ends the copying goroutine of a side at its next call.
var errLeft = errors.New("pump: left behind")

// A side is what the source and the sink have in common: their calls are
// counted, timed, cut to the largest and can be interrupted.
type side struct {
	counters
	maxCall int
	meter   *counters // nil if nobody looks on
	setter  func(time.Time) error
	idle    time.Time     // since when it is not in a call
	ended   chan struct{} // closed when its goroutine has
	err     error         // of the goroutine, once that has ended

	mu      sync.Mutex
	stopped bool  // no call is begun any more
	left    bool  // a call that comes back does not count any more
	pending int64 // bytes that the call under way was offered
}

func (s *side) init(cfg config, meter *counters, setter func(time.Time) error) {
	s.maxCall, s.setter, s.meter = cfg.maxCall, setter, meter
	s.idle = time.Now()
	s.ended = make(chan struct{})
}

// run lets f be the goroutine of the side.
func (s *side) run(f func() error) {
	s.err = f()
	close(s.ended)
}

// begin begins a call, unless none may be.
func (s *side) begin(bufs [][]byte) (cut [][]byte, offered int, err error) {
	cut, offered = clip(bufs, s.maxCall)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, 0, errLeft
	}
	s.pending = int64(offered)
	return cut, offered, nil
}

// end counts a call that was begun at a time and came back with n.
func (s *side) end(began time.Time, n, offered int) error {
	now := time.Now()
	busy, waited := now.Sub(began), began.Sub(s.idle)
	s.idle = now
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = 0
	if s.left {
		return errLeft
	}
	if n < 0 || n > offered {
		return nil // nothing that counts; the ring refuses it
	}
	s.add(n, busy, waited)
	if s.meter != nil {
		s.meter.add(n, busy, waited)
	}
	return nil
}

// grace is how long a call that can't be interrupted may take to come back.
const grace = 250 * time.Millisecond

// stop ends the side: it begins no further call, and one that waits is
// interrupted. It returns once the goroutine has ended or is left behind, with
// the bytes that a call left behind was offered.
func (s *side) stop() (pending int64) {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	if s.setter != nil && s.setter(time.Unix(1, 0)) == nil {
		defer s.setter(time.Time{})
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-s.ended:
	case <-timer.C:
		s.mu.Lock()
		s.left = true
		pending = s.pending
		s.mu.Unlock()
	}
	return pending
}

// A source reads into the ring. It is a [vectored.Reader] whatever it reads
// from, so that the ring takes its short reads as they come.
type source struct {
	side
	src io.Reader
	v   vectored.Reader // nil if src has none
}

func newSource(src io.Reader, cfg config) *source {
	s := &source{src: src, v: vectored.ReaderOf(src)}
	var setter func(time.Time) error
	if d, ok := src.(interface{ SetReadDeadline(time.Time) error }); ok {
		setter = d.SetReadDeadline
	}
	var meter *counters
	if cfg.meter != nil {
		meter = &cfg.meter.source
	}
	s.init(cfg, meter, setter)
	return s
}

func (s *source) Readv(bufs [][]byte) (n int, err error) {
	bufs, offered, err := s.begin(bufs)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if s.v != nil {
		n, err = s.v.Readv(bufs)
	} else {
		offered = len(bufs[0])
		n, err = s.src.Read(bufs[0])
	}
	if left := s.end(began, n, offered); left != nil {
		return 0, left
	}
	return n, err
}

// Read is there because a vectored.Reader has it. The ring calls Readv.
func (s *source) Read(b []byte) (int, error) { return s.Readv([][]byte{b}) }

// A sink writes out of the ring. It is a [vectored.Writer] whatever it writes
// to, so that the space of what was written is free at once.
type sink struct {
	side
	dst io.Writer
	v   vectored.Writer // nil if dst has none
}

func newSink(dst io.Writer, cfg config) *sink {
	s := &sink{dst: dst, v: vectored.WriterOf(dst)}
	var setter func(time.Time) error
	if d, ok := dst.(interface{ SetWriteDeadline(time.Time) error }); ok {
		setter = d.SetWriteDeadline
	}
	var meter *counters
	if cfg.meter != nil {
		meter = &cfg.meter.sink
	}
	s.init(cfg, meter, setter)
	return s
}

func (s *sink) Writev(bufs [][]byte) (n int, err error) {
	bufs, offered, err := s.begin(bufs)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if s.v != nil {
		n, err = s.v.Writev(bufs)
	} else {
		offered = len(bufs[0])
		n, err = s.dst.Write(bufs[0])
		if err == nil && n >= 0 && n < offered {
			err = io.ErrShortWrite
		}
	}
	if left := s.end(began, n, offered); left != nil {
		return 0, left
	}
	return n, err
}

// Write is there because a vectored.Writer has it. The ring calls Writev.
func (s *sink) Write(b []byte) (n int, err error) { return s.Writev([][]byte{b}) }

// clip cuts bufs, which the ring made for this call, to n bytes, and returns
// how many they have.
func clip(bufs [][]byte, n int) ([][]byte, int) {
	offered := 0
	for i, b := range bufs {
		if len(b) >= n-offered {
			bufs[i] = b[: n-offered : n-offered]
			return bufs[:i+1], n
		}
		offered += len(b)
	}
	return bufs, offered
}
