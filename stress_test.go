//go:build !interleave

package bytering

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

var (
	errStop = errors.New("enough for one call")
	forever = context.Background()
)

// A sender and a receiver do one call of a random kind after the other, and
// know by their own count what the stream is at each place.
type sender struct {
	p    *Producer
	rng  *rand.Rand
	pos  uint64 // bytes counted as written
	left int    // bytes still to write
}

func (s *sender) chunk() int { return s.rng.IntN(min(s.left, 2*s.p.Cap()) + 1) }

// step is one call. It counts what the call counts, and what comes before an
// error is counted too.
func (s *sender) step() (err error) {
	var n int
	b := stream(s.pos, s.chunk())
	switch s.rng.IntN(6) {
	case 0:
		n, err = s.p.Write(b)
	case 1:
		n, err = s.p.TryWrite(b)
	case 2:
		n, err = s.p.IOSlices(func(bufs [][]byte, offered int) (n int, _ error) {
			for _, x := range bufs {
				n += copy(x, b[n:])
			}
			return n, nil
		})
	case 3:
		x, y := s.p.Slices()
		n = copy(x, b)
		n += copy(y, b[n:])
		if err = s.p.Commit(n); err != nil {
			n = 0
		} else if n == 0 {
			err = s.p.Err()
		}
	case 4:
		var m int64
		m, err = s.p.ReadFrom(&source{s.pos, len(b)})
		n = int(m)
	case 5:
		for ; n < min(len(b), 5) && err == nil; n++ {
			if err = s.p.WriteByte(b[n]); err != nil {
				n--
			}
		}
	}
	s.pos += uint64(n)
	if s.left -= n; n == 0 && err == nil && s.rng.IntN(2) == 0 {
		err = s.p.Wait(forever, 1)
	}
	return err
}

func (s *sender) run() (err error) {
	for s.left > 0 && err == nil {
		err = s.step()
	}
	return err
}

type receiver struct {
	c   *Consumer
	rng *rand.Rand
	pos uint64 // bytes taken
}

// take checks and counts what a call took.
func (r *receiver) take(b []byte) error {
	err := checkStream(b, r.pos)
	r.pos += uint64(len(b))
	return err
}

func (r *receiver) step() (err error) {
	var n int
	b := make([]byte, r.rng.IntN(2*r.c.Cap())+1)
	started := r.pos
	switch r.rng.IntN(7) {
	case 0:
		n, err = r.c.Read(b)
		err = errors.Join(r.take(b[:n]), err)
	case 1:
		n, err = r.c.TryRead(b)
		err = errors.Join(r.take(b[:n]), err)
	case 2:
		var bad error
		n, err = r.c.IOSlices(func(bufs [][]byte, offered int) (n int, _ error) {
			for _, x := range bufs {
				x = x[:min(len(x), len(b)-n)]
				bad = errors.Join(bad, checkStream(x, r.pos+uint64(n)))
				n += len(x)
			}
			return n, nil
		})
		r.pos += uint64(n)
		err = errors.Join(bad, err)
	case 3:
		x, y := r.c.Slices()
		bad := errors.Join(checkStream(x, r.pos), checkStream(y, r.pos+uint64(len(x))))
		n = min(len(b), len(x)+len(y))
		if err = r.c.Discard(n); err == nil {
			r.pos += uint64(n)
			err = r.c.Err()
		}
		err = errors.Join(bad, err)
	case 4:
		var x []byte
		x, err = r.c.Peek(min(len(b), r.c.Cap()))
		if bad := checkStream(x, r.pos); bad != nil {
			return bad
		}
		if lost := r.c.Discard(len(x)); lost == nil {
			r.pos += uint64(len(x))
		} else {
			err = lost // closed since, so what Peek told of the end was not taken
		}
	case 5:
		_, err = r.c.WriteTo(writerFunc(func(x []byte) (int, error) {
			x = x[:min(len(x), len(b))]
			if err := r.take(x); err != nil {
				return len(x), err
			}
			return len(x), errStop
		}))
		switch err {
		case errStop:
			err = nil
		case nil:
			err = io.EOF
		}
	case 6:
		var v byte
		if v, err = r.c.ReadByte(); err == nil {
			err = r.take([]byte{v})
		}
	}
	if r.pos == started && err == nil && r.rng.IntN(2) == 0 {
		// What it tells of the end leaves open what is left: a read will tell.
		r.c.Wait(forever, 1+r.rng.IntN(r.c.Cap()))
	}
	return err
}

