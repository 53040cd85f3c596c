//go:build !interleave

package bytering

import (
	"bytes"
	"io"
	"testing"
)

// FuzzBroadcast is FuzzHalves with two or three consumers. One of them stays
// open: what comes after the last is gone is a matter of tables.
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

// A listener is the model of one consumer of several.
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
			m.tb.Fatalf("Slices are %x, want %x", all, m.buf.Bytes()[:there])
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
