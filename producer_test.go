//go:build !interleave

package bytering

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

// Each way to write takes what fits, at each place of the memory.
func TestWrites(t *testing.T) {
	const capacity = 5
	writes := map[string]func(p *Producer, b []byte) (int, error){
		"Write":       func(p *Producer, b []byte) (int, error) { return p.Write(b[:min(len(b), p.Free())]) },
		"WriteString": func(p *Producer, b []byte) (int, error) { return p.WriteString(string(b[:min(len(b), p.Free())])) },
		"TryWrite":    (*Producer).TryWrite,
		"WriteByte": func(p *Producer, b []byte) (n int, err error) {
			for n = 0; n < len(b) && p.Free() > 0 && err == nil; n++ {
				err = p.WriteByte(b[n])
			}
			return n, err
		},
		"IOSlices": func(p *Producer, b []byte) (int, error) {
			return p.IOSlices(func(bufs [][]byte, _ int) (n int, _ error) {
				for _, s := range bufs {
					n += copy(s, b[n:])
				}
				return n, nil
			})
		},
		"Slices": func(p *Producer, b []byte) (int, error) {
			x, y := p.Slices()
			n := copy(x, b)
			n += copy(y, b[n:])
			return n, p.Commit(n)
		},
		"ReadFrom": func(p *Producer, b []byte) (int, error) {
			n, err := p.ReadFrom(bytes.NewReader(b[:min(len(b), p.Free())]))
			return int(n), err
		},
	}
	for name, write := range writes {
		for off := range capacity {
			for filled := 0; filled <= capacity; filled++ {
				for n := 0; n <= 2*capacity; n++ {
					if name == "ReadFrom" && filled+n >= capacity {
						continue // parks until it has seen io.EOF
					}
					p, c := at(t, capacity, off, filled)
					got, err := write(p, stream(p.Position(), n))
					want(t, name, got, err, min(n, capacity-filled), nil)
					state(t, p, c, filled+got, nil, nil)
					p.Close()
					drain(t, c, stream(uint64(off), filled+got), io.EOF)
				}
			}
		}
	}
}

// counts are what a callback may return for offered bytes.
func counts(offered int) (good, bad []int) {
	for n := range offered + 1 {
		good = append(good, n)
	}
	return good, []int{-1, math.MinInt, offered + 1, math.MaxInt}
}

func TestProducerIOSlices(t *testing.T) {
	const capacity = 4
	for off := range capacity {
		for filled := 0; filled <= capacity; filled++ {
			free := capacity - filled
			good, bad := counts(free)
			for _, err := range []error{nil, errTest, io.EOF} {
				for _, n := range append(good, bad...) {
					p, c := at(t, capacity, off, filled)
					ran := 0
					got, gotErr := p.IOSlices(func(bufs [][]byte, offered int) (int, error) {
						ran++
						checkOffer(t, bufs, offered, (off+filled)%capacity, free, capacity)
						pos := p.Position()
						for _, b := range bufs {
							fillStream(b, pos)
							pos += uint64(len(b))
						}
						return n, err
					})
					if n < 0 || n > free {
						if got != 0 || !errors.Is(gotErr, ErrInvalidCount) || err != nil && !errors.Is(gotErr, err) {
							t.Errorf("a callback's %d, %v for %d bytes gives %d, %v", n, err, free, got, gotErr)
						}
						if says := fmt.Sprintf("bytering: the callback returned %d for %d bytes: ", n, free); !strings.HasPrefix(gotErr.Error(), says) {
							t.Errorf("the error is %q, want %q", gotErr, says)
						}
						n = 0
					} else {
						want(t, "IOSlices", got, gotErr, n, err)
					}
					if ran != 1 {
						t.Errorf("the callback ran %d times", ran)
					}
					state(t, p, c, filled+n, nil, nil)
					fill(t, p, free-n)
					p.Close()
					drain(t, c, stream(uint64(off), capacity), io.EOF)
				}
			}
		}
	}
}

