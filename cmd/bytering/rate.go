package main

import (
	"io"
	"math"
	"time"

	"github.com/bytering/bytering/vectored"
	"golang.org/x/time/rate"
)

const (
	// quantum is the time whose bytes a limited end moves in one call.
	quantum = 20 * time.Millisecond
	// credit is the time whose bytes an end may be late by and make up for. So
	// a busy machine does not slow it down, and an end that has stalled
	// continues at the rate.
	credit = 50 * time.Millisecond
)

// A paced is an end whose rate is limited. A call moves what is there, up to
// the bytes of a quantum. The next call waits for as long as those bytes take
// at the rate.
type paced struct {
	*layer
	most  int // bytes that a call is offered
	limit *rate.Limiter
	next  time.Time // when the next call may begin

	// A source whose messages are larger than a quantum's worth is read into
	// buffer, and rest is what is left there.
	buffer, rest []byte
	err          error // what comes after the rest
}

// newPaced limits an end to that many bytes a second. A call may move least
// bytes even if a quantum has fewer.
func newPaced(end any, bytes int64, least int) *paced {
	worth := func(d time.Duration) int { return int(min(float64(bytes)*d.Seconds(), math.MaxInt32)) }
	most := max(least, worth(quantum))
	return &paced{layer: around(end), most: most, limit: rate.NewLimiter(rate.Limit(bytes), max(most, worth(credit)))}
}

// paceReader limits the rate of reads of r, unless the rate is 0.
func paceReader(r io.Reader, bytes int64) io.Reader {
	if bytes == 0 {
		return r
	}
	p := newPaced(r, bytes, 1)
	if room := vectored.BoundaryOf(r).Room(); room > p.most {
		p.buffer = make([]byte, room)
	}
	return p
}

// paceWriter limits the rate of writes to w, unless the rate is 0. A call may
// write a whole block.
func paceWriter(w io.Writer, bytes int64, block int) io.Writer {
	if bytes == 0 {
		return w
	}
	return newPaced(w, bytes, max(1, block))
}

// held returns the writer of the sink, with the limits of its rate and of the
// time that a write may take.
func (s *stream) held(k *sink) io.Writer {
	after := s.patience(k.end)
	name := func() string { return k.name }
	return paceWriter(timeWriter(k.writer(), after, s.stalled("write", name, after)), s.writeRate, s.whole)
}

// Boundary returns where one read ends.
func (p *paced) Boundary() vectored.Boundary {
	if p.buffer != nil {
		return vectored.Stream
	}
	return p.layer.Boundary()
}

func (p *paced) Readv(bufs [][]byte) (n int, err error) {
	if err := p.await(); err != nil {
		return 0, err
	}
	bufs = cut(bufs, int64(p.most))
	if p.buffer == nil {
		n, err = p.readv(bufs)
	} else {
		n, err = p.readPart(bufs[0])
	}
	p.pay(n)
	return n, err
}

// readPart reads the next part of a message.
func (p *paced) readPart(b []byte) (n int, err error) {
	if len(p.rest) == 0 {
		n, p.err = p.readv([][]byte{p.buffer})
		p.rest = p.buffer[:n]
	}
	n = copy(b, p.rest)
	if p.rest = p.rest[n:]; len(p.rest) == 0 {
		err = p.err
	}
	return n, err
}

func (p *paced) Writev(bufs [][]byte) (int, error) {
	if err := p.await(); err != nil {
		return 0, err
	}
	n, err := p.writev(cut(bufs, int64(p.most)))
	p.pay(n)
	return n, err
}

// pay delays the next call by the time that n bytes take.
func (p *paced) pay(n int) {
	now := time.Now()
	p.next = now.Add(p.limit.ReserveN(now, n).DelayFrom(now))
}

// await blocks until the next call may begin or the deadline passes.
func (p *paced) await() error {
	d := time.Until(p.next)
	if d <= 0 {
		return nil
	}
	ready := make(chan struct{})
	defer time.AfterFunc(d, func() { close(ready) }).Stop()
	return p.wait(ready)
}

func (p *paced) Read(b []byte) (int, error) { return readOne(p, b) }

func (p *paced) Write(b []byte) (int, error) { return writeAll(p, b) }
