package pump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/internal/splice"
)

// A spliceCall is the system call.
type spliceCall = func(from, to uintptr, n int) (int, syscall.Errno)

// onSplice counts the bytes that are spliced, by call instead of the system's if it
// is not nil, until the test ends.
func onSplice(t *testing.T, call spliceCall) *atomic.Int64 {
	var spliced atomic.Int64
	real := kernel.Splice
	if call == nil {
		call = real
	}
	kernel.Splice = func(from, to uintptr, n int) (int, syscall.Errno) {
		moved, errno := call(from, to, n)
		spliced.Add(int64(moved))
		return moved, errno
	}
	t.Cleanup(func() { kernel.Splice = real })
	return &spliced
}

// A line is a copy from pipe to pipe with the other ends of both.
type line struct {
	feed, src, dst, drain *os.File
	done                  <-chan result
	spliced               *atomic.Int64
}

// splicing starts the copy.
func splicing(t *testing.T, ctx context.Context, opts ...Option) *line {
	t.Helper()
	return splicingBy(t, ctx, nil, opts...)
}

func splicingBy(t *testing.T, ctx context.Context, call spliceCall, opts ...Option) *line {
	t.Helper()
	var l line
	l.feed, l.src = pipe(t)
	l.dst, l.drain = pipe(t)
	l.drain.SetReadDeadline(time.Now().Add(prompt)) // for bytes that are lost
	l.spliced = onSplice(t, call)
	l.done = start(ctx, l.dst, l.src, append(opts, Splice())...)
	return &l
}

// pass fails the test unless the next n bytes of the stream come through.
func (l *line) pass(t *testing.T, at uint64, n int) {
	t.Helper()
	go l.feed.Write(pattern.Bytes(at, n))
	l.takes(t, at, n)
}

// intoSplice passes bytes until one was spliced, and returns how many. The source
// then waits for the next one in a splice.
func (l *line) intoSplice(t *testing.T) (at int) {
	t.Helper()
	large := 100_000 + os.Getpagesize() // more than a packet
	l.pass(t, 0, large)
	for at = large; ; at++ {
		before := l.spliced.Load()
		if l.pass(t, uint64(at), 1); l.spliced.Load() > before {
			return at + 1
		}
	}
}

func (l *line) takes(t *testing.T, at uint64, n int) {
	t.Helper()
	got := make([]byte, n)
	if _, err := io.ReadFull(l.drain, got); err != nil || !bytes.Equal(got, pattern.Bytes(at, n)) {
		t.Fatalf("of %d bytes at %d came %v, or they differ", n, at, err)
	}
}

// TestSpliceMovesAll checks a stream between ends that are now fast, now slow: all of
// it arrives, in order, once, and is counted.
func TestSpliceMovesAll(t *testing.T) {
	const size = 8_000_001
	pause := func(r *rand.Rand) {
		if r.IntN(40) == 0 {
			time.Sleep(time.Duration(r.Int64N(int64(3 * splice.Patience))))
		}
	}
	for seed := range uint64(4) {
		var meter Meter
		l := splicing(t, context.Background(), Capacity(1<<20), WithMeter(&meter))
		go func() {
			r := rand.New(rand.NewPCG(seed, 1))
			for at := 0; at < size; pause(r) {
				n := min(1+r.IntN(200_000), size-at)
				l.feed.Write(pattern.Bytes(uint64(at), n))
				at += n
			}
			l.feed.Close()
		}()
		all := make(chan []byte)
		go func() {
			r := rand.New(rand.NewPCG(seed, 2))
			var got []byte
			for b := make([]byte, 200_000); ; pause(r) {
				n, err := l.drain.Read(b[:1+r.IntN(len(b))])
				got = append(got, b[:n]...)
				if err != nil {
					all <- got
					return
				}
			}
		}()
		r := <-l.done
		l.dst.Close()
		arrived(t, <-all, size)
		moved(t, r.stats, size, size)
		if r.err != nil || meter.Stats() != r.stats {
			t.Errorf("%v; the meter has %+v, the stats are %+v", r.err, meter.Stats(), r.stats)
		}
		if l.spliced.Load() == 0 {
			t.Error("nothing was spliced")
		}
	}
}

