package bytering

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
)

func TestBroadcastDeliversEverything(t *testing.T) {
	const total = 5000
	for _, consumers := range []int{1, 2, 3, 8} {
		for _, capacity := range []int{1, 2, 7, 64} {
			p, cs := cast(t, capacity, consumers, startAt(1<<63-total/2))
			if len(cs) != consumers || p.Consumers() != consumers {
				t.Fatalf("%d consumers, Consumers is %d, want %d", len(cs), p.Consumers(), consumers)
			}
			var wg sync.WaitGroup
			for i, c := range cs {
				wg.Go(func() {
					w := &checker{pos: 0}
					n, err := c.WriteTo(w)
					if n != total || err != nil || w.err != nil {
						t.Errorf("consumer %d of %d: %d bytes, %v, %v", i, consumers, n, err, w.err)
					}
				})
			}
			n, err := p.Write(stream(0, total))
			want(t, "Write", n, err, total, nil)
			p.Close()
			wg.Wait()
		}
	}
}

func TestFeeds(t *testing.T) {
	p, cs := cast(t, 4, 3)
	other, c := pair(t, 4)
	for _, tc := range []struct {
		p    *Producer
		c    *Consumer
		want bool
	}{
		{p, cs[0], true}, {p, cs[2], true}, {other, c, true},
		{p, c, false}, {other, cs[0], false},
		{p, nil, false}, {p, new(Consumer), false}, {new(Producer), new(Consumer), false},
	} {
		for _, state := range []string{"open", "closed"} {
			if got := tc.p.Feeds(tc.c); got != tc.want {
				t.Errorf("Feeds(%p) of %p, %s, is %v", tc.c, tc.p, state, got)
			}
			if tc.want {
				tc.c.Close()
				tc.p.Close()
			}
		}
	}
}

// A checker is a writer that checks the stream and takes it in small pieces.
type checker struct {
	pos uint64
	err error
}

func (w *checker) Write(b []byte) (int, error) {
	w.err = errors.Join(w.err, checkStream(b, w.pos))
	w.pos += uint64(len(b))
	return len(b), w.err
}

func TestBroadcastSlowestLimits(t *testing.T) {
	// The starting points put the cursors on both sides of the point where they
	// wrap.
	for _, begin := range []uint64{0, 1<<63 - 4, 1<<63 - 8, 1<<62 - 4} {
		slowestLimits(t, begin)
	}
}

func slowestLimits(t *testing.T, begin uint64) {
	p, cs := cast(t, 8, 3, startAt(begin))
	frees := func(free int) {
		t.Helper()
		if got := p.Free(); got != free {
			t.Errorf("Free is %d, want %d", got, free)
		}
		n, err := p.IOSlices(func(_ [][]byte, n int) (int, error) { return 0, nil })
		want(t, "IOSlices", n, err, 0, nil)
		a, b := p.Slices()
		if len(a)+len(b) != free {
			t.Errorf("empty space of %d bytes, want %d", len(a)+len(b), free)
		}
	}
	fill(t, p, 8)
	frees(0)
	cs[0].Discard(8)
	frees(0)
	cs[1].Discard(5)
	frees(0)
	cs[2].Discard(3)
	frees(3)
	cs[2].Discard(5)
	frees(5)
	for i, n := range []int{0, 3, 0} {
		if got := cs[i].Len(); got != n {
			t.Errorf("consumer %d: Len is %d, want %d", i, got, n)
		}
	}
	cs[1].Close()
	frees(8)
	cs[0].Close()
	frees(8)
	if err := p.Err(); err != nil {
		t.Errorf("Err with one consumer left: %v", err)
	}
	fill(t, p, 2)
	frees(6)
	p.Close()
	drain(t, cs[2], stream(begin+8, 2), io.EOF)
}

