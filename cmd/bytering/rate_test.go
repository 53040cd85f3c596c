package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/vectored"
)

// A source of zeros that takes note of when it was read.
type noted struct {
	at    []time.Time
	n     []int
	stall func(i int) time.Duration // before the ith call
}

func (s *noted) call(n int) (int, error) {
	if s.stall != nil {
		time.Sleep(s.stall(len(s.at)))
	}
	s.at, s.n = append(s.at, time.Now()), append(s.n, n)
	return n, nil
}

func (s *noted) Read(b []byte) (int, error)  { return s.call(len(b)) }
func (s *noted) Write(b []byte) (int, error) { return s.call(len(b)) }

// largest returns the most bytes that were moved in any window so wide.
func (s *noted) largest(window time.Duration) (most int) {
	for i := range s.at {
		sum := 0
		for j := i; j < len(s.at) && s.at[j].Sub(s.at[i]) < window; j++ {
			sum += s.n[j]
		}
		most = max(most, sum)
	}
	return most
}

// TestPaced: the rate is kept to, in each tenth of a second too, and a stall is
// not made good.
func TestPaced(t *testing.T) {
	for _, bytes := range []int64{1, 50, 10_000, 1 << 20, 3 << 30} {
		for _, write := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := &noted{}
				var end interface{ Read([]byte) (int, error) }
				buf := make([]byte, 1<<20)
				r, w := paceReader(s, bytes), paceWriter(s, bytes, 0)
				end = r
				begin, total := time.Now(), int64(0)
				move := func(until time.Duration) {
					for time.Since(begin) < until {
						var n int
						var err error
						if write {
							n, err = w.(*paced).Writev([][]byte{buf[:1<<19], buf})
						} else {
							n, err = end.Read(buf)
						}
						if err != nil || n < 1 {
							t.Fatal(n, err)
						}
						total += int64(n)
					}
				}
				const seconds = 4
				move(seconds * time.Second)
				if want := float64(bytes) * seconds; float64(total) < want*0.98-1 || float64(total) > want*1.03+2 {
					t.Errorf("%d B/s: %d bytes in %d s", bytes, total, seconds)
				}
				lump := func() int { return max(2, int(float64(bytes)*0.18)) }
				if most := s.largest(100 * time.Millisecond); most > lump() {
					t.Errorf("%d B/s: %d bytes in a tenth of a second", bytes, most)
				}
				time.Sleep(time.Hour)
				begin = begin.Add(time.Hour)
				move((seconds + 1) * time.Second)
				if most := s.largest(100 * time.Millisecond); most > lump() {
					t.Errorf("%d B/s: %d bytes in a tenth of a second after a stall", bytes, most)
				}
			})
		}
	}
}

// TestPacedIsOnTime: what a busy machine is late by is made good.
func TestPacedIsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &noted{stall: func(i int) time.Duration { return time.Duration(i%3) * 15 * time.Millisecond }}
		r, total, begin := paceReader(s, 1_000_000), 0, time.Now()
		for time.Since(begin) < 5*time.Second {
			n, _ := r.Read(make([]byte, 1<<20))
			total += n
		}
		if total < 4_900_000 || total > 5_100_000 {
			t.Errorf("%d bytes in 5 s, want 5000000", total)
		}
	})
}

// messages is a source whose reads lose what they have no room for.
type messages struct{ left int }

func (m *messages) Boundary() vectored.Boundary { return vectored.Message }

func (m *messages) Read(b []byte) (int, error) {
	if m.left == 0 {
		return 0, errors.New("over")
	}
	if m.left--; len(b) < 5000 {
		return copy(b, make([]byte, 5000)), nil
	}
	for i := range 5000 {
		b[i] = byte(m.left)
	}
	return 5000, nil
}

// TestPacedMessages: a message is not cut, nor is it a lump.
func TestPacedMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := paceReader(&messages{3}, 10_000)
		if b := vectored.BoundaryOf(r); b != vectored.Stream {
			t.Errorf("a boundary of %v", b)
		}
		var got []byte
		begin := time.Now()
		for {
			b := make([]byte, 64<<10)
			n, err := r.Read(b)
			if got = append(got, b[:n]...); err != nil {
				if err.Error() != "over" {
					t.Error(err)
				}
				break
			}
			if n > 200 {
				t.Errorf("%d bytes at once", n)
			}
		}
		want := slices.Concat(slices.Repeat([]byte{2}, 5000), slices.Repeat([]byte{1}, 5000), make([]byte, 5000))
		if !slices.Equal(got, want) {
			t.Errorf("%d bytes arrived, not those 15000", len(got))
		}
		if d := time.Since(begin); d < 1400*time.Millisecond || d > 1600*time.Millisecond {
			t.Errorf("15000 bytes took %v at 10000 B/s", d)
		}
	})
}

// TestPacedIsInterrupted: a deadline ends a wait, and nothing is moved then.
func TestPacedIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &noted{}
		w := paceWriter(s, 1, 0).(*paced)
		w.Write([]byte{1, 1})
		begin := time.Now()
		time.AfterFunc(300*time.Millisecond, func() { w.SetWriteDeadline(time.Unix(1, 0)) })
		if n, err := w.Writev([][]byte{{1}}); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != 300*time.Millisecond {
			t.Errorf("%d and %v after %v", n, err, time.Since(begin))
		}
		if len(s.at) != 2 {
			t.Errorf("written %d times", len(s.at))
		}
	})
}

// TestNotPaced: without a rate the end is used as it is.
func TestNotPaced(t *testing.T) {
	s := &noted{}
	if r, w := paceReader(s, 0), paceWriter(s, 0, 0); r != io.Reader(s) || w != io.Writer(s) {
		t.Errorf("%T and %T lie around it", r, w)
	}
}