// TestSpliceFillsTheRing checks that the source does not wait for a sink that is
// behind, and that bytes are spliced again once it has caught up.
func TestSpliceFillsTheRing(t *testing.T) {
	p, c, err := bytering.New(4 << 20)
	if err != nil {
		t.Fatal(err)
	}
	l := splicing(t, context.Background(), Ring(p, c))
	at := uint64(l.intoSplice(t))
	const most, large = 3 << 20, 100_000
	l.feed.Write(pattern.Bytes(at, most)) // returns before anything is read from drain
	before := l.spliced.Load()
	l.takes(t, at, most)
	for at += most; l.spliced.Load() == before; at += large {
		l.pass(t, at, large)
	}
	l.feed.Close()
	if r := <-l.done; r.err != nil || r.stats.Sink.Bytes != int64(at) {
		t.Errorf("%+v", r)
	}
	if copied := p.Position(); copied+uint64(l.spliced.Load()) != at {
		t.Errorf("%d bytes were in the ring and %d were spliced, of %d", copied, l.spliced.Load(), at)
	}
}

type moverFunc func(n int) int

func (f moverFunc) Move(n int) int { return f(n) }

// TestSpliceEnds checks what a splice that moves nothing leaves behind.
func TestSpliceEnds(t *testing.T) {
	p, c, err := bytering.New(1000)
	if err != nil {
		t.Fatal(err)
	}
	f := newFlow(io.Discard, endless(), configure([]Option{Ring(p, c)}), seam.NewToken())
	for _, n := range []int{0, -1} {
		f.late, f.fed, f.mover = false, 0, moverFunc(func(int) int { return n })
		if err := f.splice(); err != nil || !f.late || f.fed != unknown || (f.mover == nil) != (n < 0) {
			t.Errorf("after %d: %v, late %v, fed %d, mover %v", n, err, f.late, f.fed, f.mover != nil)
		}
	}
}

// TestSpliceFreesTheSource checks that a sink that is slow and never stops does not
// set the pace of the source while the ring has room.
func TestSpliceFreesTheSource(t *testing.T) {
	const size = 30_000_000
	l := splicing(t, context.Background(), Capacity(32<<20))
	at := l.intoSplice(t)
	var fed atomic.Bool
	go func() {
		l.feed.Write(pattern.Bytes(uint64(at), size))
		fed.Store(true)
		l.feed.Close()
	}()
	const piece = 64 << 10 // as much as a pipe holds
	for n := 0; !fed.Load(); n += piece {
		if n > size*9/10 {
			t.Fatal("the source is as slow as the sink")
		}
		time.Sleep(splice.Patience / 4)
		l.takes(t, uint64(at), piece)
		at += piece
	}
	all := readAll(l.drain)
	r := <-l.done
	l.dst.Close()
	if b := <-all; r.err != nil || !bytes.Equal(b, pattern.Bytes(uint64(at), len(b))) {
		t.Errorf("the last %d bytes differ, or %v", len(b), r.err)
	}
}

// TestSpliceCatchesUp checks for how long the source waits for the sink.
func TestSpliceCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c, err := bytering.New(2 * little)
		if err != nil {
			t.Fatal(err)
		}
		f := flow{patience: splice.Patience}
		f.fixed = &ring{p: p}
		var taking sync.WaitGroup
		caughtUp := func(what string, want bool, takes time.Duration) {
			t.Helper()
			begin := time.Now()
			if got := f.caughtUp(); got != want {
				t.Errorf("%s: caught up: %v", what, got)
			}
			if d := time.Since(begin); d != takes {
				t.Errorf("%s: it took %v, want %v", what, d, takes)
			}
			taking.Wait()
		}
		taken := func(after time.Duration) {
			taking.Go(func() {
				time.Sleep(after)
				a, b := c.Slices()
				c.Discard(len(a) + len(b))
			})
		}
		caughtUp("an empty ring", true, 0)
		p.Write(stream(1))
		taken(splice.Patience / 2)
		caughtUp("a sink that is not behind", true, splice.Patience/2)
		p.Write(stream(1))
		caughtUp("a sink that is behind", false, splice.Patience)
		caughtUp("still behind", false, 0)
		p.Write(stream(little))
		caughtUp("far behind", false, 0)
		c.Slices()
		c.Discard(1)
		taken(splice.Patience / 2)
		caughtUp("the sink comes near", true, splice.Patience/2)
		p.Write(stream(1))
		caughtUp("behind again", false, splice.Patience)
		taken(0)
		taking.Wait()
		caughtUp("empty again", true, 0)
		p.Write(stream(1))
		caughtUp("behind once more", false, splice.Patience)
		f.noteRead(1)
		taken(splice.Patience / 2)
		caughtUp("nothing but the last read", true, splice.Patience/2)
		f.late, f.fed = true, unknown // by a splice
		p.Write(stream(1))
		f.noteRead(1)
		caughtUp("the first read after a splice", false, 0)
		taken(0)
		taking.Wait()
		p.Write(stream(1))
		f.noteRead(1)
		taken(splice.Patience / 2)
		caughtUp("the second read after a splice", true, splice.Patience/2)
	})
}