// A closed consumer limits the producer until it has given back what it was handed
// (I8), and no longer.
func TestBroadcastClosedConsumerHolds(t *testing.T) {
	callback := func(f func()) func([][]byte, int) (int, error) {
		return func([][]byte, int) (int, error) { f(); return 1, nil }
	}
	for _, tc := range []struct {
		name string
		// run calls closeIt while the consumer has the bytes 0 to 3 in hand.
		run  func(c *Consumer, closeIt func())
		held bool // also after run
	}{
		{"nothing", func(c *Consumer, closeIt func()) { closeIt() }, false},
		{"IOSlices", func(c *Consumer, closeIt func()) { c.IOSlices(callback(closeIt)) }, false},
		{"WriteTo", func(c *Consumer, closeIt func()) {
			c.WriteTo(writerFunc(func(b []byte) (int, error) { closeIt(); return len(b), nil }))
		}, false},
		{"panic", func(c *Consumer, closeIt func()) {
			defer func() { recover() }()
			c.IOSlices(callback(func() { closeIt(); panic("bang") }))
		}, false},
		{"Slices", func(c *Consumer, closeIt func()) { c.Slices(); closeIt() }, true},
		{"Slices twice", func(c *Consumer, closeIt func()) { c.Slices(); c.Slices(); closeIt() }, true},
		{"Slices, then looking on", func(c *Consumer, closeIt func()) { c.Slices(); c.Read(nil); c.Len(); c.Wait(ended(), 1); closeIt() }, true},
		{"Slices, given back", func(c *Consumer, closeIt func()) { c.Slices(); c.Discard(0); closeIt() }, false},
		{"Peek", func(c *Consumer, closeIt func()) { c.Peek(3); closeIt() }, true},
		{"Peek, given back", func(c *Consumer, closeIt func()) { c.Peek(3); c.Discard(0); closeIt() }, false},
		{"Peek, copied at the wrap", func(c *Consumer, closeIt func()) { c.Peek(4); closeIt() }, false},
		{"Slices after Close", func(c *Consumer, closeIt func()) { closeIt(); c.Slices() }, false},
		{"Peek after Close", func(c *Consumer, closeIt func()) { closeIt(); c.Peek(1) }, false},
	} {
		p, cs := cast(t, 4, 2)
		p.Slices()
		p.Commit(1)
		cs[0].Discard(1)
		cs[1].Discard(1)
		fill(t, p, 4)
		cs[1].Discard(4)
		c := cs[0]
		tc.run(c, func() {
			inside := tc.name != "nothing" && p.Free() == 0
			if c.Close(); inside && p.ring.broadcast && c.busy && p.Free() != 0 {
				t.Errorf("%s: %d bytes are free while a call is running", tc.name, p.Free())
			}
		})
		free := 4
		if tc.held {
			free = 0
		}
		if got := p.Free(); got != free {
			t.Errorf("%s: %d bytes are free of the 4 that a closed consumer had, want %d", tc.name, got, free)
		}
		if a, b := c.Slices(); len(a)+len(b) > 0 {
			t.Errorf("%s: Slices of a closed consumer returns %d and %d bytes", tc.name, len(a), len(b))
		}
		if b, err := c.Peek(1); len(b) > 0 || err != io.ErrClosedPipe {
			t.Errorf("%s: Peek of a closed consumer returns %d bytes, %v", tc.name, len(b), err)
		}
		if err := c.Discard(0); err != io.ErrClosedPipe {
			t.Errorf("%s: Discard(0) of a closed consumer: %v", tc.name, err)
		}
		if got := p.Free(); got != 4 {
			t.Errorf("%s: %d bytes are free after everything was given back, want 4", tc.name, got)
		}
		for i := range 5 { // the producer moves on past the closed consumer
			fill(t, p, 4)
			cs[1].Discard(4)
			if n, err := c.TryRead(make([]byte, 9)); n != 0 || err != io.ErrClosedPipe {
				t.Errorf("%s: TryRead of a closed consumer after %d turns = %d, %v", tc.name, i, n, err)
			}
			if n := c.Len(); n < 0 || n > 4 {
				t.Errorf("%s: Len is %d", tc.name, n)
			}
		}
	}
}

// A call during which its consumer is closed counts nothing: the bytes that TryRead
// copied before it saw the closed bit are not discarded.
func TestBroadcastClosedWhileHeld(t *testing.T) {
	for _, m := range consumerCalls {
		p, cs := cast(t, 4, 2)
		fill(t, p, 3)
		cs[0].Slices()
		cs[0].CloseWithError(errTest)
		n, err := m.run(cs[0])
		want(t, m.name, n, err, 0, io.ErrClosedPipe)
		if got := cs[0].Position(); got != 0 {
			t.Errorf("%s moves a closed consumer to %d", m.name, got)
		}
		cs[0].Discard(0)
		cs[1].Discard(3)
		fill(t, p, 4)
	}
}

