package httprange_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
)

// A fault is what a server calls before it answers.
type fault func(n int, w http.ResponseWriter, r *http.Request) (answered bool)

// whole reports whether a request is for all of the object.
func whole(r *http.Request) bool { return r.Header.Get("Range") == "bytes=0-" }

// slowly makes the response to the first request come with that many bytes a millisecond,
// and slower and slower until another one is asked for, however slow the machine is. It
// leaves the others to f.
func (s *server) slowly(rate int, f fault) {
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 0 || !whole(r) || len(s.data) == 0 {
			return f != nil && f(n, w, r)
		}
		s.part(w, 0, len(s.data)-1)
		patience := 500 // for the depth at which nothing else is asked for
		for at := 0; at < len(s.data); {
			some := rate
			if at >= 2000 && patience > 0 && len(s.requests()) == 1 {
				some = 1
				patience--
			}
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
			n, err := w.Write(s.data[at:min(at+some, len(s.data))])
			if err != nil {
				break
			}
			at += n
		}
		return true
	}
}

// watch ends a test that hangs.
func watch(t *testing.T) {
	limit := time.AfterFunc(20*time.Second, func() { panic(t.Name() + " hangs") })
	t.Cleanup(func() { limit.Stop() })
}

// ahead opens the object with blocks of 1000 bytes, as those of fill are.
func ahead(t *testing.T, s *server, depth int) *httprange.File {
	t.Helper()
	return open(t, s.URL, httprange.Ahead(1000, 10*time.Second), httprange.Depth(depth))
}

// ranges returns the ranges that were asked for after the first, in order.
func (s *server) ranges() (all [][2]int) {
	for _, r := range s.requests()[1:] {
		from, to := s.span(r)
		all = append(all, [2]int{from, to})
	}
	slices.SortFunc(all, func(a, b [2]int) int { return a[0] - b[0] })
	return all
}

// One request is enough if its bytes come sooner than others can. The end of Open's context
// does not matter to it.
func TestAheadIsNotNeeded(t *testing.T) {
	s := serve(t, 20_000)
	s.fault = func(int, http.ResponseWriter, *http.Request) bool {
		time.Sleep(200 * time.Millisecond)
		return false
	}
	ctx, cancel := context.WithCancel(t.Context())
	f, err := httprange.Open(ctx, s.URL, httprange.Ahead(1000, 10*time.Second), httprange.Depth(4))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cancel()
	got, _, err := fill(t, f, 4)
	if err != nil || len(s.requests()) != 1 {
		t.Errorf("%d requests, %v", len(s.requests()), err)
	}
	same(t, "object", got, s.data)
}

// Each byte is asked for once, with at most as many requests as allowed.
func TestAhead(t *testing.T) {
	for _, slow := range []bool{false, true} {
		for _, depth := range []int{1, 2, 4} {
			for _, size := range []int{0, 1, 999, 1000, 1001, 1300, 20_000} {
				s := serve(t, size)
				var flying, most atomic.Int32
				if slow {
					s.slowly(200, func(_ int, w http.ResponseWriter, r *http.Request) bool {
						n := flying.Add(1)
						defer flying.Add(-1)
						for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
						}
						time.Sleep(time.Millisecond)
						s.answer(w, r)
						return true
					})
				}
				got, stats, err := fill(t, ahead(t, s, depth), depth)
				if err != nil || stats.Safe != int64(size) {
					t.Fatalf("%d bytes: %+v, %v", size, stats, err)
				}
				same(t, fmt.Sprintf("%d bytes", size), got, s.data)
				at := -1
				for _, r := range s.ranges() {
					if at >= 0 && r[0] != at || r[0]%1000 != 0 {
						t.Errorf("%d bytes, depth %d: %v", size, depth, s.ranges())
					}
					at = r[1] + 1
				}
				several := depth > 1 && size > 2000
				switch n := len(s.requests()); {
				case (depth == 1 || size <= 1250) && n > 1, slow && several && n == 1:
					t.Errorf("slow %v, depth %d, %d bytes: %d requests", slow, depth, size, n)
				case n > 1 && at != size:
					t.Errorf("depth %d: the last range ends at %d of %d", depth, at, size)
				case most.Load() > int32(depth):
					t.Errorf("depth %d: %d in flight", depth, most.Load())
				}
			}
		}
	}
}

