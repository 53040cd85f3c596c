//go:build !interleave

package bytering

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"
)

// A lateSource is a source whose producer's deadline passes at the first read, so
// that no call parks.
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

// FuzzSpill holds a producer whose ReadFrom is broken off again and again against
// two buffers: what is published, and what waits for room.
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
					continue // it would park at once
				}
				n *= 5 // more than both hold
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
				if armed := p.Notify(1, func() {}); armed != (there < 1) {
					t.Fatalf("Notify is %t with %d free and %d to come", armed, p.Cap()-len(ring), len(spill))
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
