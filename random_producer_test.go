//go:build !interleave

package bytering

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
)

// A randomProducer writes the stream.
type randomProducer struct {
	randomHalf
	half *Producer
	buf  []byte
}

func newRandomProducer(l *life, half *Producer, rng *rand.Rand) *randomProducer {
	p := &randomProducer{half: half}
	r := half.ring
	p.randomHalf = randomHalf{life: l, name: "producer", rng: rng, end: half, nudged: make(chan struct{}, 1), pos: half.Position(),
		there: half.Free, target: p.target, ends: half.ended, means: p.means, deadlines: half.SetWriteDeadline,
		finish: p.finish, deadline: &r.producer.deadline}
	p.short = func(error) bool { return false }
	p.come = func(at uint64) bool {
		slowest, ok := r.slowest()
		return !ok || reached(slowest, at) || half.ended()
	}
	// While the last of several consumers is being closed none limits, so that
	// Free is 0 already, and Err may be nil still.
	p.cut = func() bool { _, ok := r.slowest(); return !ok || half.ended() }
	p.state = func() string {
		return fmt.Sprintf("write %#x, target %#x, note %v, hold %d", r.producer.cursor.Load(), r.producer.target.Load(), r.producer.target.note.Load(), r.producer.hold.Load())
	}
	p.common(p.settled,
		step{"Write", 16, p.write},
		step{"WriteString", 4, p.writeString},
		step{"WriteByte", 6, p.writeByte},
		step{"TryWrite", 8, p.tryWrite},
		step{"ReadFrom", 8, p.readFrom},
		step{"Slices", 10, p.slices},
		step{"IOSlices", 10, p.ioSlices},
		step{"polling", 6, p.polls},
		step{"Commit of too much", 1, func() { p.tooMuch(half.Commit) }},
	)
	return p
}

// means reports whether err is what the producer or all consumers were closed
// with.
func (p *randomProducer) means(err error) bool {
	if err == io.ErrClosedPipe && p.asked.Load() != 0 {
		return true
	}
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	if len(errs) != len(p.cs) && err != io.ErrClosedPipe {
		return false
	}
	// The order is that in which the ring was made, and Reset takes any.
	for _, c := range p.cs {
		if c.asked.Load() == 0 {
			return false
		}
	}
	for _, err := range errs {
		any := false
		for _, c := range p.cs {
			any = any || c.told(err, io.ErrClosedPipe)
		}
		if !any {
			return false
		}
	}
	return true
}

// next returns the next n bytes of the stream.
func (p *randomProducer) next(n int) []byte {
	if cap(p.buf) < n {
		p.buf = make([]byte, n)
	}
	b := p.buf[:n]
	fillStream(b, p.pos+uint64(p.spilled)+p.salt)
	return b
}

// moved counts what a call has published: n bytes of its own, and before them
// whatever was in the spill and had room.
func (p *randomProducer) moved(call string, n int) {
	at := p.half.Position()
	first := distance((p.pos+uint64(n))&cursorMask, at)
	if n < 0 || first > p.spilled || n > 0 && first < p.spilled {
		p.fail("%s of %d bytes goes from %d to %d, with %d in the spill", call, n, p.pos, at, p.spilled)
	}
	p.pos, p.spilled = at, p.spilled-first
}

// target is what a Notify of n bytes waits for, at least.
func (p *randomProducer) target(n int) uint64 {
	if p.spilled > 0 { // any room is of use to what is left of it
		n = min(n, 1)
	}
	return p.half.goal(n)
}

// settled counts what was published of the spill.
func (p *randomProducer) settled() { p.moved("the spill", 0) }

// wrote checks what a call returned that writes n bytes and may wait.
func (p *randomProducer) wrote(call string, n, m int, err error, w *waiting) {
	p.moved(call, m)
	if m > n || m < n && err == nil || m == n && n > 0 && err != nil || !p.allowed(err, w) {
		p.fail("%s of %d bytes is %d, %v", call, n, m, err)
	}
}

// soft is how Write waits with n bytes to write.
func (p *randomProducer) soft(n int) *waiting {
	return &waiting{soft: true, until: (p.pos + uint64(p.spilled+n)) & cursorMask, known: true, parks: true}
}

func (p *randomProducer) write() {
	b := p.next(p.size())
	w := p.soft(len(b))
	n, err := p.call("Write", len(b), w, func() (int, error) { return p.half.Write(b) })
	p.wrote("Write", len(b), n, err, w)
}

func (p *randomProducer) writeString() {
	s := string(p.next(p.size()))
	w := p.soft(len(s))
	n, err := p.call("WriteString", len(s), w, func() (int, error) { return p.half.WriteString(s) })
	p.wrote("WriteString", len(s), n, err, w)
}

func (p *randomProducer) writeByte() {
	b, w := p.next(1)[0], p.soft(1)
	n, err := p.call("WriteByte", 1, w, func() (int, error) {
		if err := p.half.WriteByte(b); err != nil {
			return 0, err
		}
		return 1, nil
	})
	p.wrote("WriteByte", 1, n, err, w)
}

func (p *randomProducer) tryWrite() {
	b := p.next(p.size())
	least := min(p.half.Free(), len(b))
	n, err := p.call("TryWrite", len(b), nil, func() (int, error) { return p.half.TryWrite(b) })
	p.moved("TryWrite", n)
	if n > len(b) || !p.allowed(err, nil) || n < least && !p.cut() {
		p.fail("TryWrite of %d bytes is %d, %v with %d free before", len(b), n, err, least)
	}
}