// A range is asked for before the ring has room for it.
func TestAheadOfTheRing(t *testing.T) {
	s := serve(t, 200_000)
	beyond := make(chan struct{})
	once := sync.OnceFunc(func() { close(beyond) })
	s.slowly(200, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if from, _ := s.span(r); from >= 3000 {
			once()
		}
		return false
	})
	slow := s.fault
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		time.Sleep(30 * time.Millisecond)
		return slow(n, w, r)
	}
	f := ahead(t, s, 2)
	p, c, err := bytering.New(3000)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := async.Fill(t.Context(), p, f, async.Depth(2), async.Block(1000))
		p.Close()
		failed <- err
	}()
	select {
	case <-beyond:
	case <-time.After(10 * time.Second):
		t.Error("it is not asked for")
	}
	got, _ := io.ReadAll(c)
	if err := <-failed; err != nil {
		t.Error(err)
	}
	same(t, "object", got, s.data)
	if n := len(s.requests()); n > 100 {
		t.Errorf("%d requests, as many as there are blocks", n)
	}
}

// The blocks that are read may be others.
func TestAheadOfOtherBlocks(t *testing.T) {
	for _, block := range []int{300, 1500} {
		s := serve(t, 20_000)
		s.slowly(200, nil)
		f := ahead(t, s, 3)
		p, c, err := bytering.New(4 * block)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := async.Fill(t.Context(), p, f, async.Depth(3), async.Block(block))
			p.CloseWithError(err)
		}()
		got, err := io.ReadAll(c)
		if err != nil {
			t.Error(err)
		}
		same(t, "object", got, s.data)
		at := s.ranges()[0][0]
		for _, r := range s.ranges() {
			if r[0] != at {
				t.Errorf("blocks of %d: %v", block, s.ranges())
			}
			at = r[1] + 1
		}
	}
}

// A consumer that is slow has no responses waiting for it.
func TestAheadOfASlowConsumer(t *testing.T) {
	s := serve(t, 9000)
	var p *bytering.Producer
	s.slowly(20, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		if from, _ := s.span(r); int64(from) > int64(p.Position())+5000 {
			t.Errorf("%s is asked for at %d", r.Header.Get("Range"), p.Position())
		}
		return false
	})
	f := ahead(t, s, 8)
	p, c, err := bytering.New(1000)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := async.Fill(t.Context(), p, f, async.Depth(4), async.Block(1000))
		p.CloseWithError(err)
	}()
	var got []byte
	b := make([]byte, 100)
	for {
		n, err := c.Read(b)
		got = append(got, b[:n]...)
		if err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
		time.Sleep(time.Millisecond)
	}
	same(t, "object", got, s.data)
}

