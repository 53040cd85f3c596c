package bytering

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// A tape is fuzz input, read as small numbers. After its end it gives zeros.
type tape []byte

func (t *tape) next() int {
	if len(*t) == 0 {
		return 0
	}
	n := int((*t)[0])
	*t = (*t)[1:]
	return n
}

// count reads a number of bytes, most often one that is near the size of a small
// ring.
func (t *tape) count(capacity int) int { return t.next() % (capacity + 3) }

// outcome reads what a callback returns when it is offered n bytes.
func (t *tape) outcome(n int) (int, error) {
	k := t.next()
	err := error(nil)
	if k >= 128 {
		err = errTest
	}
	return k%128%(n+4) - 1, err // sometimes -1 or above n
}

// Inputs whose first byte is mirroredFrom or more use a mirrored ring.
const mirroredFrom = 228

// open reads a capacity and the cursors' starting point, and makes the ring.
func (t *tape) open(tb testing.TB, consumers int) (*Producer, []*Consumer, uint64) {
	first := t.next()
	capacity := first%19 + 1
	begin := (1<<63 - uint64(t.next()%64)) & cursorMask
	if first >= mirroredFrom && consumers == 0 && len(layouts()) > 1 {
		p, c := pair(tb, 1, Mirror(), startAt(begin))
		done(tb, p, c)
		return p, []*Consumer{c}, begin
	}
	if consumers > 0 {
		p, cs := cast(tb, capacity, consumers, startAt(begin))
		return p, cs, begin
	}
	p, c := pair(tb, capacity, startAt(begin))
	return p, []*Consumer{c}, begin
}

// A model is what a ring promises to one consumer, in terms of a bytes.Buffer.
type model struct {
	tb          testing.TB
	p           *Producer
	c           *Consumer
	begin       uint64
	wrote, read int
	buf         bytes.Buffer
	perr, cerr  error // what the halves were closed with
	pnote       noted
	cnote       noted
}

// A noted is what a half has asked Notify for.
type noted struct {
	armed bool
	at    int // how many bytes the other half must have moved
	ran   int
}

// crowd makes a large ring behave like a small one: it is nearly full, and its
// cursors are near the end of the memory.
func (m *model) crowd() {
	size := m.p.Cap()
	mustMove(m.tb, m.p, m.c, size-5)
	m.wrote, m.read = size-5, size-5
	fill(m.tb, m.p, size-16)
	m.buf.Write(stream(m.c.Position(), size-16))
	m.wrote += size - 16
}

// step arms for n bytes, of which some are there already, or disarms.
func (x *noted) step(m *model, h notifier, n, there, moved int) string {
	m.tb.Helper()
	over := m.perr != nil || m.cerr != nil
	if n > m.p.Cap() {
		if got := h.Disarm(); got != x.armed {
			m.tb.Fatalf("Disarm is %t, want %t", got, x.armed)
		}
		x.armed = false
		return "Disarm"
	}
	*x = noted{armed: n > there && !over, at: moved + n - there}
	if got := h.Notify(n, func() { x.ran++ }); got != x.armed {
		m.tb.Fatalf("Notify(%d) is %t with %d bytes there, after the end: %t", n, got, there, over)
	}
	return "Notify"
}

// check fails the test unless the function has run exactly when it must.
func (x *noted) check(m *model, op string, moved int) {
	m.tb.Helper()
	want := 0
	if x.armed && (moved >= x.at || m.perr != nil || m.cerr != nil) {
		want = 1
	}
	if x.ran != want {
		m.tb.Fatalf("Notify's function ran %d times, want %d, after %s", x.ran, want, op)
	}
	if want == 1 {
		*x = noted{}
	}
}

func (m *model) free() int { return m.p.Cap() - m.buf.Len() }

// producerErr and consumerErr are the errors that the model expects of the halves.
func (m *model) producerErr() error {
	if m.perr != nil {
		return io.ErrClosedPipe
	}
	return m.cerr
}

func (m *model) consumerErr() error {
	if m.cerr != nil {
		return io.ErrClosedPipe
	}
	if m.buf.Len() == 0 {
		return m.perr
	}
	return nil
}

// put and get compare what a call did with what the model expects, and update the
// model.
func (m *model) put(op string, b []byte, n int, err error, wantN int, wantErr error) {
	m.tb.Helper()
	m.same(op, n, err, wantN, wantErr)
	m.buf.Write(b[:wantN])
	m.wrote += wantN
}

