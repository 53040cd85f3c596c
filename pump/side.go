package pump

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/vectored"
	_ "github.com/bytering/bytering/vectored/netbuffers" // for systems without writev
)

// errLeft ends the copying goroutine of a side at its next call.
var errLeft = errors.New("pump: left behind")

// A side is what the source and the sink have in common: their calls are
// counted, timed, cut to the largest and can be interrupted.
type side struct {
	*task
	counters
	meter    *counters // nil if nobody looks on
	maxCall  int
	vectored bool // a call takes more than one slice
	setter   func(time.Time) error
	direct   *direct.File // nil if no call is cut into blocks

	// Of its goroutine.
	idle  time.Time // since when it is not in a call
	began time.Time // the call under way

	// Under mu.
	stopped  bool  // no call is begun any more
	pending  int64 // bytes that the call under way was offered
	buffered error // why it is not direct, or not any more
}

func (s *side) init(cfg config) {
	s.task = newTask()
	s.maxCall = cfg.maxCall
	s.idle = time.Now()
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
			return nil, 0, err
		}
		cut, offered = clip(cut, n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, 0, errLeft
	}
	s.pending = int64(offered)
	s.began = time.Now()
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
		return 0, errLeft
	}
	if n < 0 || n > offered {
		bad := fmt.Errorf("%w: %d for %d bytes", bytering.ErrInvalidCount, n, offered)
		n, err = 0, errors.Join(bad, err)
	}
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

// stats returns what it has done, in the copy that is over.
func (s *side) stats() SideStats {
	stats := s.counters.stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.Buffered = s.buffered
	return stats
}

// grace is how long a call that can't be interrupted may take to come back. It
// is counted in ticks, so that it is not over when a process or machine goes on
// that was halted meanwhile.
const (
	grace = ticks * tick
	ticks = 10
	tick  = 25 * time.Millisecond
)

// stop ends the side: it begins no further call, and one that waits is
// interrupted. It returns once the goroutine has ended or is left behind, with
// the bytes that a call left behind was offered.
func (s *side) stop() (pending int64) {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	select {
	case <-s.ended:
		return 0 // and no deadline is touched
	default:
	}
	if s.setter != nil && s.setter(time.Unix(1, 0)) == nil {
		// Not before the call is back: it would go on to wait.
		defer func() {
			if s.left {
				go s.clear()
			} else {
				s.clear()
			}
		}()
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for range ticks {
		select {
		case <-s.ended:
			return 0
		case <-ticker.C:
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = !s.over
	return s.pending
}

// clear clears the deadline once the goroutine has ended.
func (s *side) clear() {
	<-s.ended
	s.setter(time.Time{})
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
	s.init(cfg)
	s.vectored = s.v != nil
	if d, ok := src.(interface{ SetReadDeadline(time.Time) error }); ok {
		s.setter = d.SetReadDeadline
	}
	if cfg.meter != nil {
		s.meter = &cfg.meter.source
	}
	return s
}

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

func newSink(dst io.Writer, cfg config) *sink {
	s := &sink{dst: dst, v: vectored.WriterOf(dst)}
	s.init(cfg)
	s.vectored = s.v != nil
	if d, ok := dst.(interface{ SetWriteDeadline(time.Time) error }); ok {
		s.setter = d.SetWriteDeadline
	}
	if cfg.meter != nil {
		s.meter = &cfg.meter.sink
	}
	return s
}

func (s *sink) Writev(bufs [][]byte) (n int, err error) {
	bufs, offered, err := s.begin(bufs)
	if err != nil {
		return 0, err
	}
	if s.v != nil {
		n, err = s.v.Writev(bufs)
		if s.direct.Refused(err) {
			n, err = s.v.Writev(bufs)
		}
	} else {
		n, err = s.dst.Write(bufs[0])
		if err == nil && n >= 0 && n < offered {
			err = io.ErrShortWrite
		}
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
