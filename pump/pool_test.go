package pump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// TestPoolKeepsRings checks that the ring that was used last is lent first, with
// the contents of its memory.
func TestPoolKeepsRings(t *testing.T) {
	var pool Pool
	r, err := pool.take(1000)
	if err != nil || pool.lent != 1000 {
		t.Fatalf("%d bytes are lent, error %v", pool.lent, err)
	}
	r.p.Write(stream(1000))
	r.back()
	if pool.lent != 0 || pool.kept != 1000 {
		t.Errorf("%d bytes are lent and %d kept", pool.lent, pool.kept)
	}
	again, err := pool.take(1000)
	if err != nil || again != r || pool.kept != 0 {
		t.Fatalf("the pool lends another ring, error %v; %d bytes are kept", err, pool.kept)
	}
	a, _ := again.p.Slices()
	if !bytes.Equal(a, stream(1000)) {
		t.Error("the memory was cleared, which costs time")
	}
	again.p.Commit(0)
	if other, err := pool.take(1000); err != nil || other == r {
		t.Errorf("a ring in use was lent: %v", err)
	}
}

// TestOffersEarlierBytes checks that a source is offered memory that is not
// cleared, as the documentation says.
func TestOffersEarlierBytes(t *testing.T) {
	var pool Pool
	r, err := pool.take(4096)
	if err != nil {
		t.Fatal(err)
	}
	r.p.Write(bytes.Repeat([]byte("secret"), 600))
	r.back()
	earlier := false
	src := bytes.NewReader(make([]byte, 600)) // fills the first read, so that the next one is of the ring
	_, err = Copy(t.Context(), io.Discard, readerFunc(func(b []byte) (int, error) {
		earlier = earlier || bytes.Contains(b, []byte("secret"))
		return src.Read(b)
	}), WithPool(&pool), Capacity(4096))
	runtime.KeepAlive(r)
	if err != nil || !earlier {
		t.Errorf("the memory was cleared or not used: %v", err)
	}
}

