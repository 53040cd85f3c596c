//go:build !interleave

package bytering

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/vectored"
)

// ReadFrom sees the end of a source that has exactly as many bytes as are free,
// and of one that has a few more, without waiting for room to see it.
func TestReadFromSeesTheEndOfAFullRing(t *testing.T) {
	for _, m := range []struct {
		name string
		read func(p *Producer, src io.Reader) (int64, error)
	}{
		{"ReadFrom", func(p *Producer, src io.Reader) (int64, error) { return p.ReadFrom(src) }},
		{"io.Copy", func(p *Producer, src io.Reader) (int64, error) { return io.Copy(p, src) }},
		{"io.CopyN", func(p *Producer, src io.Reader) (int64, error) { return io.CopyN(p, io.MultiReader(src, zeros{}), 100) }},
		{"the end with the last bytes", func(p *Producer, src io.Reader) (int64, error) {
			return p.ReadFrom(iotest.DataErrReader(src))
		}},
	} {
		for _, before := range []int{0, 1, 99} {
			p, c := pair(t, 100+before)
			fill(t, p, before)
			p.SetWriteDeadline(time.Now().Add(time.Hour))
			n, err := m.read(p, &source{uint64(before), 100})
			want(t, m.name, int(n), err, 100, nil)
			state(t, p, c, 100+before, nil, nil)
			p.Close()
			drain(t, c, stream(0, 100+before), io.EOF)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A copy whose bytes were all taken succeeds, whether the consumer closes before
// or after the source is asked for its end. One whose bytes were not fails.
func TestReadFromAfterTheConsumersClose(t *testing.T) {
	for _, tc := range []struct {
		name  string
		take  int
		after error // of the source
		extra int   // bytes that the source has yet
		want  error
	}{
		{"all taken", 10, io.EOF, 0, nil},
		{"all taken, and the source fails", 10, errLater, 0, errLater},
		{"all taken, and the source has more", 10, io.EOF, 1, errTest},
		{"a byte is left", 9, io.EOF, 0, errTest},
		{"nothing taken", 0, io.EOF, 0, errTest},
	} {
		for _, consumers := range []int{0, 2} {
			p, cs := some(t, 10, consumers)
			asked := 0
			src := &source{0, 10}
			n, err := p.ReadFrom(readerFunc(func(b []byte) (int, error) {
				if src.n > 0 {
					return src.Read(b)
				}
				if asked++; asked == 1 {
					for _, c := range cs {
						io.CopyN(io.Discard, c, int64(tc.take))
						c.CloseWithError(errTest)
					}
					return 0, nil
				}
				return min(len(b), tc.extra), tc.after
			}))
			want(t, tc.name, int(n), err, 10, tc.want)
			if again := tc.take == 10; again != (asked == 2) {
				t.Errorf("%s: the source was asked %d times", tc.name, asked)
			}
		}
	}
}

// A message that comes after the consumers' close is more, even an empty one.
func TestEmptyMessageAfterTheConsumersClose(t *testing.T) {
	p, c := pair(t, 10)
	c.CloseWithError(errTest)
	src := &empties{left: 3}
	n, err := p.ReadFrom(src)
	want(t, "ReadFrom", int(n), err, 0, errTest)
	if src.left != 2 {
		t.Errorf("%d messages were read of 1", 3-src.left)
	}
}

// An empties is a source of empty messages.
type empties struct{ left int }

func (*empties) Boundary() vectored.Boundary { return vectored.Message }

func (e *empties) Read([]byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	e.left--
	return 0, nil
}

// The last bytes of a source wait for as much room as they need, and not for a
// quarter of the ring.
func TestTheLastOfTheSpill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 100)
		read := start(func() (int, error) {
			n, err := p.ReadFrom(iotest.DataErrReader(&source{0, 103}))
			return int(n), err
		})
		synctest.Wait()
		c.Discard(2)
		synctest.Wait()
		c.Discard(1)
		read.ends(t, "ReadFrom", 103, nil)
		p.Close()
		drain(t, c, stream(3, 100), io.EOF)
	})
}