func (r *receiver) run() (err error) {
	for err == nil {
		err = r.step()
	}
	return err
}

// TestStress lets two goroutines do all that they may, while a third one may
// close either half: what was counted as written is delivered.
func TestStress(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	capacities := []int{1, 2, 3, 7, 8, 16, 61, 64, 1000, 4096}
	for trial := range 500 {
		capacity := capacities[rng.IntN(len(capacities))]
		consumers := rng.IntN(4) // 0 for New
		var layout []Option
		if trial%8 == 0 {
			layout = layouts()[len(layouts())-1]
			capacity = 4096
		}
		total := 200 + rng.IntN(20*capacity+400)
		closer := rng.IntN(4) // 0 producer, 1 consumers, else nobody
		closeAt := rng.IntN(total)
		name := fmt.Sprintf("seed %d, trial %d: %d bytes through %d (%d options), %d consumers, closer %d at %d",
			seed, trial, total, capacity, len(layout), consumers, closer, closeAt)

		p, cs := some(t, capacity, consumers, layout...)
		done(t, p, cs...)
		s := &sender{p: p, rng: rand.New(rand.NewPCG(seed, rng.Uint64())), left: total}
		var wg sync.WaitGroup
		var sent error
		wg.Go(func() {
			sent = s.run()
			p.Close()
		})
		rs := make([]*receiver, len(cs))
		got := make([]error, len(cs))
		for i, c := range cs {
			rs[i] = &receiver{c: c, rng: rand.New(rand.NewPCG(seed, rng.Uint64()))}
			wg.Go(func() { got[i] = rs[i].run() })
		}
		wg.Go(func() {
			if closer > 1 {
				return
			}
			for p.Position() < uint64(closeAt) && p.Err() == nil {
				time.Sleep(time.Microsecond)
			}
			if closer == 0 {
				p.CloseWithError(errTest)
				return
			}
			for _, c := range cs {
				c.CloseWithError(errLater)
			}
		})
		wg.Wait()

		if closer == 1 && sent != nil && !errors.Is(sent, errLater) {
			t.Errorf("%s: the producer ends with %v", name, sent)
		}
		if closer == 0 && sent != nil && sent != io.ErrClosedPipe || closer > 1 && sent != nil {
			t.Errorf("%s: the producer ends with %v", name, sent)
		}
		if s.pos != p.Position() || sent == nil && s.pos != uint64(total) {
			t.Errorf("%s: %d bytes counted as written, position %d, %v", name, s.pos, p.Position(), sent)
		}
		for i, r := range rs {
			switch {
			case errors.Is(got[i], io.EOF) || closer == 0 && errors.Is(got[i], errTest):
				if r.pos != s.pos {
					t.Errorf("%s: consumer %d gets %d of %d bytes", name, i, r.pos, s.pos)
				}
			case closer != 1 || !errors.Is(got[i], io.ErrClosedPipe):
				t.Errorf("%s: consumer %d ends with %v", name, i, got[i])
			}
			if r.pos != r.c.Position() && closer != 1 || r.pos < r.c.Position() || r.pos > s.pos {
				t.Errorf("%s: consumer %d counts %d, position %d, of %d", name, i, r.pos, r.c.Position(), s.pos)
			}
		}
		if t.Failed() {
			return
		}
	}
}
