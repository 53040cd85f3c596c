package bytering

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// mappings returns the options that map memory, each alone, and then all that can
// be combined on this system.
func mappings() map[string][]Option {
	all := map[string][]Option{}
	switch runtime.GOOS {
	case "linux", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly":
		all["mapped"] = []Option{Mapped()}
		all["huge pages"] = []Option{HugePages()}
		all["lock"] = []Option{Lock()}
		all["prefault"] = []Option{Prefault()}
		all["prefault, aligned"] = []Option{Prefault(), Align(1 << 16)}
	}
	if remaps() == nil {
		all["mirror"] = []Option{Mirror()}
		all["everything"] = []Option{Mirror(), HugePages(), Lock(), Prefault(), Align(1 << 16)}
	}
	return all
}

// layouts returns the options for which a ring's memory is laid out so that its
// code differs.
func layouts() [][]Option {
	if remaps() == nil {
		return [][]Option{nil, {Mirror()}}
	}
	return [][]Option{nil}
}

// done closes a ring and gives back what it lent, so that mapped memory is
// unmapped.
func done(t testing.TB, p *Producer, cs ...*Consumer) {
	t.Cleanup(func() {
		closeAll(p, cs)
		p.Commit(0)
		for _, c := range cs {
			c.Discard(0)
		}
	})
}

