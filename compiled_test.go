//go:build !interleave

package bytering

import (
	"context"
	"io"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// compilerReport returns what the compiler says about this package with flags.
func compilerReport(t *testing.T, flags string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command("go", "build", "-gcflags="+flags, ".")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return string(out)
}

// The functions that every call begins and ends with, and those that most calls use
// to look at the cursors, are inlined.
func TestInlined(t *testing.T) {
	report := compilerReport(t, "-m=2")
	for _, f := range []string{
		"(*half).enter", "(*half).leave", "(*half).closed", "(*half).fits", "(*half).quickMove", "(*half).lost", "(*half).hasShortPath", "(*half).overdue", "(*half).lend",
		"(*Producer).ended", "(*Producer).goal", "(*Producer).quickPut", "(*Producer).claimNext", "(*Consumer).quickGet", "(*Consumer).ended", "(*Consumer).len", "(*Consumer).goal",
		"(*target).hasWaiter", "(*target).moved", "(*target).wake", "(*target).post",
		"(*ring).pieces", "(*ring).advance", "(*ring).wakeSoft", "distance", "reached", "satisfied", "checkCount",
	} {
		if !strings.Contains(report, ": can inline "+f+" with cost ") {
			t.Errorf("%s is not inlined:\n%s", f, regexp.MustCompile(`.*inline `+regexp.QuoteMeta(f)+`\b.*`).FindString(report))
		}
	}
}

// The hot path has no call through an interface or a function value.
func TestNoIndirectCalls(t *testing.T) {
	report := compilerReport(t, "-S")
	for _, f := range []string{
		"Producer).put", "Producer).free", "Producer).commit", "Producer).empty", "Producer).Slices", "Producer).Commit",
		"Producer).wakeConsumer", "Producer).SlicesAtLeast", "Producer).Write", "Producer).TryWrite", "Consumer).TryRead", "Consumer).look", "half).setQuick", "Producer).longCommit", "Consumer).longDiscard", "Producer).slicesAtLeast", "Consumer).slicesAtLeast", "Consumer).SlicesAtLeast", "Consumer).Read", "Consumer).get", "Consumer).discard", "Consumer).filled", "Consumer).Slices", "Consumer).Discard", "half).lend",
	} {
		_, text, ok := strings.Cut(report, "bytering.(*"+f+" STEXT ")
		if !ok {
			t.Errorf("no assembly of %s", f)
		}
		text, _, _ = strings.Cut(text, " STEXT ")
		if call := regexp.MustCompile(`.*\tCALL\t([A-Z]+|R[0-9]+)\n`).FindString(text); call != "" {
			t.Errorf("%s calls indirectly: %s", f, call)
		}
	}
}

// Words that different processors write lie a line of memory apart, both in the
// record inside the ring and in one that is allocated alone, whatever lies before
// and after them.
func TestLayout(t *testing.T) {
	_, c := pair(t, 1)
	for name, v := range map[string]reflect.Value{
		"the producer's": reflect.ValueOf(&c.ring.producer).Elem(),
		"the consumer's": reflect.ValueOf(c.shared).Elem(),
	} {
		at := func(field string) uintptr { return v.FieldByName(field).Addr().Pointer() }
		end := func(field string) uintptr { return at(field) + v.FieldByName(field).Type().Size() }
		for _, pair := range [][2]string{{"deadline", "cursor"}, {"cursor", "target"}, {"target", "hold"}} {
			if gap := at(pair[1]) - end(pair[0]); gap < line {
				t.Errorf("%s %s lies %d bytes after its %s", name, pair[1], gap, pair[0])
			}
		}
		if gap := v.Addr().Pointer() + v.Type().Size() - end("hold"); gap < line {
			t.Errorf("%s record ends %d bytes after its hold", name, gap)
		}
	}
	ring := reflect.TypeFor[ring]()
	producer, _ := ring.FieldByName("producer")
	spilled, _ := ring.FieldByName("spilled")
	if gap := producer.Offset - spilled.Offset - spilled.Type.Size(); gap < line {
		t.Errorf("the producer's record lies %d bytes after the ring's fields", gap)
	}
	for _, half := range []reflect.Type{reflect.TypeFor[Producer](), reflect.TypeFor[Consumer]()} {
		last := half.Field(half.NumField() - 1)
		if last.Name != "_" || last.Type.Size() < line {
			t.Errorf("%s does not end with a line", half)
		}
	}
}

// No hot call allocates. The race detector does not change that: its shadow memory
// is not counted.
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
			b, _ := c.Peek(5) // the calls reach each place, so also the wrap
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
				m, err = c.WriteTo(dst) // once before the wrap and once after it
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
			for range p.Cap() { // once for each place, since Peek keeps the buffer in which it joins bytes
				run()
			}
			if got := testing.AllocsPerRun(5*p.Cap(), run); got != 0 {
				t.Errorf("%s allocates %v times with %d consumers and capacity %d", tc.name, got, consumers, p.Cap())
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
