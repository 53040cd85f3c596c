package main

import (
	"io"
	"sync"

	"github.com/bytering/bytering"
)

// marks hold an end back by how full the ring is, so that it moves much at once
// or nothing, as a tape wants. A source that has filled the ring waits until no
// more than low is left; a sink that has emptied it waits until there is high,
// or the source has ended. So one of them always goes on.
type marks struct {
	p         *bytering.Producer
	low, high int

	mu    sync.Mutex
	ended bool
	comes int             // bytes that were read and may not be in the ring yet
	read  chan struct{}   // closed while the source may go on
	write []chan struct{} // closed while that sink may go on
}

func newMarks(p *bytering.Producer, sinks, startAbove, resumeBelow int) *marks {
	part := func(percent int) int { return int(int64(p.Cap()) * int64(percent) / 100) }
	m := &marks{p: p, low: part(resumeBelow), high: max(1, part(startAbove)), read: make(chan struct{})}
	close(m.read)
	for range sinks {
		m.write = append(m.write, make(chan struct{}))
	}
	return m
}

// fill returns how much the ring holds for the slowest sink, or is about to.
func (m *marks) fill() int { return m.p.Cap() - m.p.Free() + m.comes }

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
	m.ended, m.comes = ended, n
	if m.fill() >= m.high || ended {
		for _, c := range m.write {
			allow(c)
		}
	}
	if m.fill() >= m.p.Cap() && m.low < m.p.Cap() {
		m.read = make(chan struct{})
	}
}

// hasWritten is called when a sink has written n bytes, of those that it had left
// in the ring.
func (m *marks) hasWritten(sink, n, left int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fill()-n <= m.low {
		allow(m.read)
	}
	if left <= n && m.fill()-n < m.high && !m.ended {
		m.write[sink] = make(chan struct{})
	}
}

// mayRead is called before each read, when the ring has the bytes of the last one.
func (m *marks) mayRead() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.comes = 0
	return m.read
}

func (m *marks) mayWrite(sink int) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write[sink]
}

// A markedSource is a source that marks hold back.
type markedSource struct {
	*layer
	m *marks
}

func (m *marks) source(r io.Reader) *markedSource { return &markedSource{around(r), m} }

func (s *markedSource) Readv(bufs [][]byte) (int, error) {
	if err := s.wait(s.m.mayRead()); err != nil {
		return 0, err
	}
	n, err := s.readv(bufs)
	s.m.hasRead(n, err != nil)
	return n, err
}

func (s *markedSource) Read(b []byte) (int, error) { return readOne(s, b) }

// A markedSink is a sink that marks hold back.
type markedSink struct {
	*layer
	m    *marks
	c    *bytering.Consumer
	sink int
}

func (m *marks) sink(w io.Writer, c *bytering.Consumer, sink int) *markedSink {
	return &markedSink{around(w), m, c, sink}
}

func (s *markedSink) Writev(bufs [][]byte) (int, error) {
	if err := s.wait(s.m.mayWrite(s.sink)); err != nil {
		return 0, err
	}
	n, err := s.writev(bufs)
	s.m.hasWritten(s.sink, n, s.c.Len())
	return n, err
}

func (s *markedSink) Write(b []byte) (int, error) { return writeAll(s, b) }
