package bytering

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"time"
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
	p.setUp(l, "producer", rng, half, &half.half)
	p.there, p.ends = half.Free, half.ended
	p.randomHalf.target, p.randomHalf.means, p.randomHalf.finish = p.target, p.means, p.finish
	p.short = func(error) bool { return false }
	p.come = func(at uint64) bool {
		slowest, ok := r.slowest()
		return !ok || reached(slowest, at) || half.ended()
	}
	// While the last of several consumers is being closed, no consumer limits the
	// producer. Free is then 0 already, while Err may still be nil.
	p.cut = func() bool { _, ok := r.slowest(); return !ok || half.ended() }
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

// means reports whether err is what the producer or all consumers were closed with.
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
	// Joined errors are in the order in which the ring was made. Reset accepts any
	// order.
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

// moved counts what a call has published: first as much of the spill as had room,
// then n bytes of its own.
func (p *randomProducer) moved(call string, n int) {
	at := p.half.Position()
	first := distance((p.pos+uint64(n))&cursorMask, at)
	if n < 0 || first > p.spilled || n > 0 && first < p.spilled {
		p.fail("%s of %d bytes moves from %d to %d, with %d bytes in the spill", call, n, p.pos, at, p.spilled)
	}
	p.pos, p.spilled = at, p.spilled-first
}

// target returns the least cursor value that a Notify of n bytes waits for.
func (p *randomProducer) target(n int) uint64 {
	if p.spilled > 0 { // any room is of use to the rest of the spill
		n = min(n, 1)
	}
	return p.half.goal(n)
}

// settled counts the bytes of the spill that were published.
func (p *randomProducer) settled() { p.moved("the spill", 0) }

// wrote checks the results of a call that writes n bytes and may wait.
func (p *randomProducer) wrote(call string, n, m int, err error, w *waiting) {
	p.moved(call, m)
	if m > n || m < n && err == nil || m == n && n > 0 && err != nil || !p.allowed(err, w) {
		p.fail("%s of %d bytes is %d, %v", call, n, m, err)
	}
}

// soft returns how Write waits when it has n bytes to write.
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
		p.fail("TryWrite of %d bytes is %d, %v with %d bytes free before", len(b), n, err, least)
	}
}

// A randomSource is a reader of the stream, for ReadFrom.
type randomSource struct {
	p    *randomProducer
	left int
	end  error // returned after the last byte; ErrInvalidCount stands for an invalid count
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
		p.fail("ReadFrom of %d bytes from %d to %d counts %d, with %d bytes in the spill before", s.gave, p.pos, at, m, p.spilled)
	}
	late := err // err without the source's own error, which may be joined to it
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
		p.fail("ReadFrom of %d bytes, then %v, is %d, %v; the reader gave %d bytes, and %d were in the spill", n, s.end, m, err, s.gave, p.spilled)
	}
	p.pos, p.spilled = at, all-m
	if p.half.Err() != nil {
		p.spilled = 0 // the spill is lost
	}
}

// fill writes the first n bytes of the stream to bufs.
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
		return // the slices stay lent
	case 1:
		p.wait() // waits for more
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

// polls waits for space with calls that move nothing.
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

// finish closes the producer, sometimes after it was idle for as long as the other
// goroutines could go on.
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

// A randomConsumer reads the stream.
type randomConsumer struct {
	randomHalf
	half *Consumer
	buf  []byte
	lent [][]byte // what it was handed and may still read
}

func newRandomConsumer(l *life, half *Consumer, name string, rng *rand.Rand) *randomConsumer {
	c := &randomConsumer{half: half}
	r := half.ring
	c.setUp(l, name, rng, half, &half.half)
	c.there, c.target = half.Len, half.goal
	c.randomHalf.means, c.randomHalf.finish = c.means, c.finish
	c.ends = func() bool { return half.closed() || r.producer.cursor.Load()&closed != 0 }
	c.cut = half.closed
	c.short = func(err error) bool { return err == io.ErrUnexpectedEOF && l.p.told(io.EOF, io.EOF) }
	c.come = func(at uint64) bool { return reached(r.producer.cursor.Load(), at) || c.ends() }
	c.common(c.handBack,
		step{"Read", 16, c.read},
		step{"ReadByte", 4, c.readByte},
		step{"TryRead", 8, c.tryRead},
		step{"Peek", 12, c.peek},
		step{"WriteTo", 6, c.writeTo},
		step{"Slices", 10, c.slices},
		step{"Discard", 6, c.discards},
		step{"IOSlices", 10, c.ioSlices},
		step{"polling", 8, c.polls},
		step{"Discard of too much", 1, func() { c.tooMuch(half.Discard) }},
	)
	return c
}

// means reports whether err is what the consumer or the producer was closed with.
func (c *randomConsumer) means(err error) bool {
	return err == io.ErrClosedPipe && c.asked.Load() != 0 || c.p.told(err, io.EOF)
}