func (m *model) get(op string, b []byte, n int, err error, wantN int, wantErr error) {
	m.tb.Helper()
	m.same(op, n, err, wantN, wantErr)
	if wanted := m.buf.Next(wantN); !bytes.Equal(b[:n], wanted) {
		m.tb.Fatalf("%s gets %x, want %x", op, b[:n], wanted)
	}
	m.read += wantN
}

func (m *model) same(op string, n int, err error, wantN int, wantErr error) {
	m.tb.Helper()
	if n != wantN || !is(err, wantErr) {
		m.tb.Fatalf("%s = %d, %v; want %d, %v (capacity %d, %d there)", op, n, err, wantN, wantErr, m.p.Cap(), m.buf.Len())
	}
}

// check compares everything that can be seen from outside.
func (m *model) check(op string) {
	m.tb.Helper()
	state(m.tb, m.p, m.c, m.buf.Len(), m.producerErr(), m.consumerErr())
	if r, w := m.c.Position(), m.p.Position(); r != (m.begin+uint64(m.read))&cursorMask || w != (m.begin+uint64(m.wrote))&cursorMask {
		m.tb.Errorf("positions %d and %d, want %d and %d after %d", r, w, m.read, m.wrote, m.begin)
	}
	m.pnote.check(m, op, m.read)
	m.cnote.check(m, op, m.wrote)
	if m.tb.Failed() {
		m.tb.Fatalf("... after %s", op)
	}
}

// next returns the next n bytes of the stream to write.
func (m *model) next(n int) []byte { return stream(uint64(m.wrote), n) }

// whenOpen returns n and nil, or 0 and err if err is not nil.
func whenOpen(n int, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return n, nil
}

// judge returns what a call must return after a callback returned k and kerr.
func judge(k int, kerr error, offered int, err error) (int, error) {
	switch {
	case err != nil:
		return 0, err
	case k < 0 || k > offered:
		return 0, ErrInvalidCount
	}
	return k, kerr
}

// producerStep does one operation of the producer and returns its name.
func (m *model) producerStep(in *tape) string {
	p, err, free := m.p, m.producerErr(), m.free()
	n := in.count(p.Cap())
	b := m.next(n)
	fits, _ := whenOpen(min(n, free), err)
	switch in.next() % 10 {
	case 0:
		got, gotErr := p.TryWrite(b)
		m.put("TryWrite", b, got, gotErr, fits, err)
		return "TryWrite"
	case 1: // a longer write would park
		b = b[:min(n, free)]
		got, gotErr := p.Write(b)
		m.put("Write", b, got, gotErr, fits, err)
		return "Write"
	case 2:
		if free > 0 || err != nil {
			one, _ := whenOpen(1, err)
			gotErr := p.WriteByte(m.next(1)[0])
			m.put("WriteByte", m.next(1), one, gotErr, one, err)
		}
		return "WriteByte"
	case 3:
		a, z := p.Slices()
		offered, _ := whenOpen(free, err)
		m.same("Slices", len(a)+len(z), nil, offered, nil)
		fillTwo(a, z, m.next(offered))
		k := in.count(p.Cap())
		if m.perr != nil {
			m.same("Commit", 0, p.Commit(k), 0, io.ErrClosedPipe)
		} else if k > offered {
			panics(m.tb, "Commit", func() { p.Commit(k) })
		} else {
			m.put("Commit", m.next(k), k, p.Commit(k), k, nil)
		}
		if m.perr == nil {
			panics(m.tb, "Commit", func() { p.Commit(offered + 1) })
		}
		p.Commit(0)
		return "Slices and Commit"
	case 4:
		k, kerr := in.outcome(free)
		wantN, wantErr := judge(k, kerr, free, err)
		got, gotErr := p.IOSlices(func(bufs [][]byte, offered int) (int, error) {
			m.same("IOSlices", offered, nil, free, err)
			two := append(bufs[:len(bufs):len(bufs)], nil, nil)
			fillTwo(two[0], two[1], m.next(free))
			return k, kerr
		})
		m.put("IOSlices", m.next(wantN), got, gotErr, wantN, wantErr)
		return "IOSlices"
	case 5:
		panics(m.tb, "Commit", func() { p.Commit(-1 - n) })
		if m.perr == nil {
			panics(m.tb, "Commit", func() { p.Commit(1 + n) })
		}
		return "Commit that panics"
	case 6: // a longer source would park
		b = b[:min(n, free)]
		fits, _ = whenOpen(len(b), err)
		if m.perr == nil && m.buf.Len() == 0 && len(b) == 0 {
			err = nil // all bytes were taken, and the source has ended
		}
		got, gotErr := p.ReadFrom(bytes.NewReader(b))
		m.put("ReadFrom", b, int(got), gotErr, fits, err)
		return "ReadFrom"
	case 7:
		wantErr := errTest
		switch {
		case n > p.Cap():
			wantErr = ErrRange
		case n == 0 || m.perr != nil:
			wantErr = err
		case n <= free && err == nil:
			wantErr = nil
		case err != nil:
			wantErr = err
		}
		if wantErr == errTest {
			m.pnote = noted{} // a call that parks takes the note away
		}
		m.same("Wait", 0, p.Wait(ended(), n), 0, wantErr)
		return "Wait"
	case 8:
		return m.pnote.step(m, p, n, free, m.read)
	}
	return m.closeStep(in, n, p.Close, p.CloseWithError, &m.perr, io.EOF)
}