// The producer gets an error once all consumers are closed: theirs, joined.
func TestBroadcastErrors(t *testing.T) {
	errs := []error{errTest, nil, errLater}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		p, cs := cast(t, 4, 3)
		for step, i := range order {
			if err := p.Err(); err != nil {
				t.Errorf("Err with %d consumers left: %v", 3-step, err)
			}
			fill(t, p, 1)
			cs[i].CloseWithError(errs[i])
			cs[i].CloseWithError(errors.New("too late"))
		}
		for _, m := range producerCalls {
			n, err := m.run(p)
			want(t, m.name, n, err, 0, errTest)
			if wanted := fmt.Sprintf("%v\n%v\n%v", errTest, io.ErrClosedPipe, errLater); err.Error() != wanted {
				t.Errorf("%s: %q, want %q", m.name, err, wanted)
			}
		}
		if got := p.Free(); got != 0 {
			t.Errorf("%d bytes are free after all consumers were closed, want 0", got)
		}
		p.Close()
		if err := p.Err(); err != io.ErrClosedPipe {
			t.Errorf("Err after the producer's own Close is %v", err)
		}
	}
	for _, n := range []int{1, 3} {
		p, cs := cast(t, 4, n)
		for _, c := range cs {
			c.Close()
		}
		if err := p.Err(); err != io.ErrClosedPipe {
			t.Errorf("Err with %d closed without an error is %v, want io.ErrClosedPipe itself", n, err)
		}
	}
	p, cs := cast(t, 4, 1)
	cs[0].CloseWithError(errTest)
	if err := p.Err(); err != errTest {
		t.Errorf("Err of one consumer is %v, want its error itself", err)
	}
}

// Consumers are closed in the middle of everything by one of them. The others still
// get the whole stream.
func TestBroadcastConsumersClose(t *testing.T) {
	const total = 20000
	for _, capacity := range []int{1, 3, 16, 100} {
		p, cs := cast(t, capacity, 4)
		var readers sync.WaitGroup
		for i, c := range cs {
			readers.Go(func() {
				var pos uint64
				for {
					a, b := c.Slices()
					if err := errors.Join(checkStream(a, pos), checkStream(b, pos+uint64(len(a)))); err != nil {
						t.Errorf("consumer %d: %v", i, err)
					}
					n := len(a) + len(b)
					if err := c.Discard(n); err != nil {
						return
					}
					if k := int(pos) / (total / 5); i == 0 && 0 < k && k < len(cs) {
						cs[k].Close()
					}
					if pos += uint64(n); n == 0 && c.Wait(t.Context(), 1) != nil {
						break
					}
				}
				if i == 0 && pos != total {
					t.Errorf("the consumer that stays open gets %d of %d bytes", pos, total)
				}
			})
		}
		n, err := p.Write(stream(0, total))
		want(t, "Write", n, err, total, nil)
		p.Close()
		readers.Wait()
	}
}

// A consumer that is closed in the middle of a call limits the producer, and Limits
// reports that, until the call returns.
func TestLimits(t *testing.T) {
	for _, consumers := range []int{0, 1, 3} { // 0 stands for New
		p, cs := some(t, 4, consumers)
		fill(t, p, 4)
		stuck, goOn := make(chan struct{}), make(chan struct{})
		back := make(chan error)
		go func() {
			_, err := cs[0].WriteTo(writerFunc(func(b []byte) (int, error) { close(stuck); <-goOn; return len(b), nil }))
			back <- err
		}()
		<-stuck
		for i, c := range cs {
			if !c.Limits() {
				t.Errorf("open consumer %d of %d does not limit the producer", i, consumers)
			}
			c.Close()
			if got, want := c.Limits(), i == 0 && consumers > 0; got != want {
				t.Errorf("closed consumer %d of %d limits the producer: %t, want %t", i, consumers, got, want)
			}
		}
		close(goOn)
		if err := <-back; err != io.ErrClosedPipe {
			t.Errorf("WriteTo: %v", err)
		}
		if cs[0].Limits() {
			t.Error("a closed consumer limits the producer after its call has returned")
		}
	}
}