// check compares bufs with the stream, starting off bytes after the read cursor.
func (c *randomConsumer) check(call string, off int, bufs ...[]byte) {
	for _, b := range bufs {
		if err := checkStream(b, c.pos+c.salt+uint64(off)); err != nil {
			c.fail("%s, %s: %v", c.name, call, err)
		}
		off += len(b)
	}
}

// handBack is called before a call that may give back what was lent. It checks that
// the bytes stayed as they were.
func (c *randomConsumer) handBack() {
	c.check("what was lent", 0, c.lent...)
	c.lent = nil
}

// moved counts what a call has discarded.
func (c *randomConsumer) moved(call string, n int) {
	c.pos = (c.pos + uint64(n)) & cursorMask
	if at := c.half.Position(); n < 0 || at != c.pos {
		c.fail("%s: %s of %d bytes ends at %d, not %d", c.name, call, n, at, c.pos)
	}
}

// drained fails unless the consumer has read everything up to the producer's end,
// which a call has returned.
func (c *randomConsumer) drained(call string, err error) {
	if err == nil || err == io.ErrClosedPipe && c.asked.Load() != 0 || err == os.ErrDeadlineExceeded {
		return
	}
	if at := c.p.half.Position(); at != c.pos {
		c.fail("%s: %s returns the end, %v, at %d of %d", c.name, call, err, c.pos, at)
	}
}

// room returns a buffer of n bytes.
func (c *randomConsumer) room(n int) []byte {
	if cap(c.buf) < n {
		c.buf = make([]byte, n)
	}
	return c.buf[:n]
}

// took checks the results of a call that reads into b and may wait.
func (c *randomConsumer) took(call string, b []byte, n int, err error, w *waiting) {
	if n < 0 || n > len(b) || n > 0 && err != nil || n == 0 && err == nil && len(b) > 0 && w != nil || !c.allowed(err, w) {
		c.fail("%s: %s of %d bytes is %d, %v", c.name, call, len(b), n, err)
		return
	}
	c.check(call, 0, b[:n])
	c.moved(call, n)
	c.drained(call, err)
}

func (c *randomConsumer) read() { c.readInto(c.room(c.size())) }

func (c *randomConsumer) readInto(b []byte) {
	w := &waiting{need: min(1, len(b)), parks: true}
	n, err := c.call("Read", len(b), w, func() (int, error) { return c.half.Read(b) })
	c.took("Read", b, n, err, w)
}

func (c *randomConsumer) readByte() {
	w := &waiting{need: 1, parks: true}
	b := c.room(1)
	n, err := c.call("ReadByte", 1, w, func() (_ int, err error) {
		if b[0], err = c.half.ReadByte(); err != nil {
			return 0, err
		}
		return 1, nil
	})
	c.took("ReadByte", b, n, err, w)
}

func (c *randomConsumer) tryRead() {
	b := c.room(c.size())
	least := min(c.half.Len(), len(b))
	n, err := c.call("TryRead", len(b), nil, func() (int, error) { return c.half.TryRead(b) })
	if n < least && !c.cut() {
		c.fail("%s: TryRead of %d bytes is %d, %v with %d bytes there before", c.name, len(b), n, err, least)
	}
	c.took("TryRead", b, n, err, nil)
}

func (c *randomConsumer) peek() {
	n := c.need()
	switch c.rng.IntN(20) {
	case 0:
		n = 0
	case 1:
		n = c.half.Cap() + 1
	}
	w := &waiting{need: n, parks: true}
	var b []byte
	_, err := c.call("Peek", n, w, func() (_ int, err error) { b, err = c.half.Peek(n); return len(b), err })
	switch {
	case n > c.half.Cap() && len(b) == 0 && errors.Is(err, ErrRange):
	case err == nil && len(b) == n && cap(b) == n:
	case err != nil && len(b) < n && c.allowed(err, w):
	case n == 0 && len(b) == 0 && c.allowed(err, w):
	default:
		c.fail("%s: Peek(%d) is %d bytes of a capacity of %d, %v", c.name, n, len(b), cap(b), err)
	}
	c.check("Peek", 0, b)
	c.lent = [][]byte{b}
	c.discardSome(len(b))
}

// A randomSink is a writer, for WriteTo.
type randomSink struct {
	c    *randomConsumer
	left int
	end  error // returned after the last byte; ErrInvalidCount stands for an invalid count, io.ErrShortWrite for a short write
	took int
}

func (s *randomSink) Write(b []byte) (int, error) { return s.write(len(b), b) }

// write takes bufs. It may take less with an error, and it takes at most atMost
// bytes for Writev.
func (s *randomSink) write(atMost int, bufs ...[]byte) (int, error) {
	n, err := 0, error(nil)
	for _, b := range bufs {
		s.c.check("WriteTo", s.took+n, b)
		n += len(b)
	}
	all := n
	n = min(n, atMost, s.left)
	s.left -= n
	switch {
	case n == all || n == atMost && n > 0:
	case s.end == ErrInvalidCount:
		s.left += n
		return []int{-1, all + 1}[s.c.rng.IntN(2)], nil
	case s.end == io.ErrShortWrite:
		// A vectored writer may take fewer bytes, but not none.
		if atMost < all && n > 0 {
			break
		}
	default:
		err = s.end
	}
	s.took += n
	if s.c.rng.IntN(8) == 0 {
		s.c.pause()
	}
	return n, err
}