// What goes wrong with a range that was asked for ahead is met by the read of its bytes.
func TestAheadFaults(t *testing.T) {
	status := func(code int) fault {
		return func(_ int, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(code); return true }
	}
	for name, c := range map[string]struct {
		fault func(s *server) fault
		want  error // of each try; nil if another one succeeds
	}{
		"503": {func(*server) fault { return status(503) }, nil},
		"reset": {func(*server) fault {
			return func(int, http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
		}, nil},
		"half": {func(s *server) fault {
			return func(_ int, w http.ResponseWriter, r *http.Request) bool {
				from, to := s.span(r)
				s.part(w, from, to)
				w.Write(s.data[from : from+(to-from)/2])
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			}
		}, nil},
		"changed": {func(s *server) fault { return status(412) }, httprange.ErrChanged},
		"another range": {func(s *server) fault {
			return func(_ int, w http.ResponseWriter, r *http.Request) bool {
				from, to := s.span(r)
				s.part(w, from-1, to)
				return true
			}
		}, httprange.ErrInvalidRange},
		"a longer body": {func(s *server) fault {
			return func(_ int, w http.ResponseWriter, r *http.Request) bool {
				from, to := s.span(r)
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(s.data)))
				w.WriteHeader(http.StatusPartialContent)
				w.(http.Flusher).Flush()
				w.Write(append(s.data[from:to+1:to+1], 'x'))
				return true
			}
		}, httprange.ErrInvalidRange},
		"another object": {func(s *server) fault {
			return func(_ int, w http.ResponseWriter, r *http.Request) bool {
				from, to := s.span(r)
				w.Header().Set("Etag", `"other"`)
				s.part(w, from, to)
				w.Write(make([]byte, to-from+1))
				return true
			}
		}, httprange.ErrChanged},
		"all": {func(*server) fault { return status(200) }, httprange.ErrNoRange},
	} {
		for _, which := range []int32{1, 2, 4} {
			// On a slow machine the leads may be long, and fewer than that.
			for asked := int32(0); asked < which && !t.Failed(); {
				asked = aheadFault(t, name, which, c.want, c.fault)
			}
		}
	}
}

// aheadFault fills a ring from a server with a fault in that request, and in all later ones
// if an error is wanted. It returns how many requests there were.
func aheadFault(t *testing.T, name string, which int32, want error, faultOf func(*server) fault) int32 {
	s := serve(t, 20_000)
	var asked atomic.Int32
	bad := faultOf(s)
	s.slowly(200, func(i int, w http.ResponseWriter, r *http.Request) bool {
		n := asked.Add(1)
		return (n == which || want != nil && n > which) && bad(i, w, r)
	})
	var retries atomic.Int32
	got, _, err := fill(t, ahead(t, s, 3), 3, async.Retry(func(err error, n int) (time.Duration, bool) {
		retries.Add(1)
		return httprange.Retry(2)(err, n)
	}))
	met := asked.Load() >= which
	switch n := retries.Load(); {
	case met && !errors.Is(err, want), (err != nil) != (met && want != nil):
		t.Errorf("%s in request %d: %v", name, which, err)
	case err != nil:
	// Package net/http itself repeats a request on a connection that was idle.
	case n > 1, n == 0 && name != "reset" && met:
		t.Errorf("%s in request %d: %d retries", name, which, n)
	default:
		same(t, name, got, s.data)
	}
	return asked.Load()
}

// The first response breaks off, and the rest is asked for by ranges. What it lacks of a
// block is not asked for before the wait for a retry is over.
func TestAheadOfAFirstThatBreaks(t *testing.T) {
	s := serve(t, 20_000)
	var retry atomic.Pointer[time.Time]
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 0 {
			if from, _ := s.span(r); from == 1500 && time.Since(*retry.Load()) < 100*time.Millisecond {
				t.Error("it is asked for at once")
			}
			return false
		}
		s.part(w, 0, len(s.data)-1)
		w.Write(s.data[:1500])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	got, stats, err := fill(t, ahead(t, s, 3), 3, async.Retry(func(err error, n int) (time.Duration, bool) {
		now := time.Now()
		retry.Store(&now)
		return httprange.Retry(2)(err, n)
	}))
	if err != nil || stats.Retries != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	same(t, "object", got, s.data)
	if s.ranges()[0][0] != 1500 {
		t.Error(s.ranges())
	}
}

// Reads in any order end, and are right.
func TestAheadInNoOrder(t *testing.T) {
	watch(t)
	s := serve(t, 20_000)
	f := open(t, s.URL, httprange.Ahead(1000, 2*time.Millisecond), httprange.Depth(3))
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 1500)
	for range 50 {
		at, n := r.IntN(20_000), 1+r.IntN(1500)
		m, err := f.ReadAt(b[:n], int64(at))
		if want := min(n, 20_000-at); m != want || (err != nil) != (m < n) || err != nil && err != io.EOF {
			t.Fatalf("%d bytes at %d: %d, %v", n, at, m, err)
		}
		same(t, "read", b[:m], s.data[at:at+m])
	}
	if n, err := f.ReadAt(b, 20_000); n != 0 || err != io.EOF {
		t.Error(n, err)
	}
}

