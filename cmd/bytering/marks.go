package main

import (
	"errors"
	"math"
	"os"
	"slices"
	"sync"
)

// marks hold the ends back by how full the ring is, so that each moves much at
// once or nothing, as a tape wants. A source that has filled the ring waits until
// no more than low is left; a sink that has emptied it waits until there is high,
// or the source has ended. So one of them always goes on.
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

// left returns how much is left of what was read, for the slowest sink.
func (m *marks) left() int64 { return m.read - min(m.read, slices.Min(m.written)) }

// allow lets what waits for the channel go on.
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
		// A full ring has no more to come for a sink that is faster than another.
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

// A markedSource is a source that marks hold back.
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

// A markedSink is a sink that marks hold back.
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