// closeStep closes a half, which it does seldom.
func (m *model) closeStep(in *tape, n int, plain func() error, with func(error) error, said *error, end error) string {
	switch in.next() % 8 {
	case 0:
		m.same("Close", 0, plain(), 0, nil)
	case 1:
		err := errors.Join(errTest, context.Canceled)
		m.same("CloseWithError", 0, with(err), 0, nil)
		end = errTest
	default:
		return "nothing"
	}
	*said = or(*said, end)
	return "Close"
}

func fillTwo(a, b, from []byte) { copy(b, from[copy(a, from):]) }

// consumerStep does one operation of the consumer and returns its name.
func (m *model) consumerStep(in *tape) string {
	c, err, there := m.c, m.consumerErr(), m.buf.Len()
	n := in.count(c.Cap())
	b := make([]byte, n)
	gets, _ := whenOpen(min(n, there), err)
	switch in.next() % 10 {
	case 0:
		got, gotErr := c.TryRead(b)
		m.get("TryRead", b, got, gotErr, gets, err)
		return "TryRead"
	case 1:
		if there > 0 || err != nil || n == 0 {
			got, gotErr := c.Read(b)
			m.get("Read", b, got, gotErr, gets, err)
		}
		return "Read"
	case 2:
		if there > 0 || err != nil {
			one, _ := whenOpen(1, err)
			v, gotErr := c.ReadByte()
			m.get("ReadByte", []byte{v}, one, gotErr, one, err)
		}
		return "ReadByte"
	case 3:
		a, z := c.Slices()
		offered, _ := whenOpen(there, err)
		all := append(bytes.Clone(a), z...)
		m.same("Slices", len(all), nil, offered, nil)
		k := in.count(c.Cap())
		if m.cerr != nil {
			m.same("Discard", 0, c.Discard(k), 0, io.ErrClosedPipe)
		} else if k > there {
			panics(m.tb, "Discard", func() { c.Discard(k) })
		} else {
			m.get("Discard", all, k, c.Discard(k), k, nil)
		}
		return "Slices and Discard"
	case 4:
		k, kerr := in.outcome(there)
		wantN, wantErr := judge(k, kerr, there, err)
		var all []byte
		got, gotErr := c.IOSlices(func(bufs [][]byte, offered int) (int, error) {
			m.same("IOSlices", offered, nil, there, err)
			all = bytes.Join(bufs, nil)
			return k, kerr
		})
		m.get("IOSlices", all, got, gotErr, wantN, wantErr)
		return "IOSlices"
	case 5:
		panics(m.tb, "Discard", func() { c.Discard(-1 - n) })
		if m.cerr == nil {
			panics(m.tb, "Discard", func() { c.Discard(there + 1 + n) })
		}
		return "Discard that panics"
	case 6, 7:
		if n <= there || m.perr != nil || m.cerr != nil || n > c.Cap() {
			wantN, wantErr := min(n, there), err
			switch {
			case n > c.Cap():
				wantN, wantErr = 0, ErrRange
			case m.cerr != nil:
				wantN = 0
			case n > there:
				wantErr = m.perr
			}
			x, gotErr := c.Peek(n)
			m.same("Peek", len(x), gotErr, wantN, wantErr)
			if !bytes.Equal(x, m.buf.Bytes()[:wantN]) {
				m.tb.Fatalf("Peek gets %x, want %x", x, m.buf.Bytes()[:wantN])
			}
		}
		return "Peek"
	case 8:
		return m.cnote.step(m, c, n, there, m.wrote)
	}
	return m.closeStep(in, n, c.Close, c.CloseWithError, &m.cerr, io.ErrClosedPipe)
}

