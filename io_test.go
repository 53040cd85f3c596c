package bytering

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/vectored"
)

// The standard library's parsers read ahead, byte by byte, with ReadByte where
// there is one, or with reads of any length. None of them may lose a byte, at a
// wrap or at the end.
func TestStructuresOverAConsumer(t *testing.T) {
	var lines []string
	for i := range 200 {
		lines = append(lines, strings.Repeat(string(rune('a'+i%26)), i%37))
	}
	type record struct {
		A uint8
		B uint16
		C int64
	}
	var records []record
	for i := range 100 {
		records = append(records, record{uint8(i), uint16(i * 600), int64(-i) << 40})
	}
	values := []any{"text", 1.5, true, nil, []any{1.0, "two"}, map[string]any{"k": strings.Repeat("v", 100)}}

	text := func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
		return err
	}
	tests := map[string]struct {
		write func(io.Writer) error
		read  func(*Consumer) (any, error) // reads until the end
		want  any
	}{
		"bufio.Scanner": {text, func(c *Consumer) (any, error) {
			var got []string
			s := bufio.NewScanner(c)
			for s.Scan() {
				got = append(got, s.Text())
			}
			return got, s.Err()
		}, lines},
		"bufio.Reader": {text, func(c *Consumer) (any, error) {
			var got []string
			r := bufio.NewReaderSize(c, 16)
			for {
				line, err := r.ReadString('\n')
				if err == io.EOF && line == "" {
					return got, nil
				} else if err != nil {
					return got, err
				}
				got = append(got, strings.TrimSuffix(line, "\n"))
			}
		}, lines},
		"bufio.ReadWriter": {func(w io.Writer) error {
			b := bufio.NewWriterSize(w, 100)
			return errors.Join(text(b), b.Flush())
		}, func(c *Consumer) (any, error) {
			var got strings.Builder
			_, err := bufio.NewReaderSize(c, 32).WriteTo(&got)
			return strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n"), err
		}, lines},
		"encoding/binary": {func(w io.Writer) error {
			return binary.Write(w, binary.BigEndian, records)
		}, func(c *Consumer) (any, error) {
			var got []record
			for {
				var r record
				err := binary.Read(c, binary.BigEndian, &r)
				if err == io.EOF {
					return got, nil
				} else if err != nil {
					return got, err
				}
				got = append(got, r)
			}
		}, records},
		"varints, by ReadByte": {func(w io.Writer) error {
			var b []byte
			for _, r := range records {
				b = binary.AppendVarint(b, r.C)
			}
			_, err := w.Write(b)
			return err
		}, func(c *Consumer) (any, error) {
			var got []record
			for i := 0; ; i++ {
				v, err := binary.ReadVarint(c)
				if err == io.EOF {
					return got, nil
				} else if err != nil {
					return got, err
				}
				got = append(got, record{uint8(i), uint16(i * 600), v})
			}
		}, records},
		"json.Decoder": {func(w io.Writer) error {
			e := json.NewEncoder(w)
			for _, v := range values {
				if err := e.Encode(v); err != nil {
					return err
				}
			}
			return nil
		}, func(c *Consumer) (any, error) {
			var got []any
			d := json.NewDecoder(c)
			for {
				var v any
				if err := d.Decode(&v); err == io.EOF {
					return got, nil
				} else if err != nil {
					return got, err
				}
				got = append(got, v)
			}
		}, values},
	}
	for name, test := range tests {
		for _, capacity := range []int{1, 13, 64, 64 << 10} {
			t.Run(fmt.Sprint(name, "/", capacity), func(t *testing.T) {
				p, c := pair(t, capacity)
				written := make(chan error, 1)
				go func() {
					err := test.write(p)
					p.Close()
					written <- err
				}()
				got, err := test.read(c)
				c.Close()
				if err := errors.Join(err, <-written); err != nil {
					t.Error(err)
				}
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("read %v, want %v", got, test.want)
				}
			})
		}
	}
}