// packets makes what is written to the feed come in packets.
func (l *line) packets(t *testing.T) {
	t.Helper()
	if _, errno := setDirect(l.feed); errno != 0 {
		t.Skipf("there are no pipes of packets: %v", errno)
	}
}

// TestSplicePackets checks that nothing of a packet is lost: a reader of what was
// spliced could lose it.
func TestSplicePackets(t *testing.T) {
	l := splicing(t, context.Background())
	l.packets(t)
	const packet, packets = 4096, 100
	go func() {
		for i := range packets {
			l.feed.Write(pattern.Bytes(uint64(i*packet), packet))
		}
		l.feed.Close()
	}()
	var got []byte
	for b := make([]byte, 100); len(got) < packet*packets; {
		n, err := l.drain.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	arrived(t, got, packet*packets)
	if n := l.spliced.Load(); n > 0 {
		t.Errorf("%d bytes were spliced", n)
	}
	if r := <-l.done; r.err != nil {
		t.Error(r.err)
	}
}

// TestSplicePacketsLater checks that packets after a stream are read whole, however
// full the ring is.
func TestSplicePacketsLater(t *testing.T) {
	l := splicing(t, context.Background(), Capacity(4*os.Getpagesize()+2000))
	at := l.intoSplice(t)
	l.packets(t)
	const packet, packets = 4000, 200
	go func() {
		for i := range packets {
			l.feed.Write(pattern.Bytes(uint64(at+i*packet), packet))
		}
		l.feed.Close()
	}()
	time.Sleep(4 * splice.Patience)        // until the ring is full
	l.takes(t, uint64(at), packet*packets) // each of whose reads has room for a packet
	if r := <-l.done; r.err != nil {
		t.Error(r.err)
	}
}

// TestSpliceStops checks that what a copy reports as written when it is stopped is
// what has arrived, and that the rest lies in the source or the ring.
func TestSpliceStops(t *testing.T) {
	for name, wait := range map[string]func(l *line, at uint64){
		"waiting for input": func(*line, uint64) {},
		"in the middle":     func(l *line, at uint64) { go l.feed.Write(pattern.Bytes(at, 10<<20)) },
		"with a full pipe": func(l *line, at uint64) {
			go l.feed.Write(pattern.Bytes(at, 10<<20))
			time.Sleep(splice.Patience / 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := cancellable()
			l := splicing(t, ctx)
			at := l.intoSplice(t)
			wait(l, uint64(at))
			var r result
			soon(t, func() {
				cancel()
				r = <-l.done
			})
			e := failed(t, r.err, Neither, errTest)
			l.dst.Close()
			rest, err := io.ReadAll(l.drain)
			if err != nil {
				t.Fatal(err)
			}
			safe(t, e, int64(at+len(rest)))
			if !bytes.Equal(rest, pattern.Bytes(uint64(at), len(rest))) {
				t.Error("the last bytes differ")
			}
		})
	}
}

// TestSpliceIsLeftBehind lets a splice take longer than the grace. It may have put
// into the sink what it was given.
func TestSpliceIsLeftBehind(t *testing.T) {
	ctx, cancel := cancellable()
	most := os.Getpagesize() + 1
	begun, release := make(chan struct{}), make(chan struct{})
	var slow atomic.Bool
	var meter Meter
	call := kernel.Splice
	l := splicingBy(t, ctx, func(from, to uintptr, n int) (int, syscall.Errno) {
		if slow.CompareAndSwap(true, false) {
			close(begun)
			<-release
		}
		return call(from, to, n)
	}, MaxCall(most), Capacity(16*most), WithMeter(&meter))
	at := l.intoSplice(t)
	slow.Store(true)
	l.feed.Write(pattern.Bytes(uint64(at), 10))
	<-begun
	cancel()
	r := <-l.done
	e := failed(t, r.err, Neither, errTest)
	if e.Written != int64(at) || e.Pending != int64(most) {
		t.Errorf("%d bytes are written and %d pending, want %d and %d", e.Written, e.Pending, at, most)
	}
	close(release)
	l.takes(t, uint64(at), 10)
	time.Sleep(splice.Patience)
	if meter.Stats() != r.stats {
		t.Errorf("the meter changed to %+v; the stats are %+v", meter.Stats(), r.stats)
	}
}

// TestSpliceFails checks that an end that fails is reported as without a splice.
func TestSpliceFails(t *testing.T) {
	l := splicing(t, context.Background())
	at := int64(l.intoSplice(t))
	l.drain.Close()
	l.feed.Write(pattern.Bytes(uint64(at), 10))
	r := <-l.done
	e := failed(t, r.err, Sink, syscall.EPIPE)
	safe(t, e, at)
	if e.Offset != at {
		t.Errorf("failed at byte %d, want %d", e.Offset, at)
	}

	l = splicing(t, context.Background())
	at = int64(l.intoSplice(t))
	l.dst.SetWriteDeadline(time.Unix(1, 0))
	for fed, ended := uint64(at), false; !ended; fed++ {
		l.feed.Write(pattern.Bytes(fed, 1))
		select {
		case r = <-l.done:
			ended = true
		case <-time.After(time.Millisecond):
		}
	}
	l.dst.Close()
	last, _ := io.ReadAll(l.drain) // what a splice that had begun has moved
	safe(t, failed(t, r.err, Sink, os.ErrDeadlineExceeded), at+int64(len(last)))

	l = splicing(t, context.Background())
	at = int64(l.intoSplice(t))
	l.src.SetReadDeadline(time.Unix(1, 0))
	r = <-l.done
	safe(t, failed(t, r.err, Source, os.ErrDeadlineExceeded), at)
}

// copied copies size bytes of the stream from pipe to pipe, and returns the error of
// Copy. It fails the test unless they arrive.
func copied(t *testing.T, size int64, opts ...Option) error {
	t.Helper()
	feed, src := pipe(t)
	dst, drain := pipe(t)
	go func() {
		feed.Write(stream(int(size)))
		feed.Close()
	}()
	all := readAll(drain)
	_, err := Copy(context.Background(), dst, src, opts...)
	dst.Close()
	arrived(t, <-all, size)
	return err
}

// TestSpliceIsRefused checks that a system without it loses nothing, and is asked once.
func TestSpliceIsRefused(t *testing.T) {
	const size = 1_000_000
	asked := 0
	onSplice(t, func(from, to uintptr, n int) (int, syscall.Errno) {
		asked++
		return 0, syscall.EPERM
	})
	if err := copied(t, size, Splice()); err != nil || asked != 1 {
		t.Errorf("%v; asked %d times", err, asked)
	}
}

// TestSpliceMaxCall checks that a splice is a call.
func TestSpliceMaxCall(t *testing.T) {
	const size = 1_000_000
	most := 2*os.Getpagesize() + 1
	call := kernel.Splice
	spliced := onSplice(t, func(from, to uintptr, n int) (int, syscall.Errno) {
		if n > most {
			t.Errorf("a splice of %d bytes, want at most %d", n, most)
		}
		return call(from, to, n)
	})
	if err := copied(t, size, MaxCall(most), Splice()); err != nil || spliced.Load() == 0 {
		t.Errorf("%d bytes were spliced, %v", spliced.Load(), err)
	}
}

// TestSpliceNot checks where no byte may pass the ring by.
func TestSpliceNot(t *testing.T) {
	const size = 300_000
	spliced := onSplice(t, nil)
	check := func(name string, opts ...Option) {
		if err := copied(t, size, opts...); err != nil || spliced.Load() > 0 {
			t.Errorf("%s: %d bytes were spliced, %v", name, spliced.Load(), err)
		}
	}
	check("without the option")
	check("calls of a packet", MaxCall(os.Getpagesize()), Splice())
	check("a pool at its limit", WithPool(NewPool(1000)), Splice())
	pool := new(Pool)
	check("a ring without room for a packet", Capacity(1000), WithPool(pool), Splice())
	if pool.lent != 0 {
		t.Errorf("%d bytes of the pool are lent", pool.lent)
	}
	p, cs, err := bytering.NewBroadcast(1<<20, 2)
	if err != nil {
		t.Fatal(err)
	}
	other := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(cs[1])
		other <- b
	}()
	check("another consumer", Ring(p, cs[0]), Splice())
	arrived(t, <-other, size)
}

// TestSpliceRingClosed closes a half of the ring while the source waits in a splice.
func TestSpliceRingClosed(t *testing.T) {
	for side, closes := range map[Side]func(p *bytering.Producer, c *bytering.Consumer){
		Source: func(p *bytering.Producer, _ *bytering.Consumer) { p.CloseWithError(errTest) },
		Sink:   func(_ *bytering.Producer, c *bytering.Consumer) { c.CloseWithError(errTest) },
	} {
		p, c, err := bytering.New(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		l := splicing(t, context.Background(), Ring(p, c))
		at := l.intoSplice(t)
		closes(p, c)
		var r result
		soon(t, func() { r = <-l.done })
		var e *Error
		if !errors.As(r.err, &e) || e.Side != side {
			t.Fatalf("%v: error %v", side, r.err)
		}
		safe(t, e, int64(at))
	}
}