func TestPoolLimit(t *testing.T) {
	pool := NewPool(5000)
	take := func(size int) *ring {
		t.Helper()
		r, err := pool.take(size)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	refused := func(size int) {
		t.Helper()
		if _, err := pool.take(size); err != errLimit {
			t.Errorf("taking %d bytes with %d lent: %v", size, pool.lent, err)
		}
	}
	a, b := take(2000), take(3000)
	refused(513)
	for range 10 {
		take(tinyRing) // tiny rings do not count
	}
	a.back()
	refused(2001)
	b.back()
	if pool.lent != 0 || pool.kept != 5000 {
		t.Errorf("%d bytes are lent and %d kept", pool.lent, pool.kept)
	}
	// Free rings of other sizes are dropped to make room.
	c := take(4000)
	if pool.lent != 4000 || pool.lent+pool.kept > 5000 {
		t.Errorf("%d bytes are lent and %d kept, with a limit of 5000", pool.lent, pool.kept)
	}
	c.back()
	if size, err := pool.take(5001); err != errLimit {
		t.Errorf("%v, %v", size, err)
	}
}

// TestPoolLosesRings checks that a ring that is not at rest is never lent again and
// no longer counts.
func TestPoolLosesRings(t *testing.T) {
	pool := NewPool(1000)
	r, err := pool.take(1000)
	if err != nil {
		t.Fatal(err)
	}
	r.p.Slices() // as in a call that is still running
	r.back()
	if pool.lent != 0 || pool.kept != 0 || len(pool.free[1000]) != 0 {
		t.Errorf("%d bytes are lent and %d kept", pool.lent, pool.kept)
	}
}

// TestRingsGoToTheCollector checks that free rings do not keep their memory.
func TestRingsGoToTheCollector(t *testing.T) {
	var pool Pool
	gone := make(chan bool, 1)
	func() {
		r, err := pool.take(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		runtime.AddCleanup(r, func(int) { gone <- true }, 0)
		r.back()
	}()
	runtime.GC()
	runtime.GC()
	<-gone
	if pool.pop(1<<20) != nil || pool.kept != 0 {
		t.Errorf("the ring still exists, and %d bytes are kept", pool.kept)
	}
}

// TestRelayAtTheLimit checks that relays go on with memory of their own if their
// pool lends nothing, and that none waits for a ring. Both directions are full at
// once.
func TestRelayAtTheLimit(t *testing.T) {
	const size = 400_001
	for _, limit := range []int64{1, smallestRing, 3 * smallestRing} {
		pool := NewPool(limit)
		var all []<-chan []byte
		var done []<-chan relayed
		for range 3 {
			client, a := tcp(t)
			b, server := tcp(t)
			done = append(done, startRelay(t.Context(), a, b, WithPool(pool)))
			for _, c := range []halfCloser{client, server} {
				go func() { c.Write(stream(size)); c.CloseWrite() }()
			}
			all = append(all, readAll(client), readAll(server))
		}
		for _, got := range all {
			arrived(t, <-got, size)
		}
		for _, d := range done {
			r := <-d
			if r.err != nil {
				t.Error(r.err)
			}
			moved(t, r.toB, size, size)
			moved(t, r.toA, size, size)
		}
		if pool.lent != 0 || pool.kept > limit {
			t.Errorf("limit %d: %d bytes are lent, %d kept", limit, pool.lent, pool.kept)
		}
	}
}

// TestRingsFitWhatFlows checks that small transfers never use a large ring,
// whatever the source, and that large transfers do.
func TestRingsFitWhatFlows(t *testing.T) {
	for _, tc := range []struct {
		size int
		want []int
	}{
		{1, []int{smallestRing}},
		{5000, []int{smallestRing}},
		{4 << 20, []int{smallestRing, smallestRing * growth, 1 << 20}},
	} {
		var pool Pool
		if _, err := Copy(t.Context(), io.Discard, bytes.NewReader(stream(tc.size)), WithPool(&pool)); err != nil {
			t.Fatal(err)
		}
		if sizes := slices.Sorted(maps.Keys(pool.free)); !slices.Equal(sizes, tc.want) {
			t.Errorf("%d bytes flow through rings of %v, want %v", tc.size, sizes, tc.want)
		}
	}

	var pool Pool
	client, a := tcp(t)
	b, server := tcp(t)
	done := startRelay(t.Context(), a, b, WithPool(&pool))
	for range 300 { // more bytes than the smallest ring holds, a few at a time
		client.Write(stream(1000))
		io.ReadFull(server, make([]byte, 1000))
	}
	client.Close()
	server.Close()
	<-done
	if sizes := slices.Sorted(maps.Keys(pool.free)); !slices.Equal(sizes, []int{smallestRing}) {
		t.Errorf("300 messages flow through rings of %v", sizes)
	}
}

// TestFastStreamsGetALargerRing checks that a stream that has lately been fast continues
// in a larger ring than others, unless its size was given or its source is never silent.
func TestFastStreamsGetALargerRing(t *testing.T) {
	const ms = time.Millisecond
	type sample struct {
		moved int
		took  time.Duration
	}
	fast, slow := sample{fastSample, 16 * ms}, sample{fastSample, 17 * ms}
	for _, tc := range []struct {
		name    string
		opts    []Option
		file    bool
		samples []sample
		want    int
	}{
		{"1 GB/s", nil, false, []sample{fast}, fastCapacity},
		{"slower", nil, false, []sample{slow, slow}, defaultCapacity},
		{"slow at first", nil, false, []sample{{1, time.Hour}, slow, fast}, fastCapacity},
		{"fast at first", nil, false, []sample{{fastSample, ms}, {60 * fastSample, ms}, slow}, fastCapacity},
		{"fast for a moment", nil, false, []sample{{fastSample / 2, ms}, {fastSample/2 - 1, ms}}, defaultCapacity},
		{"fast, and larger already", nil, false, []sample{fast, fast, fast}, fastCapacity},
		{"a size is given", []Option{Capacity(defaultCapacity)}, false, []sample{fast}, defaultCapacity},
		{"a file", nil, true, []sample{fast}, defaultCapacity},
	} {
		var src io.Reader = poller{}
		if tc.file {
			src = readvFunc(nil)
		}
		f := newFlow(io.Discard, src, configure(append(tc.opts, WithPool(new(Pool)))), seam.NewToken())
		f.startSink = func() {}
		f.since = f.in.idle
		another := func() {
			t.Helper()
			r, err := f.lend(defaultCapacity)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.use(r); err != nil {
				t.Fatal(err)
			}
		}
		another()
		for _, s := range tc.samples {
			f.in.idle = f.in.idle.Add(s.took)
			f.count(s.moved)
			f.grow()
		}
		if got := f.feeding.p.Cap(); got != tc.want || len(f.list) > 2 {
			t.Errorf("%s: a ring of %d bytes, want %d, in %d rings", tc.name, got, tc.want, len(f.list))
		}
		// Another ring grows at once, unless the stream is slow now, or has been silent.
		want := tc.want
		if tc.samples[len(tc.samples)-1] == slow {
			want = defaultCapacity
		}
		another()
		f.grow()
		if got := f.feeding.p.Cap(); got != want {
			t.Errorf("%s: another ring grows to %d bytes, want %d", tc.name, got, want)
		}
		another()
		f.in.idle = f.in.idle.Add(17 * ms)
		f.count(1)
		f.grow()
		if got := f.feeding.p.Cap(); got != defaultCapacity {
			t.Errorf("%s: after a pause a ring grows to %d bytes", tc.name, got)
		}
	}
}

// TestFastStreamIsOfferedMore checks that a stream that takes no time is offered the most
// that a call may be, which is half of a larger ring.
func TestFastStreamIsOfferedMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, most := 4*fastSample, 0
		_, err := Copy(t.Context(), io.Discard, poller{readvFunc(func(bufs [][]byte) (int, error) {
			n := 0
			for _, b := range bufs {
				n += len(b)
			}
			if most = max(most, n); left == 0 {
				return 0, io.EOF
			}
			n = min(n, left)
			left -= n
			return n, nil
		})})
		if err != nil || most != largestCall {
			t.Errorf("a call is offered up to %d bytes, error %v", most, err)
		}
	})
}