// Each reader reports in its own words that the stream ended inside a structure.
// The producer's error comes through all of them.
func TestStructuresThatEndEarly(t *testing.T) {
	tests := map[string]struct {
		text string
		read func(*Consumer) error
		end  error // the error after a plain Close
	}{
		"bufio.Scanner": {"no end of line", func(c *Consumer) error {
			s := bufio.NewScanner(c)
			if !s.Scan() || s.Text() != "no end of line" {
				return fmt.Errorf("scanned %q", s.Text())
			}
			s.Scan()
			return s.Err()
		}, nil},
		"bufio.Reader": {"no end of line", func(c *Consumer) error {
			line, err := bufio.NewReader(c).ReadBytes('\n')
			if !bytes.Equal(line, []byte("no end of line")) {
				return fmt.Errorf("read %q", line)
			}
			return err
		}, io.EOF},
		"encoding/binary": {"abc", func(c *Consumer) error {
			var v uint32
			return binary.Read(c, binary.LittleEndian, &v)
		}, io.ErrUnexpectedEOF},
		"binary.ReadUvarint": {"\x80\x80", func(c *Consumer) error {
			_, err := binary.ReadUvarint(c)
			return err
		}, io.ErrUnexpectedEOF},
		"json.Decoder": {`{"half":`, func(c *Consumer) error {
			var v any
			return json.NewDecoder(c).Decode(&v)
		}, io.ErrUnexpectedEOF},
	}
	for name, test := range tests {
		for end, want := range map[error]error{nil: test.end, errTest: errTest} {
			t.Run(fmt.Sprintf("%s/%v", name, end), func(t *testing.T) {
				p, c := pair(t, 64)
				p.WriteString(test.text)
				p.CloseWithError(end)
				if err := test.read(c); err != want {
					t.Errorf("%v, want %v", err, want)
				}
			})
		}
	}
}

// ReadFrom sees the end of a source that has exactly as many bytes as are free, or
// a few more, without waiting for room.
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