// spilled returns a full ring of 4 bytes whose ReadFrom has met its deadline with
// k bytes more.
func spilled(t *testing.T, consumers, k int, opts ...Option) (*Producer, []*Consumer) {
	t.Helper()
	p, cs := some(t, 4, consumers, opts...)
	p.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := p.ReadFrom(&source{0, 4 + k})
	want(t, "ReadFrom", int(n), err, 4, os.ErrDeadlineExceeded)
	p.SetWriteDeadline(time.Time{})
	return p, cs
}

// Whatever call of the producer comes after a ReadFrom that met its deadline, it
// publishes first what that had read.
func TestTheNextCallPublishesTheSpill(t *testing.T) {
	bg := context.Background()
	calls := map[string]func(p *Producer) (n int, err error){ // of nothing
		"Write":    func(p *Producer) (int, error) { return p.Write(nil) },
		"TryWrite": func(p *Producer) (int, error) { return p.TryWrite(nil) },
		"ReadFrom": func(p *Producer) (int, error) { n, err := p.ReadFrom(&source{}); return int(n) - 3, err },
		"Slices":   func(p *Producer) (int, error) { a, b := p.Slices(); return len(a) + len(b), p.Commit(0) },
		"IOSlices": func(p *Producer) (int, error) {
			m := 0
			_, err := p.IOSlices(func(_ [][]byte, n int) (int, error) { m = n; return 0, nil })
			return m, err
		},
		"Notify": func(p *Producer) (int, error) { p.Notify(1, func() {}); p.Disarm(); return 0, nil },
		"Ready":  func(p *Producer) (int, error) { p.Ready(); p.Disarm(); return 0, nil },
		"Wait":   func(p *Producer) (int, error) { return 0, p.Wait(bg, 1) },
	}
	for name, run := range calls {
		for free := 3; free <= 4; free++ {
			synctest.Test(t, func(t *testing.T) {
				p, cs := spilled(t, 0, 3)
				c := cs[0]
				if p.Free() != 0 {
					t.Errorf("%d bytes are free before the spill is published", p.Free())
				}
				c.Discard(free)
				if got := p.Free(); got != free-3 {
					t.Errorf("%d bytes are free beside the spill, want %d", got, free-3)
				}
				if name == "Wait" && free == 3 {
					p.SetWriteDeadline(time.Now().Add(time.Second))
				}
				n, err := run(p)
				if name == "Wait" && free == 3 {
					want(t, name, n, err, 0, os.ErrDeadlineExceeded)
				} else if name == "Slices" || name == "IOSlices" {
					want(t, name, n, err, free-3, nil)
				} else {
					want(t, name, n, err, 0, nil)
				}
				c.Discard(4 - free)
				state(t, p, c, 3, nil, nil)
				p.Close()
				drain(t, c, stream(4, 3), io.EOF)
			})
		}
	}
}

// As long as there is no room for the spill, the producer has no space.
func TestNoSpaceBeforeTheSpill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, cs := spilled(t, 2, 10)
		for _, c := range cs {
			c.Discard(2)
		}
		n, err := p.TryWrite([]byte("x"))
		want(t, "TryWrite", n, err, 0, nil)
		a, b := p.Slices()
		want(t, "Slices", len(a)+len(b), nil, 0, nil)
		n, err = p.IOSlices(func(bufs [][]byte, n int) (int, error) { return len(bufs) + n, errTest })
		want(t, "IOSlices", n, err, 0, errTest)
		want(t, "Wait of nothing", 0, p.Wait(context.Background(), 0), 0, nil)
		p.SetWriteDeadline(time.Now().Add(time.Second))
		n, err = p.Write([]byte("x"))
		want(t, "Write", n, err, 0, os.ErrDeadlineExceeded)
		p.SetWriteDeadline(time.Time{})
		told := false
		if !p.Notify(3, func() { told = true }) {
			t.Error("Notify says that there is space")
		}
		// 8 bytes are left in the spill. Any room is of use to them.
		for _, c := range cs {
			if told {
				t.Error("Notify tells of space that one consumer has yet to give")
			}
			c.Discard(1)
		}
		if !told {
			t.Error("Notify says nothing of space for the spill")
		}
		for _, c := range cs {
			c.Discard(3)
		}
		write := start(func() (int, error) { return p.Write(stream(14, 5)) })
		read := start(func() (int, error) { return io.ReadFull(cs[0], make([]byte, 13)) })
		got := make([]byte, 13)
		k, err := io.ReadFull(cs[1], got)
		want(t, "ReadFull", k, err, 13, nil)
		if err := checkStream(got, 6); err != nil {
			t.Error(err)
		}
		write.ends(t, "Write", 5, nil)
		read.ends(t, "ReadFull", 13, nil)
	})
}