func TestMappings(t *testing.T) {
	for name, opts := range mappings() {
		for _, capacity := range []int{1, 4096, 5000} {
			p, c, err := New(capacity, opts...)
			if errors.Is(err, ErrLock) {
				t.Logf("%s: %v", name, err)
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			done(t, p, c)
			if p.quick > 0 || c.quick > 0 {
				t.Errorf("%s: the halves may move %d and %d bytes without taking their holds", name, p.quick, c.quick)
			}
			rounded := map[string]int{"huge pages": 2 << 20, "everything": 2 << 20, "mirror": os.Getpagesize()}[name]
			rounded = max(1, rounded)
			if want := (capacity + rounded - 1) / rounded * rounded; p.Cap() != want || c.Cap() != want {
				t.Errorf("%s: capacity %d became %d and %d, want %d", name, capacity, p.Cap(), c.Cap(), want)
			}
			for range 3 {
				n := p.Cap() - 1
				fill(t, p, n)
				b, err := io.ReadAll(io.LimitReader(c, int64(n)))
				if err := errors.Join(err, checkStream(b, c.Position()-uint64(len(b)))); err != nil || len(b) != n {
					t.Errorf("%s: ReadAll returns %d of %d bytes, %v", name, len(b), n, err)
				}
			}
			if _, ok := p.HugePages(); ok != (runtime.GOOS == "linux") {
				t.Errorf("%s: HugePages returns ok %t", name, ok)
			}
			if at := reflect.ValueOf(p.ring.mem).Pointer(); strings.Contains(name, "aligned") && at%(1<<16) != 0 {
				t.Errorf("%s: the memory starts at %#x", name, at)
			}
			closeAll(p, []*Consumer{c})
			if n, ok := p.HugePages(); n != 0 || ok {
				t.Errorf("%s: HugePages of a closed ring: %d, %t", name, n, ok)
			}
		}
	}
	p, _ := pair(t, 8)
	if n, ok := p.HugePages(); n != 0 || ok {
		t.Errorf("HugePages on the heap: %d, %t", n, ok)
	}
}

func TestMappingsRefused(t *testing.T) {
	dir := t.TempDir()
	empty, err := os.Create(filepath.Join(dir, "empty"))
	full, err2 := os.Create(filepath.Join(dir, "full"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	defer full.Close()
	full.WriteString("mine")
	for _, tc := range []struct {
		opts []Option
		err  error
		says string
	}{
		{[]Option{File(nil)}, ErrFile, "nil"},
		{[]Option{Mirror(), Align(3)}, ErrInvalidAlignment, "3"},
		{[]Option{File(full)}, ErrFile, "full"},
		{[]Option{File(empty), Prefault()}, ErrInvalidMemory, "empty"},
	} {
		p, c, err := New(8, tc.opts...)
		if runtime.GOOS != "linux" && errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if !errors.Is(err, tc.err) || !strings.HasPrefix(err.Error(), "bytering: ") || !strings.Contains(err.Error(), tc.says) || p != nil || c != nil {
			t.Errorf("%v, want %v", err, tc.err)
		}
	}
	if _, _, err := New(8, Mirror()); runtime.GOOS != "linux" && !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Mirror on %s: %v", runtime.GOOS, err)
	}
}

// On mirrored memory there is one slice at every place, and Peek never copies.
func TestMirrorNeverWraps(t *testing.T) {
	if err := remaps(); err != nil {
		t.Skip("no mirrored memory:", err)
	}
	p, c := pair(t, 1, Mirror())
	done(t, p, c)
	size := p.Cap()
	for off := 0; off < size; off += 1 + size/64 {
		mustMove(t, p, c, (size+off-p.off)%size)
		for _, n := range []int{1, size / 2, size - 1, size} {
			a, b := p.Slices()
			if len(a) != size || cap(a) != size || len(b) > 0 {
				t.Fatalf("at %d: Slices returns %d and %d bytes of empty space", off, len(a), len(b))
			}
			fillStream(a[:n], p.Position())
			p.Commit(n)
			x, err := c.Peek(n)
			if bad := checkStream(x, c.Position()); bad != nil || err != nil || len(x) != n || cap(x) != n || &x[0] != &a[0] {
				t.Fatalf("at %d: Peek(%d) returns %d bytes, %v, %v", off, n, len(x), err, bad)
			}
			if a, b := c.Slices(); len(a) != n || len(b) > 0 {
				t.Fatalf("at %d: Slices returns %d and %d bytes of filled space", off, len(a), len(b))
			}
			c.Discard(n)
			mustMove(t, p, c, size-n)
		}
	}
	if c.scratch != nil {
		t.Error("Peek has copied")
	}
}

// After both halves are closed, every call reports that, and none faults.
func TestCallsAfterUnmapping(t *testing.T) {
	for name, opts := range mappings() {
		if name == "everything" {
			continue
		}
		for _, filled := range []int{0, 1} {
			p, c, err := New(8, opts...)
			if err != nil {
				t.Skip(err)
			}
			fill(t, p, filled)
			look := func([][]byte, int) (int, error) { return 0, nil }
			if _, err := p.IOSlices(look); err != nil {
				t.Error(err)
			}
			if _, err := c.IOSlices(look); err != nil {
				t.Error(err)
			}
			closeAll(p, []*Consumer{c})
			for range 2 {
				for _, m := range producerCalls {
					n, err := m.run(p)
					want(t, name+", "+m.name, n, err, 0, io.ErrClosedPipe)
				}
				for _, m := range consumerCalls {
					n, err := m.run(c)
					want(t, name+", "+m.name, n, err, 0, io.ErrClosedPipe)
				}
			}
			// No pointer to the memory is left that the collector could find.
			if p.ring.mem != nil || p.ring.view != nil || p.bufs[0] != nil || c.bufs[0] != nil {
				t.Errorf("%s: the ring still points to the memory", name)
			}
			a, b := p.Slices()
			x, y := c.Slices()
			if len(a)+len(b)+len(x)+len(y) > 0 || p.Commit(0) != io.ErrClosedPipe || c.Discard(0) != io.ErrClosedPipe {
				t.Errorf("%s: Slices of a closed ring returns bytes", name)
			}
			if err := Reset(p, c); !errors.Is(err, ErrInvalidReset) || !strings.Contains(err.Error(), "mapped") {
				t.Errorf("%s: Reset: %v", name, err)
			}
			if n := p.Cap(); n < 8 || p.Free() != n-filled || c.Len() != filled {
				t.Errorf("%s: Free is %d and Len is %d in a ring of %d", name, p.Free(), c.Len(), n)
			}
		}
	}
}

// mapped counts the mappings of the file called name.
func mapped(t *testing.T, name string) int {
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	return strings.Count(string(b), name+"\n") + strings.Count(string(b), name+" (deleted)\n")
}

// Memory is unmapped once all halves are closed and nothing is lent, or when a ring
// with nothing lent is abandoned. Memory that an abandoned ring has handed out
// stays mapped.
func TestUnmapping(t *testing.T) {
	if err := remaps(); err != nil {
		t.Skip("no mirrored memory:", err)
	}
	const rings = 50
	run := func(p *Producer, c *Consumer, closes bool) {
		back := make(chan bool, 2)
		go func() { p.ReadFrom(&source{0, 100000}); p.Write(stream(0, 9)); back <- true }()
		go func() { io.Copy(io.Discard, c); back <- true }()
		if closes {
			go p.Close()
			c.Close()
		} else {
			p.SetWriteDeadline(longAgo)
			c.SetReadDeadline(longAgo)
		}
		<-back
		<-back
	}
	for _, tc := range []struct {
		name string
		gone bool
		use  func(p *Producer, c *Consumer) []byte
	}{
		{"closed", true, func(p *Producer, c *Consumer) []byte { p.Close(); c.Close(); return nil }},
		{"closed at work", true, func(p *Producer, c *Consumer) []byte { run(p, c, true); return nil }},
		{"given back after closing", true, func(p *Producer, c *Consumer) []byte {
			p.Slices()
			p.Close()
			c.Close()
			p.Commit(0)
			return nil
		}},
		{"closed by one whose note panics", true, func(p *Producer, c *Consumer) []byte {
			panics := func(do func()) {
				defer func() {
					if recover() == nil {
						t.Error("a panic of Notify's function does not propagate")
					}
				}()
				do()
			}
			c.Notify(1, func() { panic("in a note") })
			panics(func() { p.Close() })
			p.Notify(1, func() { panic("in a note") })
			c.Close()
			return nil
		}},
		{"given back by one whose note panics", true, func(p *Producer, c *Consumer) []byte {
			p.Write(stream(0, 9))
			c.Slices()
			p.Close()
			c.Close()
			c.Discard(0)
			return nil
		}},
		{"abandoned untouched", true, func(p *Producer, c *Consumer) []byte { return nil }},
		{"abandoned after work", true, func(p *Producer, c *Consumer) []byte { run(p, c, false); return nil }},
		{"abandoned half closed", true, func(p *Producer, c *Consumer) []byte { p.Write(stream(0, 9)); p.Close(); return nil }},
		{"closed while lent", false, func(p *Producer, c *Consumer) []byte {
			a, _ := p.Slices()
			p.Close()
			c.Close()
			return a
		}},
		{"abandoned while the producer lends", false, func(p *Producer, c *Consumer) []byte { a, _ := p.Slices(); return a }},
		{"abandoned while the consumer lends", false, func(p *Producer, c *Consumer) []byte {
			p.Write(stream(0, 9))
			a, _ := c.Slices()
			return a
		}},
		{"abandoned after Peek", false, func(p *Producer, c *Consumer) []byte {
			p.Write(stream(0, 9))
			a, _ := c.Peek(9)
			return a
		}},
		{"abandoned after a callback", false, func(p *Producer, c *Consumer) (kept []byte) {
			p.IOSlices(func(bufs [][]byte, n int) (int, error) { kept = bufs[0]; return 0, nil })
			return kept
		}},
	} {
		name := filepath.Join(t.TempDir(), strconv.Itoa(os.Getpid())+"-ring")
		var kept [][]byte
		var closed []*Producer // keeps the rings reachable, so that only their Close can have unmapped them
		for i := range rings {
			f, err := os.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			opts := []Option{File(f)}
			if i%2 == 0 {
				opts = append(opts, Mirror())
			}
			p, c := pair(t, 1<<14, opts...)
			f.Close()
			os.Remove(name)
			if b := tc.use(p, c); b != nil {
				kept = append(kept, b)
			}
			if c.Err() == io.ErrClosedPipe {
				closed = append(closed, p)
			}
			if i%8 == 0 {
				runtime.GC()
			}
		}
		left := rings + rings/2
		for i := 0; i < 100 && left > 0 && (tc.gone || i < 5); i++ {
			runtime.GC()
			runtime.Gosched()
			left = mapped(t, name)
		}
		if tc.gone && left > 0 || !tc.gone && left != rings+rings/2 {
			t.Errorf("%s: %d of %d mappings are left", tc.name, left, rings+rings/2)
		}
		runtime.KeepAlive(closed)
		for _, b := range kept {
			b[0]++ // faults if the memory is unmapped
		}
	}
}

// A pin keeps the memory that was handed out mapped, over commits and discards,
// until the pin is taken back and the halves are closed.
func TestPinned(t *testing.T) {
	for name, opts := range mappings() {
		p, c, err := New(4096, opts...)
		if errors.Is(err, ErrLock) {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p.Pin()
		a, _ := p.Slices()
		if err := p.Commit(8); err != nil {
			t.Fatal(err)
		}
		c.Pin()
		b, _ := c.Slices()
		if err := c.Discard(4); err != nil {
			t.Fatal(err)
		}
		closeAll(p, []*Consumer{c})
		p.Commit(0)
		c.Discard(0)
		a[len(a)-1] = b[7] // faults if the memory is unmapped
		p.Unpin()
		if p.ring.mem == nil {
			t.Errorf("%s: the memory is unmapped while the consumer is pinned", name)
		}
		c.Unpin()
		if p.ring.mem != nil {
			t.Errorf("%s: the memory is still mapped after both pins were taken back", name)
		}
	}
}

// One of several consumers limits the producer while it is pinned, closed or not.
func TestPinnedConsumerLimits(t *testing.T) {
	p, cs := some(t, 8, 1)
	fill(t, p, 8)
	cs[0].Pin()
	cs[0].Pin()
	cs[0].Slices()
	cs[0].Discard(3)
	cs[0].Close()
	for range 2 {
		if cs[0].Discard(0); !cs[0].Limits() {
			t.Fatal("a pinned consumer does not limit")
		}
		cs[0].Unpin()
	}
	if cs[0].Limits() {
		t.Error("the consumer still limits after its pin was taken back")
	}
}

func TestPinsAndReset(t *testing.T) {
	for _, half := range []string{"producer", "consumer"} {
		p, c := pair(t, 8)
		pin, unpin := p.Pin, p.Unpin
		if half == "consumer" {
			pin, unpin = c.Pin, c.Unpin
		}
		pin()
		closeAll(p, []*Consumer{c})
		if err := Reset(p, c); !errors.Is(err, ErrInvalidReset) || !strings.Contains(err.Error(), half) {
			t.Errorf("Reset with a pinned %s: %v", half, err)
		}
		unpin()
		if err := Reset(p, c); err != nil {
			t.Error(err)
		}
		panics(t, "Unpin without a Pin", unpin, "not pinned")
		pin() // the half stays usable after the panic
		unpin()
	}
}

// lends reports whether a half of a closed ring still keeps the ring's memory.
func lends(p *Producer, cs []*Consumer, half string) bool {
	if p.ring.mapped {
		return p.ring.mem != nil
	}
	err := Reset(p, cs...)
	return err != nil && strings.Contains(err.Error(), "slices are lent by the "+half)
}

// What a producer was handed stays its own until the producer gives it back (I8),
// whichever half closes and whatever calls come after that.
func TestProducerKeepsWhatItWasHanded(t *testing.T) {
	calls := append(producerCalls[:len(producerCalls):len(producerCalls)],
		call[*Producer]{"Slices", false, 0, func(p *Producer) (int, error) { a, b := p.Slices(); return len(a) + len(b), p.Err() }},
		call[*Producer]{"Notify", false, 0, func(p *Producer) (int, error) { p.Notify(1, func() {}); return 0, p.Err() }})
	for _, layout := range layouts() {
		for _, m := range calls {
			p, cs := cast(t, 8, 2, layout...)
			done(t, p, cs...)
			a, b := p.Slices()
			n := len(a) + len(b)
			for _, c := range cs {
				c.Close()
			}
			for range 2 {
				n, err := m.run(p)
				want(t, m.name+" after the consumers' Close", n, err, 0, io.ErrClosedPipe)
			}
			if err := p.Commit(n); err != nil {
				t.Errorf("Commit of the %d bytes handed out before the consumers' Close and %s: %v", n, m.name, err)
			}

			p, cs = cast(t, 8, 2, layout...)
			p.Slices()
			closeAll(p, cs)
			for range 2 {
				n, err := m.run(p)
				want(t, m.name+" after all Closes", n, err, 0, io.ErrClosedPipe)
			}
			if !lends(p, cs, "producer") {
				t.Errorf("%s on a closed producer gives back what it was handed before", m.name)
			}
			if p.Commit(0); lends(p, cs, "producer") {
				t.Errorf("%s, then Commit(0) on a closed producer gives nothing back", m.name)
			}
		}
	}
}

// What a consumer was handed stays its own in the same way.
func TestConsumerKeepsWhatItWasHanded(t *testing.T) {
	calls := append(consumerCalls[:len(consumerCalls):len(consumerCalls)],
		call[*Consumer]{"Slices", false, 0, func(c *Consumer) (int, error) { a, b := c.Slices(); return len(a) + len(b), c.Err() }},
		call[*Consumer]{"Notify", false, 0, func(c *Consumer) (int, error) { c.Notify(1, func() {}); return 0, c.Err() }})
	handOuts := map[string]func(*Consumer){"Slices": func(c *Consumer) { c.Slices() }, "Peek": func(c *Consumer) { c.Peek(4) }}
	for _, layout := range layouts() {
		for _, m := range calls {
			for name, handOut := range handOuts {
				p, cs := cast(t, 8, 2, layout...)
				fill(t, p, 4)
				cs[1].Slices()
				cs[1].Discard(4)
				handOut(cs[0])
				closeAll(p, cs)
				for range 2 {
					n, err := m.run(cs[0])
					want(t, name+", Close, "+m.name, n, err, 0, io.ErrClosedPipe)
				}
				if !cs[0].Limits() || !lends(p, cs, "consumer at 0") {
					t.Errorf("%s on a closed consumer gives back what %s had handed out", m.name, name)
				}
				if cs[0].Discard(0); cs[0].Limits() || lends(p, cs, "consumer at 0") {
					t.Errorf("%s, then Discard(0) on a closed consumer gives nothing back", m.name)
				}
			}
		}
	}
}