// A copy succeeds if the consumer took all its bytes, whether the consumer closes
// before or after the source reaches its end. Otherwise it fails.
func TestReadFromAfterTheConsumersClose(t *testing.T) {
	for _, tc := range []struct {
		name  string
		take  int
		after error // the source's error
		extra int   // bytes that the source still has
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

// A message that comes after the consumers' close counts as data, even an empty
// one.
func TestEmptyMessageAfterTheConsumersClose(t *testing.T) {
	p, c := pair(t, 10)
	c.CloseWithError(errTest)
	src := &empties{left: 3}
	n, err := p.ReadFrom(src)
	want(t, "ReadFrom", int(n), err, 0, errTest)
	if src.left != 2 {
		t.Errorf("%d messages were read, want 1", 3-src.left)
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

// The last bytes of a source wait for as much room as they need, not for a quarter
// of the ring.
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

// spilled returns a full ring of 4 bytes whose ReadFrom met its deadline with k
// more bytes in the spill.
func spilled(t *testing.T, consumers, k int, opts ...Option) (*Producer, []*Consumer) {
	t.Helper()
	p, cs := some(t, 4, consumers, opts...)
	p.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := p.ReadFrom(&source{0, 4 + k})
	want(t, "ReadFrom", int(n), err, 4, os.ErrDeadlineExceeded)
	p.SetWriteDeadline(time.Time{})
	return p, cs
}

// After a ReadFrom that met its deadline, the producer's next call first publishes
// what ReadFrom had read, whichever call it is.
func TestTheNextCallPublishesTheSpill(t *testing.T) {
	bg := context.Background()
	calls := map[string]func(p *Producer) (n int, err error){ // each call has nothing of its own to write
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

// Until the spill has been published, the producer has no space.
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
			t.Error("Notify returns false though the spill is not published")
		}
		// 8 bytes are left in the spill, which can use any room.
		for _, c := range cs {
			if told {
				t.Error("Notify's function runs before all consumers have given space")
			}
			c.Discard(1)
		}
		if !told {
			t.Error("Notify's function does not run when there is space for the spill")
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

// A consumer that waits for bytes of the spill gets them, even if it left less room
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
				t.Errorf("%s does not notify while the consumer waits", name)
				p.Close()
			}
			synctest.Wait()
			peek.ends(t, "Peek", 4, nil)
		})
	}
}

// Close drops the uncounted bytes of the spill, and Reset forgets them.
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

// A source that panics or returns an invalid count while it reads into the spill
// leaves what it had returned before, and no more.
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

// A vectorScript is a script that takes several slices. Its Read and Write fail the
// test.
type vectorScript struct {
	script
	t       testing.TB
	lengths [][]int // of the slices of each call
}

func (s *vectorScript) Read([]byte) (int, error) {
	s.t.Error("Read is called instead of Readv")
	return 0, io.EOF
}

func (s *vectorScript) Write(b []byte) (int, error) {
	s.t.Error("Write is called instead of Writev")
	return len(b), nil
}

func (s *vectorScript) Readv(bufs [][]byte) (int, error)  { return s.nextv(bufs) }
func (s *vectorScript) Writev(bufs [][]byte) (int, error) { return s.nextv(bufs) }

func (s *vectorScript) nextv(bufs [][]byte) (int, error) {
	var lengths []int
	for _, b := range bufs {
		if len(b) == 0 || cap(b) != len(b) {
			s.t.Errorf("a slice of %d bytes and capacity %d", len(b), cap(b))
		}
		lengths = append(lengths, len(b))
	}
	s.lengths = append(s.lengths, lengths)
	return s.next(bytes.Join(bufs, nil))
}

func (s *vectorScript) check(name string, lengths ...[]int) {
	s.t.Helper()
	if !reflect.DeepEqual(s.lengths, lengths) {
		s.t.Errorf("%s: calls with slices of %v bytes, want %v", name, s.lengths, lengths)
	}
}

var (
	_ vectored.Reader = (*vectorScript)(nil)
	_ vectored.Writer = (*vectorScript)(nil)
)

func TestReadFromVectored(t *testing.T) {
	for _, tc := range []struct {
		name    string
		src     []result
		total   int
		err     error
		lengths [][]int
	}{
		{"over the wrap", []result{{5, nil}, {0, io.EOF}}, 5, nil, [][]int{{3, 2}, {5}}},
		{"short", []result{{1, nil}, {3, nil}, {0, io.EOF}}, 4, nil, [][]int{{3, 2}, {2, 3}, {5}}},
		{"error in the second slice", []result{{4, errTest}}, 4, errTest, [][]int{{3, 2}}},
		{"count too large", []result{{6, nil}}, 0, ErrInvalidCount, [][]int{{3, 2}}},
		{"count much too large", []result{{math.MaxInt, nil}}, 0, ErrInvalidCount, [][]int{{3, 2}}},
		{"count below 0", []result{{-1, nil}}, 0, ErrInvalidCount, [][]int{{3, 2}}},
	} {
		p, c := at(t, 10, 7, 0)
		src := &vectorScript{script: script{results: tc.src}, t: t}
		n, err := p.ReadFrom(src)
		want(t, tc.name, int(n), err, tc.total, tc.err)
		src.check(tc.name, tc.lengths...)
		state(t, p, c, tc.total, nil, nil)
	}
}

func TestWriteToVectored(t *testing.T) {
	for _, tc := range []struct {
		name    string
		dst     []result
		total   int
		err     error
		lengths [][]int
	}{
		{"over the wrap", []result{{5, nil}, {5, nil}}, 10, nil, [][]int{{3, 2}, {5}}},
		{"short is no error", []result{{2, nil}, {5, nil}, {3, nil}}, 10, nil, [][]int{{3, 2}, {1, 4}, {3}}},
		{"nothing", []result{{0, nil}}, 0, io.ErrShortWrite, [][]int{{3, 2}}},
		{"error in the second slice", []result{{4, errTest}}, 4, errTest, [][]int{{3, 2}}},
		{"count too large", []result{{6, nil}}, 0, ErrInvalidCount, [][]int{{3, 2}}},
		{"count below 0", []result{{-1, errTest}}, 0, errTest, [][]int{{3, 2}}},
	} {
		p, c := at(t, 10, 7, 10)
		p.Close()
		dst := &vectorScript{script: script{results: tc.dst}, t: t}
		n, err := c.WriteTo(dst)
		want(t, tc.name, int(n), err, tc.total, tc.err)
		dst.check(tc.name, tc.lengths...)
		drain(t, c, stream(uint64(7+tc.total), 10-tc.total), io.EOF)
	}
}

// TestLargestCall checks that a large ring offers at most 1 MiB a call, over the
// wrap as well.
func TestLargestCall(t *testing.T) {
	p, c := pair(t, 4<<20)
	mustMove(t, p, c, 4<<20-100)
	src := &vectorScript{script: script{results: []result{{1 << 20, io.EOF}}}, t: t}
	if n, err := p.ReadFrom(src); n != 1<<20 || err != nil {
		t.Errorf("ReadFrom = %d, %v", n, err)
	}
	src.check("ReadFrom", []int{100, 1<<20 - 100})
	p.Close()
	dst := &vectorScript{script: script{results: []result{{1 << 20, nil}}}, t: t}
	if n, err := c.WriteTo(dst); n != 1<<20 || err != nil {
		t.Errorf("WriteTo = %d, %v", n, err)
	}
	dst.check("WriteTo", []int{100, 1<<20 - 100})
}

// tcp returns both ends of a connection over loopback.
func tcp(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	x, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	y, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close(); y.Close() })
	return x.(*net.TCPConn), y.(*net.TCPConn)
}