// checkOffer fails the test unless bufs are n bytes at the place from, in as
// few slices as that takes.
func checkOffer(t *testing.T, bufs [][]byte, offered, from, n, capacity int) {
	t.Helper()
	var lens []int
	if first := min(n, capacity-from); first > 0 {
		lens = append(lens, first)
		if n > first {
			lens = append(lens, n-first)
		}
	}
	if offered != n || len(bufs) != len(lens) {
		t.Fatalf("offered %d bytes in %d slices, want %d in %d", offered, len(bufs), n, len(lens))
	}
	for i, b := range bufs {
		if len(b) != lens[i] || cap(b) != lens[i] {
			t.Errorf("slice %d is %d (cap %d) bytes, want %d", i, len(b), cap(b), lens[i])
		}
	}
}

func TestProducerSurvivesPanics(t *testing.T) {
	p, c := at(t, 4, 3, 2)
	p.Slices()
	bang := func() (int, error) { panic("bang") }
	panics(t, "IOSlices", func() { p.IOSlices(func([][]byte, int) (int, error) { return bang() }) }, "bang")
	panics(t, "ReadFrom", func() { p.ReadFrom(readerFunc(func([]byte) (int, error) { return bang() })) }, "bang")
	for _, tc := range []struct {
		n     int
		parts []string
	}{
		{3, []string{"bytering: Commit of 3 bytes with 2 handed out"}},
		{math.MaxInt, []string{"Commit of", "with 2 handed out"}},
		{-1, []string{"Commit of -1 bytes"}},
		{math.MinInt, []string{"Commit of -"}},
	} {
		panics(t, "Commit", func() { p.Commit(tc.n) }, tc.parts...)
	}
	state(t, p, c, 2, nil, nil)
	fill(t, p, 2)
	panics(t, "Commit in a full ring", func() { p.Commit(1) }, "Commit of 1 bytes with 0 handed out")
	p.Close()
	drain(t, c, stream(3, 4), io.EOF)
}

// What a half was handed only grows until it gives that back (I4), but Commit
// goes no further than what Slices has handed out.
func TestEmptySpaceGrows(t *testing.T) {
	p, c := at(t, 8, 6, 6)
	a, b := p.Slices()
	if len(a)+len(b) != 2 {
		t.Fatalf("empty space of %d and %d bytes", len(a), len(b))
	}
	if err := c.Discard(4); err != nil {
		t.Fatal(err)
	}
	panics(t, "Commit", func() { p.Commit(6) }, "Commit of 6 bytes with 2 handed out")
	p.Slices()
	if err := p.Commit(6); err != nil {
		t.Errorf("Commit of what became free: %v", err)
	}
	state(t, p, c, 8, nil, nil)
}

func TestReadFrom(t *testing.T) {
	errEOF := fmt.Errorf("not the end itself: %w", io.EOF)
	bad := func(n int, err error) []result { return []result{{2, nil}, {n, err}} }
	for _, tc := range []struct {
		name  string
		src   []result
		total int
		err   error
		calls int
	}{
		{"end at once", []result{{0, io.EOF}}, 0, nil, 1},
		{"bytes, then the end", []result{{3, nil}, {0, io.EOF}}, 3, nil, 2},
		{"bytes with the end", []result{{3, nil}, {2, io.EOF}}, 5, nil, 2},
		{"bytes with an error", []result{{3, errTest}}, 3, errTest, 1},
		{"wrapped io.EOF", []result{{3, errEOF}}, 3, errEOF, 1},
		{"nothing but once", []result{{0, nil}, {1, nil}, {0, nil}, {0, io.EOF}}, 1, nil, 4},
		{"no progress", []result{{1, nil}, {0, nil}}, 1, io.ErrNoProgress, 1 + maxEmptyReads},
		{"count too large", bad(7, nil), 2, ErrInvalidCount, 2},
		{"count much too large", bad(math.MaxInt, nil), 2, ErrInvalidCount, 2},
		{"count below 0", bad(-1, nil), 2, ErrInvalidCount, 2},
		{"count and error", bad(-1, errTest), 2, errTest, 2},
		{"count and end", bad(9, io.EOF), 2, ErrInvalidCount, 2},
	} {
		p, c := pair(t, 8)
		src := &script{results: tc.src}
		n, err := p.ReadFrom(src)
		want(t, tc.name, int(n), err, tc.total, tc.err)
		if src.calls != tc.calls {
			t.Errorf("%s: %d reads, want %d", tc.name, src.calls, tc.calls)
		}
		if src.offered[0] != 4 {
			t.Errorf("%s: offered %d bytes, want 4, half of the ring", tc.name, src.offered[0])
		}
		state(t, p, c, tc.total, nil, nil)
		fill(t, p, 8-tc.total)
	}
}