// FuzzHalves lets both halves take turns with the operations that the input names,
// and compares everything that can be seen with a bytes.Buffer.
func FuzzHalves(f *testing.F) {
	for seed := range 24 {
		f.Add(stream(uint64(seed)<<20, 40+20*seed))
	}
	for seed := range 8 {
		f.Add(append([]byte{mirroredFrom, byte(seed)}, stream(uint64(seed)<<30, 200)...))
	}
	f.Add([]byte{0, 1, 1, 0, 0, 9})
	f.Add(bytes.Repeat([]byte{7, 5, 1, 8, 0, 0, 8, 6, 3}, 20))
	f.Fuzz(func(t *testing.T, in []byte) {
		tape := tape(in)
		p, cs, begin := tape.open(t, 0)
		m := &model{tb: t, p: p, c: cs[0], begin: begin}
		if p.Cap() > 1000 {
			m.crowd()
		}
		for len(tape) > 0 {
			if tape.next()%2 == 0 {
				m.check(m.producerStep(&tape))
			} else {
				m.check(m.consumerStep(&tape))
			}
		}
	})
}

// FuzzBroadcast is FuzzHalves with two or three consumers. One of them stays open,
// because tables cover what happens after the last one is closed.
func FuzzBroadcast(f *testing.F) {
	for seed := range 16 {
		f.Add(stream(uint64(seed)<<30, 40+20*seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		tape := tape(in)
		p, cs, begin := tape.open(t, 2+tape.next()%2)
		ms := make([]*listener, len(cs))
		for i, c := range cs {
			ms[i] = &listener{model: model{tb: t, p: p, c: c, begin: begin}}
		}
		var perr error
		for len(tape) > 0 {
			free := p.Cap()
			for _, m := range ms {
				if !m.released() {
					free = min(free, m.free())
				}
			}
			who := tape.next() % (len(ms) + 1)
			if who < len(ms) {
				ms[who].step(&tape, who > 0)
			} else {
				b := ms[0].next(tape.count(p.Cap()))
				n, err := p.TryWrite(b)
				wantN, wantErr := min(len(b), free), error(nil)
				if perr != nil {
					wantN, wantErr = 0, io.ErrClosedPipe
				}
				ms[0].same("TryWrite", n, err, wantN, wantErr)
				for _, m := range ms {
					m.buf.Write(b[:n])
					m.wrote += n
				}
				if tape.next() == 0 {
					ms[0].same("CloseWithError", 0, p.CloseWithError(errTest), 0, nil)
					perr = errTest
				}
			}
			limited := false
			free = p.Cap()
			for _, m := range ms {
				if m.perr = perr; !m.released() {
					free, limited = min(free, m.free()), true
				}
				m.same("Err", 0, m.c.Err(), 0, m.consumerErr())
				m.same("Position", distance(begin, m.c.Position()), nil, m.read, nil)
				m.same("Len", m.c.Len(), nil, min(m.buf.Len(), p.Cap()), nil)
			}
			if !limited {
				free = 0
			}
			ms[0].same("Free", p.Free(), nil, free, nil)
			ms[0].same("Position", distance(begin, p.Position()), nil, ms[0].wrote, nil)
		}
	})
}

// A listener is the model of one of several consumers.
type listener struct {
	model
	lent bool
}

func (m *listener) released() bool { return m.cerr != nil && !m.lent }

// step does one operation of the consumer.
func (m *listener) step(in *tape, mayClose bool) {
	c, err, there := m.c, m.consumerErr(), m.buf.Len()
	if m.cerr != nil {
		there = 0
	}
	n := in.count(c.Cap())
	gets, _ := whenOpen(min(n, there), err)
	switch in.next() % 5 {
	case 0:
		b := make([]byte, n)
		got, gotErr := c.TryRead(b)
		m.get("TryRead", b, got, gotErr, gets, err)
		if gets > 0 {
			m.lent = false
		}
	case 1:
		a, z := c.Slices()
		if all := append(bytes.Clone(a), z...); !bytes.Equal(all, m.buf.Bytes()[:there]) {
			m.tb.Fatalf("Slices returns %x, want %x", all, m.buf.Bytes()[:there])
		}
		m.lent = m.lent || there > 0
	case 2:
		if m.cerr != nil {
			m.same("Discard", 0, c.Discard(n), 0, io.ErrClosedPipe)
		} else if n <= there {
			m.same("Discard", 0, c.Discard(n), 0, nil)
			m.read += n
			m.buf.Next(n)
		} else {
			panics(m.tb, "Discard", func() { c.Discard(n) })
			return
		}
		m.lent = false
	case 3:
		k, kerr := in.outcome(there)
		wantN, wantErr := judge(k, kerr, there, err)
		var all []byte
		got, gotErr := c.IOSlices(func(bufs [][]byte, _ int) (int, error) {
			all = bytes.Join(bufs, nil)
			return k, kerr
		})
		m.get("IOSlices", all, got, gotErr, wantN, wantErr)
		if err == nil && 0 < k && k <= there {
			m.lent = false
		}
	case 4:
		if mayClose && in.next()%4 == 0 {
			m.same("Close", 0, c.Close(), 0, nil)
			m.cerr = io.ErrClosedPipe
		}
	}
}

// A lateSource is a source that sets its producer's deadline to the past at the
// first read, so that no call parks.
type lateSource struct {
	p    *Producer
	left []byte
}

func (s *lateSource) Read(b []byte) (int, error) {
	s.p.SetWriteDeadline(time.Unix(1, 0))
	if len(s.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.left)
	s.left = s.left[n:]
	return n, nil
}

// FuzzSpill interrupts a producer's ReadFrom again and again, and compares the
// producer with two buffers: what is published, and what waits for room.
func FuzzSpill(f *testing.F) {
	f.Add([]byte{1, 5, 2, 3, 0, 4}, byte(3), byte(0))
	f.Add([]byte{1, 255, 1, 255, 2, 9, 3, 3, 4, 4, 5, 5, 6, 6}, byte(200), byte(9))
	f.Fuzz(func(t *testing.T, program []byte, capacity, off byte) {
		p, c := pair(t, 1+int(capacity))
		mustMove(t, p, c, int(off)%p.Cap())
		var ring, spill []byte // what the consumer has, and what waits for room
		made := uint64(0)
		next := func(n int) []byte { made += uint64(n); return stream(made-uint64(n), n) }
		// settle is what every call of the producer does first.
		settle := func() int {
			n := min(p.Cap()-len(ring), len(spill))
			ring, spill = append(ring, spill[:n]...), spill[n:]
			return n
		}
		for in := tape(program); len(in) > 0; {
			op, n := in.next()%6, in.next()
			switch op {
			case 0:
				settle()
				fits := min(n, p.Cap()-len(ring))
				if len(spill) > 0 {
					fits = 0
				}
				b := next(n)
				made -= uint64(n - fits)
				ring = append(ring, b[:fits]...)
				got, err := p.TryWrite(b)
				want(t, "TryWrite", got, err, fits, nil)
			case 1:
				wanted, wantErr := settle(), error(nil)
				if len(spill) > 0 {
					p.TryWrite(nil)
					continue // the call would park at once
				}
				n *= 5 // more than the ring and the spill hold together
				from, fits := made, min(n, p.Cap()-len(ring))
				b := next(min(n, fits+streamSpill))
				if len(b) > fits {
					wantErr = os.ErrDeadlineExceeded
				}
				ring, spill = append(ring, b[:fits]...), append(spill, b[fits:]...)
				got, err := p.ReadFrom(&lateSource{p, stream(from, n)})
				p.SetWriteDeadline(time.Time{})
				want(t, "ReadFrom", int(got), err, wanted+fits, wantErr)
			case 2:
				b := make([]byte, n)
				got, err := c.TryRead(b)
				want(t, "TryRead", got, err, min(n, len(ring)), nil)
				if !bytes.Equal(b[:got], ring[:got]) {
					t.Fatalf("TryRead gets %x, want %x", b[:got], ring[:got])
				}
				ring = ring[got:]
			case 3:
				settle()
				a, b := p.Slices()
				offered := p.Cap() - len(ring)
				if len(spill) > 0 {
					offered = 0
				}
				want(t, "Slices", len(a)+len(b), nil, offered, nil)
				k := min(n, offered)
				x := next(k)
				fillTwo(a, b, x)
				ring = append(ring, x...)
				want(t, "Commit", 0, p.Commit(k), 0, nil)
			case 4:
				settle()
				got, err := p.Write(nil)
				want(t, "Write", got, err, 0, nil)
			case 5:
				settle()
				there := p.Cap() - len(ring) - len(spill)
				if pending := p.Notify(1, func() {}); pending != (there < 1) {
					t.Fatalf("Notify is %t with %d free and %d in the spill", pending, p.Cap()-len(ring), len(spill))
				}
				p.Disarm()
			}
			if free := max(0, p.Cap()-len(ring)-len(spill)); p.Free() != free || c.Len() != len(ring) {
				t.Fatalf("after %d: %d free and %d there, want %d and %d", op, p.Free(), c.Len(), free, len(ring))
			}
		}
		p.Close()
		drain(t, c, ring, io.EOF)
	})
}