// pipe returns both ends of a pipe. The caller must close the second.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if runtime.GOARCH == "wasm" && errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, w
}

// TestCopyThrough moves a stream with io.Copy between two things with descriptors,
// through rings of odd sizes and of mirrored memory.
func TestCopyThrough(t *testing.T) {
	want := stream(0, 300_000)
	feeds := map[string]func(t *testing.T) io.ReadCloser{
		"TCP": func(t *testing.T) io.ReadCloser {
			a, b := tcp(t)
			go func() { a.Write(want); a.Close() }()
			return b
		},
		"pipe": func(t *testing.T) io.ReadCloser {
			r, w := pipe(t)
			go func() { w.Write(want); w.Close() }()
			return r
		},
		"file": func(t *testing.T) io.ReadCloser {
			name := t.TempDir() + "/file"
			if err := os.WriteFile(name, want, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		},
	}
	drains := map[string]func(t *testing.T) (io.WriteCloser, io.Reader){
		"TCP": func(t *testing.T) (io.WriteCloser, io.Reader) { return tcp(t) },
		"pipe": func(t *testing.T) (io.WriteCloser, io.Reader) {
			r, w := pipe(t)
			return w, r
		},
	}
	for from, feed := range feeds {
		for to, drain := range drains {
			for i, opts := range layouts() {
				for _, capacity := range []int{1000, 65_536, 1 << 20} {
					t.Run(fmt.Sprintf("%s to %s, layout %d", from, to, i), func(t *testing.T) {
						p, c := pair(t, capacity, opts...)
						done(t, p, c)
						src := feed(t)
						a, b := drain(t)
						in, out, all := make(chan error, 1), make(chan error, 1), make(chan []byte, 1)
						go func() {
							_, err := io.Copy(p, src)
							in <- errors.Join(err, p.Close())
						}()
						go func() {
							_, err := io.Copy(a, c)
							out <- errors.Join(err, a.Close())
						}()
						go func() {
							got, _ := io.ReadAll(b)
							all <- got
						}()
						if got := <-all; !bytes.Equal(got, want) {
							t.Errorf("%d bytes came of %d, or the bytes differ", len(got), len(want))
						}
						if err := errors.Join(<-in, <-out); err != nil {
							t.Error(err)
						}
					})
				}
			}
		}
	}
}