type randomSinkv struct{ randomSink }

func (s *randomSinkv) Writev(bufs [][]byte) (int, error) {
	all := 0
	for _, b := range bufs {
		all += len(b)
	}
	return s.write(1+s.c.rng.IntN(all), bufs...)
}

func (c *randomConsumer) writeTo() {
	s := &randomSinkv{randomSink{c: c, left: c.size(), end: []error{errCallback, errCallback, io.ErrShortWrite, ErrInvalidCount}[c.rng.IntN(4)]}}
	var dst io.Writer = s
	if c.rng.IntN(2) == 0 {
		dst = &s.randomSink
	}
	w := &waiting{need: 1, parks: true}
	n, err := c.call("WriteTo", s.left, w, func() (int, error) {
		n, err := c.half.WriteTo(dst)
		return int(n), err
	})
	lost := 0
	if c.asked.Load() != 0 {
		// The bytes that dst took after the consumer was closed are counted and not
		// discarded.
		lost = distance(c.half.Position(), (c.pos+uint64(s.took))&cursorMask)
	}
	c.moved("WriteTo", s.took-lost)
	switch {
	case n != s.took:
	case err == nil && c.p.told(io.EOF, io.EOF):
		c.drained("WriteTo", io.EOF)
		return
	case errors.Is(err, s.end):
		return
	case err != nil && c.allowed(err, w):
		c.drained("WriteTo", err)
		return
	}
	c.fail("%s: WriteTo is %d, %v; the writer took %d and ends with %v", c.name, n, err, s.took, s.end)
}

func (c *randomConsumer) slices() {
	var a, b []byte
	least := c.half.Len()
	n, _ := c.call("Slices", least, nil, func() (int, error) { a, b = c.half.Slices(); return len(a) + len(b), nil })
	c.offered("Slices", least, a, b)
	c.check("Slices", 0, a, b)
	c.lent = [][]byte{a, b}
	c.discardSome(n)
}

// discardSome gives back some of the n bytes that were handed out, at once, later
// or never.
func (c *randomConsumer) discardSome(n int) {
	switch c.rng.IntN(8) {
	case 0:
		return
	case 1:
		c.wait() // waits for more
	case 2:
		c.rarelyIdle()
	case 3:
		c.pause()
	}
	if c.rng.IntN(6) == 0 {
		n = 0
	}
	c.discard(c.rng.IntN(n + 1))
}

// discards gives back bytes that were not handed out.
func (c *randomConsumer) discards() {
	c.discard(min(c.size(), c.half.Len()))
}

func (c *randomConsumer) discard(n int) {
	c.handBack()
	_, err := c.call("Discard", n, nil, func() (int, error) { return 0, c.half.Discard(n) })
	switch {
	case err == nil:
		c.moved("Discard", n)
	case err == io.ErrClosedPipe && c.asked.Load() != 0:
		c.moved("Discard", 0)
	default:
		c.fail("%s: Discard of %d bytes is %v", c.name, n, err)
	}
}

func (c *randomConsumer) ioSlices() {
	c.moved("IOSlices", c.callback(c.half.IOSlices, func(bufs [][]byte, _ int) { c.check("IOSlices", 0, bufs...) }))
}

// polls waits for bytes with calls that move nothing.
func (c *randomConsumer) polls() {
	need := c.need()
	switch c.rng.IntN(6) {
	default:
		b := c.room(1)
		c.poll("polling TryRead", 1, func() bool {
			n, err := c.half.TryRead(b)
			c.check("TryRead", 0, b[:n])
			c.moved("TryRead", n)
			return n > 0 || err != nil
		})
	case 1:
		c.poll("polling IOSlices", need, func() (enough bool) {
			_, err := c.half.IOSlices(func(_ [][]byte, n int) (int, error) { enough = n >= need; return 0, nil })
			return enough || err != nil || c.ends()
		})
	case 2:
		c.poll("polling Slices", need, func() bool {
			a, b := c.half.Slices()
			return len(a)+len(b) >= need || c.ends()
		})
	case 3:
		c.poll("polling Discard", need, func() bool {
			return c.half.Discard(0) != nil || c.half.Len() >= need || c.ends()
		})
	}
}

// finish reads to the end, or closes the consumer before the end, or first is idle
// for as long as the other goroutines can go on.
func (c *randomConsumer) finish() {
	c.handBack()
	switch c.rng.IntN(4) {
	case 0:
		c.idle()
	case 1:
	default:
		for c.half.Err() == nil {
			if c.deadline.passed() {
				c.setDeadline(time.Time{})
			}
			c.readInto(c.room(1 + c.size()))
		}
	}
	if c.rng.IntN(2) == 0 {
		c.discard(0)
	}
	c.close(c.rng.IntN(len(closeErrors)))
	c.discard(0) // gives back what was lent
}