// 99 empty reads after each byte are no lack of progress.
func TestReadFromCountsEmptyReadsInARow(t *testing.T) {
	p, c := pair(t, 8)
	calls := 0
	n, err := p.ReadFrom(readerFunc(func(b []byte) (int, error) {
		calls++
		switch {
		case calls > 5*maxEmptyReads:
			return 0, io.EOF
		case calls%maxEmptyReads == 0:
			return 1, nil
		}
		return 0, nil
	}))
	want(t, "ReadFrom", int(n), err, 5, nil)
	state(t, p, c, 5, nil, nil)
}

// What a reader does with the producer or the consumer closed under it.
func TestReadFromClosedMeanwhile(t *testing.T) {
	for _, tc := range []struct {
		name  string
		close func(p *Producer, c *Consumer) error
		total int // what is published by the read that closes
		err   error
	}{
		{"producer", func(p *Producer, _ *Consumer) error { return p.CloseWithError(errTest) }, 0, io.ErrClosedPipe},
		{"consumer", func(_ *Producer, c *Consumer) error { return c.CloseWithError(errTest) }, 3, errTest},
	} {
		p, c := pair(t, 8)
		n, err := p.ReadFrom(readerFunc(func([]byte) (int, error) { return 3, tc.close(p, c) }))
		want(t, "ReadFrom closed by its "+tc.name, int(n), err, tc.total, tc.err)
		if got := p.Position(); got != uint64(tc.total) {
			t.Errorf("position %d after ReadFrom of %d", got, n)
		}
	}
}

// The readers of iotest break what they can of io.Reader's looser promises.
func TestReadFromIotest(t *testing.T) {
	text := strings.Repeat("all that a reader may do ", 40)
	for name, wrap := range iotestReaders {
		for _, capacity := range []int{1, 2, 7, 64, 2000} {
			p, c := pair(t, capacity)
			var n int64
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				n, err = p.ReadFrom(wrap.reader(strings.NewReader(text)))
				p.CloseWithError(err)
			}()
			got, readErr := io.ReadAll(c)
			<-done
			if !is(err, wrap.err) || wrap.err == nil && readErr != nil || wrap.err != nil && !is(readErr, wrap.err) {
				t.Errorf("%s, capacity %d: %v, and the consumer gets %v; want %v", name, capacity, err, readErr, wrap.err)
			}
			if int(n) != len(got) || !strings.HasPrefix(text, string(got)) || wrap.err == nil && len(got) != len(text) {
				t.Errorf("%s, capacity %d: %d bytes read, %d of %d delivered", name, capacity, n, len(got), len(text))
			}
		}
	}
}

var iotestReaders = map[string]struct {
	reader func(io.Reader) io.Reader
	err    error
}{
	"plain":   {func(r io.Reader) io.Reader { return r }, nil},
	"Half":    {iotest.HalfReader, nil},
	"OneByte": {iotest.OneByteReader, nil},
	"DataErr": {iotest.DataErrReader, nil},
	"Timeout": {iotest.TimeoutReader, iotest.ErrTimeout},
	"Err":     {func(io.Reader) io.Reader { return iotest.ErrReader(errTest) }, errTest},
}