// A randomSource is a plain reader of the stream, for ReadFrom.
type randomSource struct {
	p    *randomProducer
	left int
	end  error // at last; ErrInvalidCount is a count that is none
	gave int
}

func (s *randomSource) Read(b []byte) (int, error) { return s.Readv([][]byte{b}) }

func (s *randomSource) Readv(bufs [][]byte) (int, error) {
	rng, room := s.p.rng, 0
	for _, b := range bufs {
		room += len(b)
	}
	switch {
	case s.left == 0 && s.end == ErrInvalidCount:
		return []int{-1, room + 1}[rng.IntN(2)], nil
	case s.left == 0:
		return 0, s.end
	case room == 0 || rng.IntN(8) == 0:
		return 0, nil
	}
	n := 1 + rng.IntN(min(s.left, room))
	for i, k := 0, 0; k < n; i++ {
		b := bufs[i][:min(len(bufs[i]), n-k)]
		fillStream(b, s.p.pos+s.p.salt+uint64(s.p.spilled+s.gave+k))
		k += len(b)
	}
	s.gave += n
	s.left -= n
	if rng.IntN(8) == 0 {
		s.p.pause()
	}
	if s.left == 0 && s.end != ErrInvalidCount && rng.IntN(2) == 0 {
		return n, s.end
	}
	return n, nil
}

func (p *randomProducer) readFrom() {
	n := p.size()
	s := &randomSource{p: p, left: n, end: []error{io.EOF, io.EOF, errCallback, ErrInvalidCount}[p.rng.IntN(4)]}
	var src io.Reader = s
	if p.rng.IntN(2) == 0 {
		src = readerFunc(s.Read)
	}
	w := &waiting{soft: true, parks: true}
	m, err := p.call("ReadFrom", n, w, func() (int, error) {
		m, err := p.half.ReadFrom(src)
		return int(m), err
	})
	all := p.spilled + s.gave
	at := p.half.Position()
	if m != distance(p.pos, at) || m > all {
		p.fail("ReadFrom of %d bytes from %d to %d counts %d, with %d in the spill before", s.gave, p.pos, at, m, p.spilled)
	}
	late := err // without the source's own error, which comes beside it
	if both, ok := err.(interface{ Unwrap() []error }); ok && s.left == 0 && m < all {
		if errs := both.Unwrap(); len(errs) == 2 && errors.Is(errs[1], s.end) {
			late = errs[0]
		}
	}
	switch {
	case err == nil && s.end == io.EOF && s.left == 0 && m == all:
	case errors.Is(err, s.end) && s.left == 0 && m == all:
	case late != nil && p.means(late):
	case late == os.ErrDeadlineExceeded && p.allowed(late, w):
	default:
		p.fail("ReadFrom of %d bytes, %v is %d, %v; the reader gave %d, and %d were in the spill", n, s.end, m, err, s.gave, p.spilled)
	}
	p.pos, p.spilled = at, all-m
	if p.half.Err() != nil {
		p.spilled = 0 // is lost
	}
}

// fill writes the first n bytes of the stream to what is free.
func (p *randomProducer) fill(bufs [][]byte, n int) {
	p.settled()
	copied := 0
	for _, b := range bufs {
		b = b[:min(len(b), n-copied)]
		fillStream(b, p.pos+p.salt+uint64(copied))
		copied += len(b)
	}
}

func (p *randomProducer) slices() {
	var a, b []byte
	least := p.half.Free()
	n, _ := p.call("Slices", least, nil, func() (int, error) { a, b = p.half.Slices(); return len(a) + len(b), nil })
	p.offered("Slices", least, a, b)
	switch p.rng.IntN(8) {
	case 0:
		return // lent for longer
	case 1:
		p.wait() // for more
	case 2:
		p.rarelyIdle()
	}
	k := p.rng.IntN(n + 1)
	if p.rng.IntN(6) == 0 {
		k = 0
	}
	p.fill([][]byte{a, b}, k)
	if p.rng.IntN(4) == 0 {
		p.pause()
	}
	p.commit(k)
}

func (p *randomProducer) commit(n int) {
	_, err := p.call("Commit", n, nil, func() (int, error) { return 0, p.half.Commit(n) })
	switch {
	case err == nil:
		p.moved("Commit", n)
	case err == io.ErrClosedPipe && p.asked.Load() != 0:
		p.moved("Commit", 0)
	default:
		p.fail("Commit of %d bytes is %v", n, err)
	}
}

func (p *randomProducer) ioSlices() {
	p.moved("IOSlices", p.callback(p.half.IOSlices, p.fill))
}

// polls waits with calls that move nothing until there is space.
func (p *randomProducer) polls() {
	need := p.need()
	switch p.rng.IntN(3) {
	case 0:
		b := p.next(1)
		p.poll("polling TryWrite", 1, func() bool {
			n, err := p.half.TryWrite(b)
			p.moved("TryWrite", n)
			return n > 0 || err != nil
		})
	case 1:
		p.poll("polling IOSlices", need, func() (enough bool) {
			_, err := p.half.IOSlices(func(_ [][]byte, n int) (int, error) { enough = n >= need; return 0, nil })
			return enough || err != nil
		})
	case 2:
		p.poll("polling Slices", need, func() bool {
			a, b := p.half.Slices()
			return len(a)+len(b) >= need || p.half.Err() != nil
		})
	}
}

// finish closes the producer, or is idle for as long as the others can go on.
func (p *randomProducer) finish() {
	if p.rng.IntN(4) == 0 {
		p.idle()
	}
	if p.rng.IntN(2) == 0 {
		p.commit(0)
	}
	p.close(p.rng.IntN(len(closeErrors)))
	p.commit(0) // gives back what was lent
}
