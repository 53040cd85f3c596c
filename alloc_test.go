//go:build !interleave

package bytering

import (
	"context"
	"io"
	"testing"
)

// No hot call allocates. The race detector's runtime makes no difference to
// that: its shadow memory is not counted.
func TestAllocs(t *testing.T) {
	ctx := context.Background()
	buf := make([]byte, 5)
	text := "hello"
	put := func(bufs [][]byte, _ int) (n int, err error) {
		for _, b := range bufs {
			n += copy(b, text[n:])
		}
		return n, nil
	}
	take := func(bufs [][]byte, n int) (int, error) { return n, nil }
	src := new(source)
	var dst io.Writer = writerFunc(func(b []byte) (int, error) { return len(b), errTest })

	for _, tc := range []struct {
		name string
		run  func(p *Producer, c *Consumer) (int, error)
	}{
		{"Write, Read", func(p *Producer, c *Consumer) (int, error) { p.Write(buf); return c.Read(buf) }},
		{"WriteString, TryRead", func(p *Producer, c *Consumer) (int, error) { p.WriteString(text); return c.TryRead(buf) }},
		{"TryWrite, Read", func(p *Producer, c *Consumer) (int, error) { p.TryWrite(buf); return c.Read(buf) }},
		{"WriteByte, ReadByte", func(p *Producer, c *Consumer) (n int, err error) {
			for n = 0; n < 5 && err == nil; n++ {
				p.WriteByte('x')
				_, err = c.ReadByte()
			}
			return n, err
		}},
		{"IOSlices", func(p *Producer, c *Consumer) (int, error) { p.IOSlices(put); return c.IOSlices(take) }},
		{"IOSlices of literals", func(p *Producer, c *Consumer) (n int, err error) {
			p.IOSlices(func([][]byte, int) (int, error) { return len(buf), nil })
			_, err = c.IOSlices(func(_ [][]byte, m int) (int, error) { n = m; return m, nil })
			return n, err
		}},
		{"Slices, Commit, Discard", func(p *Producer, c *Consumer) (int, error) {
			a, b := p.Slices()
			n := copy(a, buf)
			n += copy(b, buf[n:])
			p.Commit(n)
			a, b = c.Slices()
			return len(a) + len(b), c.Discard(n)
		}},
		{"Peek", func(p *Producer, c *Consumer) (int, error) {
			p.Write(buf)
			b, _ := c.Peek(5) // at each place, so also at the wrap
			return len(b), c.Discard(len(b))
		}},
		{"Wait", func(p *Producer, c *Consumer) (int, error) {
			p.Wait(ctx, 5)
			p.Write(buf)
			if err := c.Wait(ctx, 5); err != nil {
				return 0, err
			}
			return c.Read(buf)
		}},
		{"looking on", func(p *Producer, c *Consumer) (int, error) {
			p.Write(buf)
			if p.Free()+c.Len() != p.Cap() || p.Position()-c.Position() != 5 || p.Err() != nil || c.Err() != nil {
				return 0, errTest
			}
			return c.Read(buf)
		}},
		{"ReadFrom, WriteTo", func(p *Producer, c *Consumer) (n int, err error) {
			src.n = 5
			p.ReadFrom(src)
			for n < 5 && (err == nil || err == errTest) {
				var m int64
				m, err = c.WriteTo(dst) // once before the wrap, once after it
				n += int(m)
			}
			if err == errTest {
				err = nil
			}
			return n, err
		}},
		{"full and empty", func(p *Producer, c *Consumer) (int, error) {
			c.TryRead(buf)
			c.IOSlices(take)
			p.Write(buf)
			p.Slices()
			p.Commit(p.Free())
			p.TryWrite(buf)
			p.IOSlices(put)
			return 5, c.Discard(c.Len())
		}},
	} {
		for i := range 2 * len(layouts()) {
			consumers := i % 2
			p, cs := some(t, 17, consumers, layouts()[i/2]...)
			done(t, p, cs...)
			run := func() {
				if n, err := tc.run(p, cs[0]); n != 5 || err != nil {
					t.Fatalf("%s: %d, %v", tc.name, n, err)
				}
			}
			for range p.Cap() { // once at each place: Peek keeps what it joins in
				run()
			}
			if got := testing.AllocsPerRun(5*p.Cap(), run); got != 0 {
				t.Errorf("%s allocates %v times with %d consumers of a broadcast, capacity %d", tc.name, got, consumers, p.Cap())
			}
		}
	}
}

// A hand-over between two goroutines that park in turn does not allocate.
func TestAllocsOfParking(t *testing.T) {
	ping, pong := pair(t, 8)
	p, c := pair(t, 8)
	go func() {
		b := make([]byte, 8)
		for {
			n, err := pong.Read(b)
			if err != nil {
				p.CloseWithError(err)
				return
			}
			p.Write(b[:n])
		}
	}()
	b := make([]byte, 5)
	got := testing.AllocsPerRun(1000, func() {
		for range 10 {
			if n, err := ping.Write(b); n != 5 || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
			if b, err := c.Peek(5); len(b) != 5 || err != nil {
				t.Errorf("Peek = %d, %v", len(b), err)
			}
			c.Discard(5)
		}
	})
	if got != 0 {
		t.Errorf("ten hand-overs there and back allocate %v times", got)
	}
	ping.Close()
	drain(t, c, nil, io.EOF)
}
