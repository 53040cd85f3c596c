package pump

import (
	"errors"
	"fmt"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/internal/seam"
	_ "github.com/bytering/bytering/vectored/netbuffers" // for systems without writev
)

var (
	// errStopped ends the goroutine of a side at its next call.
	errStopped = errors.New("pump: stopped")
	// errSettled ends the goroutine of a side that has settled.
	errSettled = errors.New("pump: settled")
	// errStream comes with a read that shows that a pipe is not one of packets.
	errStream = errors.New("pump: a stream")
)

// A side is what the source and the sink have in common. It counts their calls,
// measures their time, cuts them to the largest size and interrupts them. See
// [flow] for the steps.
type side struct {
	counters
	meter    *counters // nil if there is no Meter
	maxCall  int
	vectored bool // a call takes more than one slice
	setter   func(time.Time) error
	direct   direct.File
	wake     seam.Token

	// Of its goroutine.
	idle   time.Time // when the last call ended
	began  time.Time // the call under way
	failed bool      // the last call returned an error

	mu       seam.Mutex
	stopped  bool  // no further call begins
	pending  int64 // bytes that the call under way was offered, or 0
	buffered error // why it is not direct, with Direct
	over     bool  // it has settled: it has no goroutine
	outcome        // of the goroutine that it had
	left     bool  // it is no longer waited for

	// Of the overseer. If the side is left behind, then of its goroutine.
	deadline bool // there is one to be cleared
}

// A status is the state of a side.
type status struct {
	over bool
	err  error // errExited if it did not return
}

func (s *side) init(cfg config, wake seam.Token) {
	s.maxCall = cfg.maxCall
	s.idle = time.Now()
	s.wake = wake
}

// atMost returns the most that any call is offered.
func (s *side) atMost() int { return min(s.maxCall, largestCall) }

// largest returns the most that a call is offered of a ring: half of it, so that
// both sides can work at the same time.
func (s *side) largest(capacity int) int { return max(1, min(s.atMost(), capacity/2)) }

// cut cuts bufs, which the ring made for the call, to at most n bytes. It also
// returns how many bytes are left.
func (s *side) cut(bufs [][]byte, n int) (cut [][]byte, offered int, err error) {
	if !s.vectored {
		bufs = bufs[:1]
	}
	cut, offered = clip(bufs, n)
	if n, err = s.direct.Next(offered); err != nil {
		s.failed = true
		return nil, 0, err
	}
	cut, offered = clip(cut, n)
	return cut, offered, nil
}

// begin begins a call that is offered that many bytes, or another attempt of
// the call. After stop it returns an error.
func (s *side) begin(offered int) error {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	if s.pending == 0 {
		s.began = now
	}
	s.pending = int64(offered)
	return nil
}

// end counts the call that returned n and err, and returns them. The ring has
// offered more bytes than the call got, so n is checked here.
func (s *side) end(n, offered int, err error) (int, error) {
	busy, waited := s.elapsed()
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
	past := s.direct.Moved(n)
	s.buffered = s.direct.Why()
	s.count(n, past, busy, waited)
	return n, err
}

// elapsed returns the times of the call that has just ended and before it.
func (s *side) elapsed() (busy, waited time.Duration) {
	now := time.Now()
	busy, waited = now.Sub(s.began), s.began.Sub(s.idle)
	s.idle = now
	return busy, waited
}

func (s *side) count(n, direct int, busy, waited time.Duration) {
	s.add(n, direct, busy, waited)
	if s.meter != nil {
		s.meter.add(n, direct, busy, waited)
	}
}

// run runs f, the side's function, on its goroutine. A panic of a side that is
// left behind ends the process: nothing else would report it.
func (s *side) run(f func() error) {
	err := errExited
	defer func() {
		if err == errSettled {
			return
		}
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

// look returns the state of the side.
func (s *side) look() status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return status{s.over, s.err}
}

// stop keeps the side from beginning another call, and returns its state.
func (s *side) stop() status {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return status{s.over, s.err}
}

// interrupt ends a running call with a deadline in the past, if the end has
// deadlines.
func (s *side) interrupt() {
	s.mu.Lock()
	calling := s.pending > 0 && s.err == nil // not if it has panicked
	s.mu.Unlock()
	if calling && s.setter != nil {
		s.deadline = s.setter(time.Unix(1, 0)) == nil
	}
}

// isLeft reports whether the side was left behind.
func (s *side) isLeft() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

// clear clears the deadline of interrupt. A running call would then wait again.
// So if the side is left behind, its goroutine does this.
func (s *side) clear() {
	if s.deadline {
		s.deadline = false
		s.setter(time.Time{})
	}
}

// stats returns what the side has done. The copy is over.
func (s *side) stats() SideStats {
	stats := s.counters.stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.Buffered = s.buffered
	return stats
}

// closeDirect restores the flag of the file. It returns err, or the error of
// that if err is nil.
func (s *side) closeDirect(err error) error {
	if failed := s.direct.Close(); failed != nil && err == nil {
		return failed
	}
	return err
}