// A server may have one response at a time, and not begin with the first range.
func TestAheadOfAServerWithOneResponse(t *testing.T) {
	watch(t)
	s := serve(t, 64<<20)
	var one sync.Mutex
	later := make(chan struct{})
	begun := sync.OnceFunc(func() { close(later) })
	s.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		from, to := s.span(r)
		switch {
		case whole(r):
			s.part(w, 0, len(s.data)-1)
			w.Write(s.data[:1<<20])
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond) // too slow for the others to wait for it
			w.Write(s.data[1<<20:])
			return true
		case from < 16<<20:
			select {
			case <-later:
			case <-time.After(time.Second):
			}
		}
		one.Lock()
		defer one.Unlock()
		begun()
		s.part(w, from, to)
		w.Write(s.data[from : to+1]) // more than a connection takes that is not read
		return true
	}
	f := open(t, s.URL, httprange.Ahead(8<<20, 100*time.Millisecond), httprange.Depth(2))
	p, c, err := bytering.New(24 << 20)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := async.Fill(t.Context(), p, f, async.Depth(2), async.Block(8<<20))
		p.CloseWithError(err)
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	same(t, "object", got, s.data)
}

// The first response is given up if nothing reads it, and the end of Open's context does
// not matter.
func TestAheadUnused(t *testing.T) {
	s := serve(t, 20_000)
	over := make(chan struct{})
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 0 {
			return false
		}
		s.part(w, 0, len(s.data)-1)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(over)
		return true
	}
	ctx, cancel := context.WithCancel(t.Context())
	f, err := httprange.Open(ctx, s.URL, httprange.Ahead(1000, 20*time.Millisecond), httprange.Depth(3))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Fatal("the connection stays")
	}
	cancel()
	got, stats, err := fill(t, f, 3)
	if err != nil || stats.Retries > 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	same(t, "object", got, s.data)
}

// The end of a context ends the read of a response, Open's that of one that has not come,
// and Close those that are not read.
func TestAheadEnds(t *testing.T) {
	watch(t)
	s := serve(t, 20_000)
	var open, ended atomic.Int32
	hang := func(_ int, w http.ResponseWriter, r *http.Request) bool {
		open.Add(1)
		<-r.Context().Done()
		ended.Add(1)
		return true
	}
	s.slowly(200, hang)
	f := ahead(t, s, 3)
	p, c, err := bytering.New(4000)
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, c)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := async.Fill(ctx, p, f, async.Depth(1), async.Block(1000)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	f.Close()
	for end := time.Now().Add(10 * time.Second); ended.Load() < open.Load() || open.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d requests have ended", ended.Load(), open.Load())
		}
	}
	s = serve(t, 20_000)
	s.fault = hang
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := httprange.Open(ctx, s.URL, httprange.Ahead(1000, time.Second)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A server without ranges is read as a stream, and with First the first bytes are read at
// once.
func TestAheadOfNothing(t *testing.T) {
	s := serve(t, 5000)
	f := open(t, s.URL, httprange.Ahead(1000, time.Second), httprange.First(1500))
	got, _, err := fill(t, f, 3)
	if err != nil {
		t.Error(err)
	}
	same(t, "after First", got, s.data)
	s.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool { w.Write(s.data); return true }
	f = open(t, s.URL, httprange.Ahead(1000, time.Second))
	if f.Ranges() {
		t.Error("it has ranges")
	}
	got, err = io.ReadAll(f.Stream(t.Context(), 0))
	if err != nil {
		t.Error(err)
	}
	same(t, "stream", got, s.data)
}
