package async_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

// TestRandom moves a stream through a ring with Fill and with Drain or DrainParts
// at once, over and over, between ends that return short counts, fail, delay and
// panic at random, under a context and halves that end at random. With RUNS=n in
// the environment it does so n times.
func TestRandom(t *testing.T) {
	runs := 300
	if testing.Short() {
		runs = 100
	}
	if s := os.Getenv("RUNS"); s != "" {
		var err error
		if runs, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	before := runtime.NumGoroutine()
	for seed := range uint64(runs) {
		if err := randomRun(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 100 {
			t.Fatalf("there are %d goroutines, want the %d from before", runtime.NumGoroutine(), before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A side is one end of a run, with faults of its own.
type side struct {
	seed    uint64
	failAt  int64 // where it fails for good, or a place beyond the stream
	endAt   int64 // where a source ends
	panicAt int64 // where it panics, or a place beyond the stream
	flaky   bool
	slow    bool
	calls   atomic.Uint64
	running atomic.Int32
}

func newSide(r *rand.Rand, n int64) *side {
	s := &side{seed: r.Uint64(), failAt: n + 1, endAt: n, panicAt: n + 1, flaky: r.IntN(2) == 0, slow: r.IntN(3) == 0}
	switch r.IntN(5) {
	case 0:
		s.failAt = r.Int64N(n + 1)
	case 1:
		s.panicAt = r.Int64N(n + 1)
	}
	return s
}

// enter begins a call for n bytes at off. It returns how many of them the call must
// move, and with which error it must end.
func (s *side) enter(ctx context.Context, n int, off int64) (int, error) {
	r := rand.New(rand.NewPCG(s.seed, s.calls.Add(1)))
	if s.slow {
		select {
		case <-time.After(time.Duration(r.IntN(50)) * time.Microsecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if off <= s.panicAt && s.panicAt < off+int64(n) {
		panic(errTest)
	}
	if s.flaky {
		switch r.IntN(8) {
		case 0:
			return 0, io.ErrUnexpectedEOF
		case 1:
			return int(min(r.Int64N(int64(n)), max(0, s.failAt-off))), io.ErrUnexpectedEOF
		}
	}
	if s.failAt < off+int64(n) {
		return int(max(0, s.failAt-off)), errTest
	}
	return n, nil
}

func (s *side) retry(err error, attempt int) (time.Duration, bool) {
	return time.Duration(attempt%2) * time.Microsecond, err == io.ErrUnexpectedEOF
}

func randomRun(seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 7))
	n := r.Int64N(3000)
	want := data(int(n))
	in, out := newSide(r, n), newSide(r, n)
	if r.IntN(3) == 0 {
		in.endAt = r.Int64N(n + 1)
	}
	capacity := 2 + r.IntN(1000)
	var opts []bytering.Option
	switch r.IntN(4) {
	case 0:
		opts = append(opts, bytering.Mirror())
	case 1:
		opts = append(opts, bytering.Prefault())
	}
	p, cs, err := bytering.NewBroadcast(capacity, 1+r.IntN(2), opts...)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	must(err)
	c := cs[0]
	capacity = p.Cap()
	if len(cs) == 2 { // another consumer, which closes at some moment
		takes := r.Int64N(n + 1)
		go func() { io.CopyN(io.Discard, cs[1], takes); cs[1].Close() }()
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	disturbed := r.IntN(3) == 0
	disturb := func() {}
	if disturbed {
		disturb = []func(){func() { cancel(errTest) }, func() { p.Close() }, func() { c.Close() }}[r.IntN(3)]
	}
	timer := time.AfterFunc(time.Duration(r.IntN(500))*time.Microsecond, disturb)
	defer timer.Stop()

	var read io.ReaderAt = readerAt(func(b []byte, off int64) (int, error) { return in.read(context.Background(), want, b, off) })
	if r.IntN(2) == 0 {
		read = ctxReader(func(ctx context.Context, b []byte, off int64) (int, error) { return in.read(ctx, want, b, off) })
	}
	fillOpts := []async.Option{async.Depth(1 + r.IntN(6)), async.Block(1 + r.IntN(capacity)), async.Retry(in.retry), async.Stall(time.Minute)}
	drainOpts := []async.Option{async.Depth(1 + r.IntN(6)), async.Block(1 + r.IntN(capacity-1)), async.Retry(out.retry), async.Stall(time.Minute)}
	parts := r.IntN(3) == 0

	type result struct {
		stats    async.Stats
		err      error
		panicked any
	}
	filled := make(chan result, 1)
	go func() {
		var res result
		res.panicked = recovered(func() { res.stats, res.err = async.Fill(ctx, p, read, fillOpts...) })
		p.CloseWithError(res.err)
		filled <- res
	}()
	var f file
	var drained result
	drained.panicked = recovered(func() {
		if parts {
			drained.stats, drained.err = async.DrainParts(ctx, c, partWriter(func(ctx context.Context, part *async.Part) error { return out.part(ctx, &f, part) }), drainOpts...)
		} else {
			drained.stats, drained.err = async.Drain(ctx, c, ctxWriter(func(ctx context.Context, b []byte, off int64) (int, error) { return out.write(ctx, &f, b, off) }), drainOpts...)
		}
	})
	c.Close()
	for _, c := range cs[1:] {
		defer c.Close()
	}
	got := <-filled

	if in.running.Load() != 0 || out.running.Load() != 0 {
		return fmt.Errorf("%d reads and %d writes are still running", in.running.Load(), out.running.Load())
	}
	if got.panicked == nil && uint64(got.stats.Safe) != p.Position() || drained.panicked == nil && uint64(drained.stats.Safe) != c.Position() {
		return fmt.Errorf("stats %+v with %d bytes committed, stats %+v with %d discarded", got.stats, p.Position(), drained.stats, c.Position())
	}
	safe := int64(c.Position())
	if safe > int64(len(f.b)) || string(f.b[:safe]) != string(want[:safe]) {
		return fmt.Errorf("some of the %d safe bytes are wrong", safe)
	}
	if got.panicked != nil && got.panicked != errTest || drained.panicked != nil && drained.panicked != errTest {
		return fmt.Errorf("panics: %v, %v", got.panicked, drained.panicked)
	}
	if disturbed || got.panicked != nil || drained.panicked != nil {
		return nil
	}

	// Neither a close nor the context interfered, so both results are known, unless
	// one side ended the other.
	end, why := in.endAt, error(nil)
	if in.failAt < in.endAt {
		end, why = in.failAt, errTest
	}
	last := out.failAt
	if block := drained.stats.Depth; parts && block > 0 && drained.err != nil {
		last = safe // a part fails as a whole
	}
	switch {
	case drained.err == nil:
		if got.err != nil || why != nil || safe != end {
			return fmt.Errorf("%d bytes drained, error %v; want %d, %v", safe, got.err, end, why)
		}
	case errors.Is(drained.err, errTest):
		if want := min(end, last); safe != want {
			return fmt.Errorf("%d bytes drained, error %v; want %d", safe, drained.err, want)
		}
	default:
		return fmt.Errorf("%d bytes drained, error %v", safe, drained.err)
	}
	return nil
}

func (s *side) read(ctx context.Context, all, b []byte, off int64) (n int, err error) {
	s.running.Add(1)
	defer s.running.Add(-1)
	if n, err = s.enter(ctx, len(b), off); n > 0 {
		n = copy(b[:n], all[min(off, s.endAt):s.endAt])
		if off+int64(n) >= s.endAt && s.endAt <= s.failAt {
			return n, io.EOF
		}
	}
	return n, err
}

func (s *side) write(ctx context.Context, f *file, b []byte, off int64) (n int, err error) {
	s.running.Add(1)
	defer s.running.Add(-1)
	if n, err = s.enter(ctx, len(b), off); n > 0 {
		f.WriteAt(b[:n], off)
	}
	return n, err
}

func (s *side) part(ctx context.Context, f *file, p *async.Part) error {
	s.running.Add(1)
	defer s.running.Add(-1)
	r := p.Open()
	defer r.Close()
	if _, err := s.enter(ctx, int(p.Len), p.Offset); err != nil {
		return err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, p.Offset)
	return err
}