// TestReadsAheadAsFarAsTheCapacity checks that a source fills the largest ring,
// even in small pieces, while the sink takes nothing.
func TestReadsAheadAsFarAsTheCapacity(t *testing.T) {
	const capacity = 300_000
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	full := make(chan struct{})
	read := 0
	_, err := Copy(ctx, writerFunc(func(b []byte) (int, error) {
		select {
		case <-full:
		case <-ctx.Done():
		}
		return len(b), nil
	}), readerFunc(func(b []byte) (int, error) {
		if read >= capacity {
			close(full)
			return 0, io.EOF
		}
		n := min(len(b), 100)
		read += n
		return n, nil
	}), Capacity(capacity), WithPool(new(Pool)))
	if err != nil {
		t.Error(err)
	}
}

// TestPoolAfterCopies checks that the pool has its rings back, however a copy ends.
// Only the rings of calls left behind are missing: they count until their calls are
// over and are never lent again.
func TestPoolAfterCopies(t *testing.T) {
	pool := new(Pool)
	for name, run := range map[string]func() error{
		"success": func() error {
			_, err := Copy(t.Context(), io.Discard, bytes.NewReader(stream(100_000)), WithPool(pool))
			return err
		},
		"source fails": func() error {
			_, err := Copy(t.Context(), io.Discard, io.MultiReader(bytes.NewReader(stream(100_000)), readerFunc(func([]byte) (int, error) { return 0, errTest })), WithPool(pool))
			return err
		},
		"sink fails": func() error {
			_, err := Copy(t.Context(), limited(io.Discard, 70_000, errTest), endless(), WithPool(pool))
			return err
		},
		"a panic": func() (err error) {
			v := panicked(func() {
				Copy(t.Context(), io.Discard, readerFunc(func([]byte) (int, error) { panic(errTest) }), WithPool(pool))
			})
			err, _ = v.(error)
			return err
		},
	} {
		if err := run(); name != "success" && !errors.Is(err, errTest) || name == "success" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if pool.lent != 0 {
			t.Errorf("%s: %d bytes are lent", name, pool.lent)
		}
	}

	pool = new(Pool)
	ctx, cancel := cancellable()
	block, called := newBlocker(), make(chan struct{})
	done := start(ctx, writerFunc(func(b []byte) (int, error) { close(called); return block.Write(b) }), bytes.NewReader(stream(5)), WithPool(pool))
	<-called
	cancel()
	failed(t, (<-done).err, Neither, errTest)
	pool.mu.Lock()
	if pool.lent != smallestRing || pool.kept != 0 {
		t.Errorf("with a call left behind, %d bytes are lent and %d kept", pool.lent, pool.kept)
	}
	pool.mu.Unlock()
	close(block.release)
	for lent := int64(1); lent > 0; runtime.Gosched() {
		pool.mu.Lock()
		lent = pool.lent
		if pool.kept != 0 {
			t.Fatal("the pool keeps the ring of the call")
		}
		pool.mu.Unlock()
	}
}

// TestBurstsShareARing checks that a ring with bytes in it is kept while the source
// waits, so that a slow sink does not cause a new ring for each burst.
func TestBurstsShareARing(t *testing.T) {
	pool := new(Pool)
	client, src := tcp(t)
	block := newBlocker()
	var meter Meter
	done := start(t.Context(), block, src, WithPool(pool), WithMeter(&meter))
	for i := range int64(20) {
		client.Write([]byte{1})
		for meter.Stats().Source.Bytes <= i {
			runtime.Gosched()
		}
	}
	pool.mu.Lock()
	if pool.lent != smallestRing {
		t.Errorf("%d bytes of rings are lent for 20 bytes", pool.lent)
	}
	pool.mu.Unlock()
	client.Close()
	close(block.release)
	if r := <-done; r.err != nil || r.stats.Sink.Bytes != 20 {
		t.Errorf("%+v", r)
	}
}

// TestGivenBackByWhicheverComesLast checks that a ring is given back by the source,
// when it waits, or by the sink, when it has written all, whichever comes last.
func TestGivenBackByWhicheverComesLast(t *testing.T) {
	for _, last := range []Side{Source, Sink} {
		f := newFlow(io.Discard, bytes.NewReader(nil), configure([]Option{WithPool(new(Pool))}), seam.NewToken())
		f.startSink = func() {}
		r, err := f.lend(1000)
		if err != nil {
			t.Fatal(err)
		}
		r.p.Write(stream(10))
		if err := f.use(r); err != nil {
			t.Fatal(err)
		}
		if last == Source {
			r.c.Discard(10)
			f.rest()
		} else {
			f.blocked()
		}
		if f.feeding != r || r.p.Err() != nil {
			t.Errorf("the ring is given back before the %v, which comes last", last)
		}
		if last == Source {
			f.blocked()
		} else {
			r.c.Discard(10)
			f.rest()
		}
		if f.feeding != nil || r.p.Err() == nil {
			t.Errorf("the %v, which comes last, does not give the ring back", last)
		}
	}
}
