package bytering

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
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
						continue // ReadFrom parks until it has seen io.EOF
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

// counts returns valid and invalid counts for a callback that is offered some
// bytes.
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
					if ran != 1 {
						t.Errorf("the callback ran %d times", ran)
					}
					moved := checkIOSlices(t, got, gotErr, n, err, free)
					state(t, p, c, filled+moved, nil, nil)
					fill(t, p, free-moved)
					p.Close()
					drain(t, c, stream(uint64(off), capacity), io.EOF)
				}
			}
		}
	}
}

// checkIOSlices checks what IOSlices returned after its callback was offered some
// bytes and returned n and err. It returns how many bytes must have moved.
func checkIOSlices(t *testing.T, got int, gotErr error, n int, err error, offered int) (moved int) {
	t.Helper()
	if n >= 0 && n <= offered {
		want(t, "IOSlices", got, gotErr, n, err)
		return n
	}
	if got != 0 || !errors.Is(gotErr, ErrInvalidCount) || err != nil && !errors.Is(gotErr, err) {
		t.Errorf("a callback that returns %d, %v for %d bytes gives %d, %v", n, err, offered, got, gotErr)
	}
	if says := fmt.Sprintf("bytering: the callback returned %d for %d bytes: ", n, offered); !strings.HasPrefix(fmt.Sprint(gotErr), says) {
		t.Errorf("the error is %q, want it to start with %q", gotErr, says)
	}
	return 0
}

// checkOffer fails the test unless bufs are n bytes that start at offset from, in
// as few slices as possible.
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