// A consumer that waits for bytes of the spill gets them, though it left less room
// than they need.
func TestReadyForASpill(t *testing.T) {
	for name, ready := range map[string]func(p *Producer) <-chan struct{}{
		"Ready": (*Producer).Ready,
		"Notify": func(p *Producer) <-chan struct{} {
			told := make(chan struct{}, 1)
			if !p.Notify(1, func() { told <- struct{}{} }) {
				told <- struct{}{}
			}
			return told
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, cs := spilled(t, 0, 10)
			told := ready(p)
			peek := start(func() (int, error) {
				cs[0].Discard(1)
				b, err := cs[0].Peek(4)
				return len(b), err
			})
			select {
			case <-told:
				n, err := p.TryWrite([]byte("x"))
				want(t, "TryWrite after "+name, n, err, 0, nil)
			case <-time.After(time.Second):
				t.Errorf("%s says nothing while the consumer waits", name)
				p.Close()
			}
			synctest.Wait()
			peek.ends(t, "Peek", 4, nil)
		})
	}
}

// Close drops what was not counted, and Reset what is left of that.
func TestCloseDropsTheSpill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, cs := spilled(t, 0, 10)
		c := cs[0]
		p.Close()
		drain(t, c, stream(0, 4), io.EOF)
		c.Close()
		if err := Reset(p, c); err != nil {
			t.Fatal(err)
		}
		state(t, p, c, 0, nil, nil)
		fill(t, p, 2)
		p.Close()
		drain(t, c, stream(0, 2), io.EOF)
	})
}

// A source that panics or lies while it reads beside the ring leaves there what
// it had returned before, and no more.
func TestSpillOfABadSource(t *testing.T) {
	for name, bad := range map[string]func(b []byte) (int, error){
		"panics":           func(b []byte) (int, error) { fillStream(b, 99); panic("bang") },
		"counts too much":  func(b []byte) (int, error) { fillStream(b, 99); return len(b) + 1, nil },
		"counts below 0":   func(b []byte) (int, error) { fillStream(b, 99); return -1, nil },
		"fails with bytes": func(b []byte) (int, error) { fillStream(b[:2], 4); return 2, errTest },
	} {
		synctest.Test(t, func(t *testing.T) {
			p, c := pair(t, 4)
			src := &source{0, 4}
			read := func(b []byte) (int, error) {
				if src.n > 0 {
					return src.Read(b)
				}
				return bad(b)
			}
			p.SetWriteDeadline(time.Now().Add(time.Second))
			wanted := 4
			switch name {
			case "panics":
				panics(t, "ReadFrom", func() { p.ReadFrom(readerFunc(read)) }, "bang")
			case "fails with bytes":
				wanted = 6
				n, err := p.ReadFrom(readerFunc(read))
				want(t, name, int(n), err, 4, os.ErrDeadlineExceeded)
				if !errors.Is(err, errTest) {
					t.Errorf("%v lacks the source's error", err)
				}
			default:
				n, err := p.ReadFrom(readerFunc(read))
				want(t, name, int(n), err, 4, ErrInvalidCount)
			}
			c.Discard(4)
			p.TryWrite(nil)
			p.Close()
			drain(t, c, stream(4, wanted-4), io.EOF)
		})
	}
}
