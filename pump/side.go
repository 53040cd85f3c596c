package pump

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/vectored"
	_ "github.com/bytering/bytering/vectored/netbuffers" // for systems without writev
)

// errStopped ends the goroutine of a side at its next call.
var errStopped = errors.New("pump: stopped")

// A side is what the source and the sink have in common: their calls are
// counted, timed, cut to the largest and can be interrupted. See [flow] for the
// steps.
type side struct {
	counters
	meter    *counters // nil if nothing looks on
	maxCall  int
	vectored bool // a call takes more than one slice
	setter   func(time.Time) error
	direct   *direct.File // nil if no call is cut into blocks
	wake     seam.Token

	// Of its goroutine.
	idle   time.Time // since when it is not in a call
	began  time.Time // the call under way
	failed bool      // the last call returned an error

	mu       seam.Mutex
	stopped  bool  // no call begins any more
	pending  int64 // bytes that the call under way was offered, or 0
	buffered error // why it is not direct, or not any more
	over     bool  // it has settled, with
	outcome
	left bool // it is no longer waited for

	// Of the overseer. If the side is left behind, then of its goroutine.
	deadline bool // there is one to be cleared
}

// A status is what a side has come to.
type status struct {
	over bool
	err  error // errExited if it did not return
}

func (s *side) init(cfg config, wake seam.Token) {
	s.maxCall = cfg.maxCall
	s.idle = time.Now()
	s.wake = wake
}

// begin begins a call, unless none may be, and cuts bufs, which the ring made
// for it, to what it is offered.
func (s *side) begin(bufs [][]byte) (cut [][]byte, offered int, err error) {
	if !s.vectored {
		bufs = bufs[:1]
	}
	cut, offered = clip(bufs, s.maxCall)
	if s.direct.Active() {
		n, err := s.direct.Next(offered)
		if err != nil {
			s.failed = true
			return nil, 0, err
		}
		cut, offered = clip(cut, n)
	}
	s.began = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, 0, errStopped
	}
	s.pending = int64(offered)
	return cut, offered, nil
}

// end counts the call that came back with n and an error, and returns them. The
// ring offered more than the call was, so n is checked here.
func (s *side) end(n, offered int, err error) (int, error) {
	now := time.Now()
	busy, waited := now.Sub(s.began), s.began.Sub(s.idle)
	s.idle = now
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = 0
	if s.left {
		return 0, errStopped
	}
	if n < 0 || n > offered {
		bad := fmt.Errorf("%w: %d for %d bytes", bytering.ErrInvalidCount, n, offered)
		n, err = 0, errors.Join(bad, err)
	}
	s.failed = err != nil
	past := 0
	if s.direct != nil {
		past = s.direct.Moved(n)
		s.buffered = s.direct.Why()
	}
	s.add(n, past, busy, waited)
	if s.meter != nil {
		s.meter.add(n, past, busy, waited)
	}
	return n, err
}

// run runs f, the side's function, on its goroutine. A panic of a side that is
// left behind ends the process: nothing else would tell of it.
func (s *side) run(f func() error) {
	err := errExited
	defer func() {
		s.mu.Lock()
		s.over = true
		left := s.left
		if !left {
			s.outcome = outcome{err, recover()}
		}
		s.mu.Unlock()
		seam.Post(s.wake)
		if left {
			s.clear()
		}
	}()
	err = f()
}

// look returns whether the side has settled, and its error.
func (s *side) look() status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return status{s.over, s.err}
}

// stop lets the side begin no further call, and returns what it has come to.
func (s *side) stop() status {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return status{s.over, s.err}
}

// interrupt ends a call under way by a deadline in the past, if there is one.
func (s *side) interrupt() {
	s.mu.Lock()
	calling := s.pending > 0 && !s.over
	s.mu.Unlock()
	if calling && s.setter != nil {
		s.deadline = s.setter(time.Unix(1, 0)) == nil
	}
}

// abandon leaves the side behind unless it has settled, and returns the bytes
// that the call left behind was offered.
func (s *side) abandon() (pending int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return 0
	}
	s.left = true
	return s.pending
}

// clear clears the deadline of interrupt. While the call is under way that would
// let it wait on, so the goroutine of a side that is left behind does this.
func (s *side) clear() {
	if s.deadline {
		s.deadline = false
		s.setter(time.Time{})
	}
}

// stats returns what it has done, in the copy that is over.
func (s *side) stats() SideStats {
	stats := s.counters.stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.Buffered = s.buffered
	return stats
}

// A source reads into the ring. It is a [vectored.Reader] whatever it reads
// from, so that the ring takes its short reads as they come.
type source struct {
	side
	src      io.Reader
	v        vectored.Reader // nil if src has none
	boundary vectored.Boundary
}

func (s *source) init(src io.Reader, cfg config, wake seam.Token) {
	s.side.init(cfg, wake)
	s.src, s.v = src, vectored.ReaderOf(src)
	s.vectored = s.v != nil
	s.boundary = vectored.BoundaryOf(src)
	s.maxCall = max(s.maxCall, s.boundary.Room())
	if !s.vectored && s.boundary != vectored.Stream {
		s.boundary = vectored.Record // with its room in one slice
	}
	if d, ok := src.(interface{ SetReadDeadline(time.Time) error }); ok {
		s.setter = d.SetReadDeadline
	}
	if cfg.meter != nil {
		s.meter = &cfg.meter.source
	}
}

// Boundary tells the ring what room a read needs.
func (s *source) Boundary() vectored.Boundary { return s.boundary }

func (s *source) Readv(bufs [][]byte) (n int, err error) {
	bufs, offered, err := s.begin(bufs)
	if err != nil {
		return 0, err
	}
	if s.v != nil {
		n, err = s.v.Readv(bufs)
		if s.direct.Refused(err) {
			n, err = s.v.Readv(bufs)
		}
	} else {
		n, err = s.src.Read(bufs[0])
	}
	return s.end(n, offered, err)
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

func (s *sink) init(dst io.Writer, cfg config, wake seam.Token) {
	s.side.init(cfg, wake)
	s.dst, s.v = dst, vectored.WriterOf(dst)
	s.vectored = s.v != nil
	if d, ok := dst.(interface{ SetWriteDeadline(time.Time) error }); ok {
		s.setter = d.SetWriteDeadline
	}
	if cfg.meter != nil {
		s.meter = &cfg.meter.sink
	}
}

func (s *sink) Writev(bufs [][]byte) (n int, err error) {
	bufs, offered, err := s.begin(bufs)
	if err != nil {
		return 0, err
	}
	least := offered
	if s.v != nil {
		least = 1
		n, err = s.v.Writev(bufs)
		if s.direct.Refused(err) {
			n, err = s.v.Writev(bufs)
		}
	} else {
		n, err = s.dst.Write(bufs[0])
	}
	if err == nil && n >= 0 && n < least {
		err = io.ErrShortWrite
	}
	return s.end(n, offered, err)
}

// Write is there because a vectored.Writer has it. The ring calls Writev.
func (s *sink) Write(b []byte) (n int, err error) { return s.Writev([][]byte{b}) }

// clip cuts bufs to n bytes, and returns how many they have.
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