// What a half was handed only grows until the half gives it back (I4), but Commit
// goes no further than what Slices has handed out.
func TestEmptySpaceGrows(t *testing.T) {
	p, c := at(t, 8, 6, 6)
	a, b := p.Slices()
	if len(a)+len(b) != 2 {
		t.Fatalf("Slices returns %d and %d bytes of empty space", len(a), len(b))
	}
	if err := c.Discard(4); err != nil {
		t.Fatal(err)
	}
	panics(t, "Commit", func() { p.Commit(6) }, "Commit of 6 bytes with 2 handed out")
	p.Slices()
	if err := p.Commit(6); err != nil {
		t.Errorf("Commit of the bytes that became free: %v", err)
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

// ReadFrom accepts up to 99 empty reads after each byte.
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

// TestReadFromClosedMeanwhile closes the producer or the consumer inside the
// reader's Read.
func TestReadFromClosedMeanwhile(t *testing.T) {
	for _, tc := range []struct {
		name  string
		close func(p *Producer, c *Consumer) error
		total int // bytes that the read that closes publishes
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

// The readers of iotest use all the freedom that io.Reader's contract gives them.
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
				t.Errorf("%s, capacity %d: ReadFrom returns %v, and the consumer gets %v; want %v", name, capacity, err, readErr, wrap.err)
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

// Each way to read takes what is there, at each place of the memory.
func TestReads(t *testing.T) {
	const capacity = 5
	reads := map[string]func(c *Consumer, b []byte) (int, error){
		"Read": func(c *Consumer, b []byte) (int, error) {
			if c.Len() == 0 {
				return 0, nil // Read would park
			}
			return c.Read(b)
		},
		"TryRead": (*Consumer).TryRead,
		"ReadByte": func(c *Consumer, b []byte) (n int, err error) {
			for n = 0; n < len(b) && c.Len() > 0 && err == nil; n++ {
				b[n], err = c.ReadByte()
			}
			return n, err
		},
		"IOSlices": func(c *Consumer, b []byte) (int, error) {
			return c.IOSlices(func(bufs [][]byte, _ int) (n int, _ error) {
				for _, s := range bufs {
					n += copy(b[n:], s)
				}
				return n, nil
			})
		},
		"Slices": func(c *Consumer, b []byte) (int, error) {
			x, y := c.Slices()
			n := copy(b, x)
			n += copy(b[n:], y)
			return n, c.Discard(n)
		},
		"Peek": func(c *Consumer, b []byte) (int, error) {
			x, err := c.Peek(min(len(b), c.Len()))
			return copy(b, x), errors.Join(err, c.Discard(len(x)))
		},
		"WriteTo": func(c *Consumer, b []byte) (n int, _ error) {
			if c.Len() == 0 {
				return 0, nil // WriteTo would park
			}
			_, err := c.WriteTo(writerFunc(func(x []byte) (m int, err error) {
				m = copy(b[n:], x)
				if n += m; n == len(b) || c.Len() == m {
					err = errTest
				}
				return m, err
			}))
			if err == errTest {
				err = nil
			}
			return n, err
		},
	}
	for name, read := range reads {
		for off := range capacity {
			for filled := 0; filled <= capacity; filled++ {
				for n := 0; n <= 2*capacity; n++ {
					p, c := at(t, capacity, off, filled)
					b := make([]byte, n)
					got, err := read(c, b)
					want(t, name, got, err, min(n, filled), nil)
					if err := checkStream(b[:got], uint64(off)); err != nil {
						t.Errorf("%s: %v", name, err)
					}
					state(t, p, c, filled-got, nil, nil)
					if n > got && !bytes.Equal(b[got:], make([]byte, n-got)) {
						t.Errorf("%s writes to its buffer past the bytes that it counts", name)
					}
				}
			}
		}
	}
}

func TestConsumerIOSlices(t *testing.T) {
	const capacity = 4
	for off := range capacity {
		for filled := 0; filled <= capacity; filled++ {
			good, bad := counts(filled)
			for _, err := range []error{nil, errTest, io.EOF} {
				for _, n := range append(good, bad...) {
					p, c := at(t, capacity, off, filled)
					ran := 0
					got, gotErr := c.IOSlices(func(bufs [][]byte, offered int) (int, error) {
						ran++
						checkOffer(t, bufs, offered, off, filled, capacity)
						if err := checkStream(bytes.Join(bufs, nil), uint64(off)); err != nil {
							t.Error(err)
						}
						return n, err
					})
					if ran != 1 {
						t.Errorf("the callback ran %d times", ran)
					}
					moved := checkIOSlices(t, got, gotErr, n, err, filled)
					state(t, p, c, filled-moved, nil, nil)
					p.Close()
					drain(t, c, stream(uint64(off+moved), filled-moved), io.EOF)
				}
			}
		}
	}
}

func TestConsumerSurvivesPanics(t *testing.T) {
	p, c := at(t, 4, 3, 2)
	bang := func() (int, error) { panic("bang") }
	panics(t, "IOSlices", func() { c.IOSlices(func([][]byte, int) (int, error) { return bang() }) }, "bang")
	panics(t, "WriteTo", func() { c.WriteTo(writerFunc(func([]byte) (int, error) { return bang() })) }, "bang")
	for _, tc := range []struct {
		n     int
		parts []string
	}{
		{3, []string{"bytering: Discard of 3 bytes with 2 there"}},
		{math.MaxInt, []string{"Discard of", "with 2 there"}},
		{-1, []string{"Discard of -1 bytes"}},
		{math.MinInt, []string{"Discard of -"}},
	} {
		panics(t, "Discard", func() { c.Discard(tc.n) }, tc.parts...)
	}
	state(t, p, c, 2, nil, nil)
	p.Close()
	panics(t, "Discard at the end", func() { c.Discard(3) }, "Discard of 3 bytes with 2 there")
	drain(t, c, stream(3, 2), io.EOF)
}

func TestFilledSpaceGrows(t *testing.T) {
	p, c := at(t, 8, 6, 3)
	a, b := c.Slices()
	if len(a) != 2 || len(b) != 1 {
		t.Fatalf("Slices returns %d and %d bytes of filled space", len(a), len(b))
	}
	fill(t, p, 5)
	if err := c.Discard(7); err != nil {
		t.Errorf("Discard of the bytes that came since: %v", err)
	}
	state(t, p, c, 1, nil, nil)
}

// Peek returns bytes that lie together where they lie and joins those that the wrap
// parts. When the stream ends, it returns the rest with the error.
func TestPeek(t *testing.T) {
	const capacity = 6
	for _, end := range []error{nil, io.EOF, errTest} {
		for off := range capacity {
			for filled := 0; filled <= capacity; filled++ {
				for n := 0; n <= capacity; n++ {
					p, c := at(t, capacity, off, filled)
					wantErr := error(nil)
					if end != nil {
						p.CloseWithError(end)
						if n > filled || filled == 0 {
							wantErr = end
						}
					} else if n > filled {
						continue // Peek would park
					}
					for range 2 {
						b, err := c.Peek(n)
						want(t, "Peek", len(b), err, min(n, filled), wantErr)
						if err := checkStream(b, uint64(off)); err != nil {
							t.Error(err)
						}
						if cap(b) != len(b) {
							t.Errorf("Peek(%d) is not clipped: its capacity is %d", n, cap(b))
						}
						inPlace := len(b) > 0 && &b[0] == &c.ring.mem[off]
						if together := len(b) > 0 && len(b) <= capacity-off; inPlace != together {
							t.Errorf("Peek(%d) of %d at %d in place: %v", n, filled, off, inPlace)
						}
					}
					if got := c.Len(); got != filled {
						t.Errorf("Peek leaves %d of %d bytes", got, filled)
					}
				}
			}
		}
	}
	_, c := pair(t, capacity)
	for _, n := range []int{-1, capacity + 1, math.MaxInt, math.MinInt} {
		b, err := c.Peek(n)
		if b != nil || !errors.Is(err, ErrRange) {
			t.Errorf("Peek(%d) = %d bytes, %v", n, len(b), err)
		}
	}
}

func TestWriteTo(t *testing.T) {
	for _, tc := range []struct {
		name  string
		dst   []result
		total int
		err   error
		calls int
	}{
		{"all", []result{{5, nil}, {5, nil}}, 10, nil, 2},
		{"error", []result{{0, errTest}}, 0, errTest, 1},
		{"bytes with an error", []result{{5, nil}, {2, errTest}}, 7, errTest, 2},
		{"all with an error", []result{{5, nil}, {5, errTest}}, 10, errTest, 2},
		{"io.EOF is an error of a writer", []result{{5, io.EOF}}, 5, io.EOF, 1},
		{"short", []result{{4, nil}}, 4, io.ErrShortWrite, 1},
		{"nothing", []result{{0, nil}}, 0, io.ErrShortWrite, 1},
		{"count too large", []result{{5, nil}, {6, nil}}, 5, ErrInvalidCount, 2},
		{"count much too large", []result{{math.MaxInt, nil}}, 0, ErrInvalidCount, 1},
		{"count below 0", []result{{5, nil}, {-1, nil}}, 5, ErrInvalidCount, 2},
		{"count and error", []result{{-1, errTest}}, 0, errTest, 1},
	} {
		p, c := at(t, 10, 5, 10)
		p.Close()
		dst := &script{results: tc.dst}
		n, err := c.WriteTo(dst)
		want(t, tc.name, int(n), err, tc.total, tc.err)
		if dst.calls != tc.calls || dst.offered[0] != 5 {
			t.Errorf("%s: %d writes, the first of %d; want %d, of 5, half of the ring", tc.name, dst.calls, dst.offered[0], tc.calls)
		}
		drain(t, c, stream(uint64(5+tc.total), 10-tc.total), io.EOF)
	}
}

// An error together with an invalid count hides neither.
func TestBadCountWithError(t *testing.T) {
	p, c := at(t, 4, 0, 2)
	_, rerr := p.ReadFrom(&script{results: []result{{-1, errTest}}})
	_, werr := c.WriteTo(&script{results: []result{{3, errTest}}})
	for _, err := range []error{rerr, werr} {
		if !errors.Is(err, ErrInvalidCount) || !errors.Is(err, errTest) {
			t.Errorf("got %v, want both errors", err)
		}
	}
	state(t, p, c, 2, nil, nil)
}

func TestWriteToClosedMeanwhile(t *testing.T) {
	for _, tc := range []struct {
		name      string
		close     func(p *Producer, c *Consumer) error
		discarded int
		err       error
	}{
		{"consumer", func(_ *Producer, c *Consumer) error { return c.Close() }, 0, io.ErrClosedPipe},
		{"producer", func(p *Producer, _ *Consumer) error { return p.Close() }, 3, nil},
		{"producer with an error", func(p *Producer, _ *Consumer) error { return p.CloseWithError(errTest) }, 3, errTest},
	} {
		p, c := at(t, 8, 0, 3)
		n, err := c.WriteTo(writerFunc(func(b []byte) (int, error) { return len(b), tc.close(p, c) }))
		want(t, "WriteTo that closes the "+tc.name, int(n), err, 3, tc.err)
		if got := c.Position(); got != uint64(tc.discarded) {
			t.Errorf("%s: position %d, want %d", tc.name, got, tc.discarded)
		}
	}
}

func TestConsumerIotest(t *testing.T) {
	for _, capacity := range []int{1, 3, 64, 500} {
		p, c := pair(t, capacity)
		text := stream(0, 500)
		go func() {
			p.Write(text)
			p.Close()
		}()
		if err := iotest.TestReader(c, text); err != nil {
			t.Errorf("capacity %d: %v", capacity, err)
		}
	}
	// TruncateWriter drops bytes that it counts as written. WriteTo cannot notice.
	p, c := at(t, 8, 0, 8)
	p.Close()
	var got bytes.Buffer
	n, err := c.WriteTo(iotest.TruncateWriter(&got, 3))
	want(t, "WriteTo", int(n), err, 8, nil)
	if err := checkStream(got.Bytes(), 0); err != nil || got.Len() != 3 {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
}

// The short path moves what the half has seen already. A half stays on it until
// that is used up, and takes the long path at the wrap.
func TestShortPath(t *testing.T) {
	p, c := pair(t, 8)
	for pos := range 100 {
		fill(t, p, 1)
		if n := pos % 8; n == 7 && p.quick > 7 || p.quick > 8-n {
			t.Fatalf("the producer may move %d bytes from offset %d on", p.quick, p.off)
		}
		b := make([]byte, 1)
		if n, err := c.Read(b); n != 1 || err != nil || b[0] != stream(uint64(pos), 1)[0] {
			t.Fatalf("Read = %d, %v, %x", n, err, b)
		}
	}
	// A Write or a Read gives back slices that were handed out before, on the short
	// path and on the long one.
	for _, long := range []bool{false, true} {
		p, c := pair(t, 8)
		fill(t, p, 4)
		c.Read(make([]byte, 1))
		p.Slices()
		c.Slices()
		b := make([]byte, 1)
		if long {
			p.quick = 0
			b = make([]byte, 8) // more than is there
		} else if p.quick == 0 || c.quick == 0 {
			t.Fatalf("the halves may move %d and %d bytes", p.quick, c.quick)
		}
		p.Write([]byte("a"))
		panics(t, "Commit", func() { p.Commit(1) }, "0 handed out")
		if c.Read(b); c.lent > 0 {
			t.Errorf("%d bytes are lent after a Read", c.lent)
		}
	}
	p.SlicesAtLeast(1)
	panics(t, "Commit", func() { p.Commit(8) }, "bytering: Commit of 8 bytes")
}

// A call that overlaps another on the short path finds that the cursor has moved.
func TestShortPathOverlaps(t *testing.T) {
	for name, f := range map[string]func(p *Producer, c *Consumer, b []byte){
		"Write":    func(p *Producer, c *Consumer, b []byte) { p.Write(b[:1]) },
		"TryWrite": func(p *Producer, c *Consumer, b []byte) { p.TryWrite(b[:1]) },
		"Commit":   func(p *Producer, c *Consumer, b []byte) { p.Commit(1) },
		"Read":     func(p *Producer, c *Consumer, b []byte) { c.Read(b) },
		"TryRead":  func(p *Producer, c *Consumer, b []byte) { c.TryRead(b) },
		"Discard":  func(p *Producer, c *Consumer, b []byte) { c.Discard(1) },
	} {
		for _, long := range []bool{false, true} {
			p, c := pair(t, 8)
			fill(t, p, 6)
			c.Read(make([]byte, 1))
			p.Slices()
			b := make([]byte, 1)
			if long {
				p.quick, c.quick = 0, 0
				b = make([]byte, 8) // more than is there
			}
			p.shared.cursor.Add(1) // as an overlapping call does
			c.shared.cursor.Add(1)
			panics(t, name, func() { f(p, c, b) }, "overlapping calls of a ")
		}
	}
}

// A call from inside another one does not get past the check on the short path.
func TestShortPathInside(t *testing.T) {
	p, c := pair(t, 8)
	fill(t, p, 4)
	c.Read(make([]byte, 1))
	p.IOSlices(func([][]byte, int) (int, error) {
		panics(t, "Write", func() { p.Write([]byte("x")) }, "overlapping calls of a Producer")
		return 0, nil
	})
	c.IOSlices(func([][]byte, int) (int, error) {
		panics(t, "Read", func() { c.Read(make([]byte, 1)) }, "overlapping calls of a Consumer")
		return 0, nil
	})
	c.Read(make([]byte, 2))
	told := 0
	if !c.Notify(2, func() {
		told++
		panics(t, "Write", func() { p.Write([]byte("x")) }, "overlapping calls of a Producer")
	}) {
		t.Error("the consumer's Notify is false")
	}
	p.Write([]byte("x"))
	p.Write(make([]byte, p.Free()-1))
	if !p.Notify(8, func() {
		told++
		panics(t, "Read", func() { c.Read(make([]byte, 1)) }, "overlapping calls of a Consumer")
	}) {
		t.Error("the producer's Notify is false")
	}
	for c.Len() > 0 {
		c.Read(make([]byte, 1))
	}
	if told != 2 {
		t.Errorf("%d functions of Notify ran, want 2", told)
	}
}

// A call that moves more bytes than one copy may take moves all of them.
func TestLargeCopies(t *testing.T) {
	const n = 3*largestCopy + 7
	for _, off := range []int{0, 5, n - 9} {
		p, c := at(t, n, off, 0)
		b := stream(uint64(off), n)
		got := make([]byte, n)
		for name, f := range map[string]func() (int, error){
			"TryWrite and TryRead": func() (int, error) {
				if m, err := p.TryWrite(append(b, 1)); m != n || err != nil {
					return m, err
				}
				return c.TryRead(got)
			},
			"Write and Read": func() (int, error) {
				if m, err := p.Write(b); m != n || err != nil {
					return m, err
				}
				return c.Read(got)
			},
		} {
			clear(got)
			m, err := f()
			want(t, name, m, err, n, nil)
			if !bytes.Equal(got, b) {
				t.Errorf("%s: the bytes differ from those written", name)
			}
		}
	}
}

// If a function of Notify panics in a call on the short path, the panic propagates
// out of that call, and the half stays usable.
func TestShortPathAfterANotesPanic(t *testing.T) {
	p, c := pair(t, 16)
	write := func() (int, error) { return p.Write([]byte("x")) }
	read := func() (int, error) { return c.Read(make([]byte, 1)) }
	check := func(name string, h *half, armed bool, call func() (int, error)) {
		t.Helper()
		if !armed || h.quick < 2 {
			t.Fatalf("%s: armed: %t; %d bytes may take the short path, want at least 2", name, armed, h.quick)
		}
		panics(t, name, func() { call() }, "of the note")
		if n, err := call(); n != 1 || err != nil {
			t.Errorf("%s afterwards: %d, %v", name, n, err)
		}
	}
	note := func() { panic("of the note") }
	write()
	check("producer", &p.half, c.Notify(2, note), write)
	c.Slices() // the consumer has now seen all of it
	c.Discard(1)
	check("consumer", &c.half, p.Notify(15, note), read)
}

// Bytes in the spill are published before those of a write that would fit on the
// short path.
func TestShortPathAfterASpill(t *testing.T) {
	p, c := pair(t, 16)
	p.setSpill(append(p.spillOf(3)[:0], "abc"...))
	p.Write([]byte("d"))
	p.Close()
	drain(t, c, []byte("abcd"), io.EOF)
}

// What ends or delays a call does so on the short path too.
func TestShortPathEnds(t *testing.T) {
	for name, end := range map[string]struct {
		do         func(p *Producer, c *Consumer)
		perr, cerr error
		try        bool // whether TryWrite and TryRead fail too
	}{
		"producer's close":    {func(p *Producer, c *Consumer) { p.CloseWithError(errTest) }, io.ErrClosedPipe, nil, true},
		"consumer's close":    {func(p *Producer, c *Consumer) { c.CloseWithError(errTest) }, errTest, io.ErrClosedPipe, true},
		"producer's deadline": {func(p *Producer, c *Consumer) { p.SetWriteDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded, nil, false},
		"consumer's deadline": {func(p *Producer, c *Consumer) { c.SetReadDeadline(time.Unix(1, 0)) }, nil, os.ErrDeadlineExceeded, false},
	} {
		p, c := pair(t, 16)
		fill(t, p, 8)
		c.Read(make([]byte, 1))
		end.do(p, c)
		if p.quick < 4 || c.quick < 4 {
			t.Fatalf("%s: the halves may move %d and %d bytes", name, p.quick, c.quick)
		}
		check := func(call string, n int, err, wanted error) {
			t.Helper()
			k := 1
			if wanted != nil {
				k = 0
			}
			want(t, name+", "+call, n, err, k, wanted)
		}
		x, y := end.perr, end.cerr
		n, err := p.Write([]byte("x"))
		check("Write", n, err, x)
		n, err = c.Read(make([]byte, 1))
		check("Read", n, err, y)
		if !end.try {
			x, y = nil, nil
		}
		n, err = p.TryWrite([]byte("x"))
		check("TryWrite", n, err, x)
		n, err = c.TryRead(make([]byte, 1))
		check("TryRead", n, err, y)
		if a, _, err := p.SlicesAtLeast(1); (len(a) > 0) != (x == nil) || err != nil {
			t.Errorf("%s: the producer's Slices returns %d bytes, Err is %v", name, len(a), err)
		}
		if a, _, err := c.SlicesAtLeast(1); (len(a) > 0) != (y == nil) || err != nil {
			t.Errorf("%s: the consumer's Slices returns %d bytes, Err is %v", name, len(a), err)
		}
	}
}

// A consumer that has not seen enough looks once more before it takes the long path.
func TestShortPathLooks(t *testing.T) {
	p, c := pair(t, 16)
	p.Write(make([]byte, 8))
	if c.fits(1) {
		t.Fatal("the consumer has seen bytes before it looked")
	}
	c.busy = true
	if c.look(1) || c.limit != c.pos {
		t.Error("it looks in a call")
	}
	c.busy = false
	if c.look(9) || !c.look(8) || c.busy {
		t.Errorf("it may move %d bytes of 8, busy is %t", c.quick, c.busy)
	}
	p, c = pair(t, 16)
	p.Write(make([]byte, 8))
	if c.SlicesAtLeast(1); c.quick != 8 {
		t.Errorf("after SlicesAtLeast it may move %d bytes of 8", c.quick)
	}
	// Only the short path copies before it sees that the consumer is closed.
	for name, read := range map[string]func(c *Consumer, b []byte) (int, error){"Read": (*Consumer).Read, "TryRead": (*Consumer).TryRead} {
		p, c := pair(t, 16)
		p.Write(make([]byte, 8))
		c.Close()
		b := []byte{0xff}
		n, err := read(c, b)
		want(t, name, n, err, 0, io.ErrClosedPipe)
		if b[0] == 0xff {
			t.Errorf("%s takes the long path", name)
		}
	}
	p, cs, err := NewBroadcast(16, 1)
	if err != nil {
		t.Fatal(err)
	}
	p.Write(make([]byte, 8))
	if c := cs[0]; c.look(8) || c.limit != c.pos {
		t.Error("it looks on a ring for several consumers")
	}
}

// A Commit or Discard that a close stops on the short path gives the slices back.
func TestShortPathGivesBack(t *testing.T) {
	p, c := pair(t, 16)
	fill(t, p, 8)
	c.Read(make([]byte, 1))
	p.Slices()
	c.Slices()
	p.Close()
	c.Close()
	if !p.fits(1) || !c.fits(1) {
		t.Fatalf("the halves may move %d and %d bytes", p.quick, c.quick)
	}
	if err := p.Commit(1); err != io.ErrClosedPipe {
		t.Errorf("Commit: %v", err)
	}
	if err := c.Discard(1); err != io.ErrClosedPipe {
		t.Errorf("Discard: %v", err)
	}
	if err := Reset(p, c); err != nil {
		t.Error(err)
	}
}

// A producer of small chunks claims the block that it comes to, as far as it has seen
// that to be empty, unless a pin keeps it.
func TestClaim(t *testing.T) {
	nothing = 1 // so that a claim can be seen
	defer func() { nothing = 0 }()
	lines := block / cacheLine
	for _, tc := range []struct {
		name               string
		capacity, chunk, n int
		alone, pinned      bool
		claimed            int
	}{
		{"before the end of a block", 4096, smallChunk, block/smallChunk - 1, false, false, 0},
		{"at the end of a block", 4096, smallChunk, block / smallChunk, false, false, lines},
		{"beyond it", 4096, 100, 6, false, false, lines},
		{"after it", 4096, 100, 7, false, false, lines - 2},
		{"larger chunks", 4096, block, 1, false, false, 0},
		{"at the end of the ring", 2 * block, smallChunk, block / smallChunk, false, false, 0},
		{"with one processor", 4096, smallChunk, block / smallChunk, true, false, 0},
		{"with a pin", 4096, smallChunk, block / smallChunk, false, true, 0},
	} {
		for how, write := range map[string]func(p *Producer, b []byte){
			"Write":    func(p *Producer, b []byte) { p.Write(b) },
			"TryWrite": func(p *Producer, b []byte) { p.TryWrite(b) },
			"Commit": func(p *Producer, b []byte) {
				a, _, _ := p.SlicesAtLeast(len(b))
				copy(a, b)
				p.Commit(len(b))
			},
		} {
			p, _ := pair(t, tc.capacity)
			p.processors.alone = tc.alone
			if tc.pinned {
				p.Pin()
			}
			for range tc.n {
				write(p, make([]byte, tc.chunk))
			}
			if claimed := bytes.Count(p.ring.mem[p.off:], []byte{1}); claimed != tc.claimed {
				t.Errorf("%s, %s: %d lines are claimed, want %d", tc.name, how, claimed, tc.claimed)
			}
		}
	}
}

// A claim leaves the memory as it is.
func TestClaimKeepsTheMemory(t *testing.T) {
	p, _ := pair(t, 4096)
	for i := range p.ring.mem {
		p.ring.mem[i] = byte(i) | 1
	}
	p.Write(make([]byte, block-smallChunk))
	p.Write(make([]byte, smallChunk))
	for i, b := range p.ring.mem[block:] {
		if b != byte(i)|1 {
			t.Fatalf("byte %d of the empty space has become %d", i, b)
		}
	}
}
