package main

import (
	"errors"
	"math"
	"os"
	"slices"
	"sync"
)

// marks delay the ends depending on how full the ring is, so that each end moves
// much at once or nothing, as suits a tape. A source that has filled the ring
// waits until at most low bytes are left. A sink that has emptied it waits until
// high bytes are there, or the source has ended. So at least one of them can
// always continue.
type marks struct {
	capacity, low, high int64

	mu      sync.Mutex
	ended   bool
	read    int64           // bytes that the source gave
	written []int64         // bytes that each sink took
	resume  chan struct{}   // closed while the source may go on
	start   []chan struct{} // closed while that sink may go on
}

func newMarks(capacity, sinks, startAbove, resumeBelow int) *marks {
	part := func(percent int) int64 { return int64(capacity) * int64(percent) / 100 }
	m := &marks{
		capacity: int64(capacity), low: part(resumeBelow), high: max(1, part(startAbove)),
		written: make([]int64, sinks), resume: make(chan struct{}),
	}
	close(m.resume)
	for range sinks {
		m.start = append(m.start, make(chan struct{}))
	}
	return m
}

// left returns how many of the bytes that were read the slowest sink has yet to
// write.
func (m *marks) left() int64 { return m.read - min(m.read, slices.Min(m.written)) }

// allow closes c, so that whatever waits for it continues.
func allow(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// hasRead is called when n bytes more were read, or the source has ended.
func (m *marks) hasRead(n int, ended bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = ended
	m.read += int64(n)
	full := m.left() >= m.capacity
	for i, c := range m.start {
		// While the ring is full, nothing more comes for a sink that is faster than another.
		if ended || full || m.read-m.written[i] >= m.high {
			allow(c)
		}
	}
	if full && m.low < m.capacity {
		m.resume = make(chan struct{})
	}
}

// hasWritten is called when a sink has written n bytes more.
func (m *marks) hasWritten(sink, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written[sink] += int64(n)
	if m.read == m.written[sink] && !m.ended {
		m.start[sink] = make(chan struct{})
	}
	if m.left() <= m.low {
		allow(m.resume)
	}
}

// gone is called when a sink takes no more.
func (m *marks) gone(sink int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written[sink] = math.MaxInt64
	if m.left() <= m.low {
		allow(m.resume)
	}
}

// A markedSource is a source that marks delay.
type markedSource struct {
	*layer
	m *marks
}

func (s *markedSource) Readv(bufs [][]byte) (int, error) {
	s.m.mu.Lock()
	resume := s.m.resume
	s.m.mu.Unlock()
	if err := s.wait(resume); err != nil {
		return 0, err
	}
	n, err := s.readv(bufs)
	s.m.hasRead(n, err != nil && !errors.Is(err, os.ErrDeadlineExceeded))
	return n, err
}

func (s *markedSource) Read(b []byte) (int, error) { return readOne(s, b) }

// A markedSink is a sink that marks delay.
type markedSink struct {
	*layer
	m    *marks
	sink int
}

func (s *markedSink) Writev(bufs [][]byte) (int, error) {
	s.m.mu.Lock()
	start := s.m.start[s.sink]
	s.m.mu.Unlock()
	if err := s.wait(start); err != nil {
		return 0, err
	}
	n, err := s.writev(bufs)
	s.m.hasWritten(s.sink, n)
	return n, err
}

func (s *markedSink) Write(b []byte) (int, error) { return writeAll(s, b) }
