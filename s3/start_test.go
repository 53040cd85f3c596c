package s3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// firstRange is the Range header of a start.
var firstRange = fmt.Sprintf("bytes=0-%d", testPart-1)

// watchRanges returns a function that returns the ranges that were asked for. fault is
// called for the request of a start.
func watchRanges(s *server, fault func(w http.ResponseWriter, r *http.Request) bool) func() []string {
	var mu sync.Mutex
	var all []string
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) != "get" {
			return false
		}
		mu.Lock()
		all = append(all, r.Header.Get("Range"))
		mu.Unlock()
		return r.Header.Get("Range") == firstRange && fault != nil && fault(w, r)
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// The first range is asked for once, before Open returns, and none of its bytes again.
func TestStart(t *testing.T) {
	s := serve(t)
	for _, n := range []int{1, testPart - 1, testPart, testPart + 1, 9 * testPart} {
		want := random(n)
		s.plant("k", want)
		asked := watchRanges(s, nil)
		ob, err := Open(t.Context(), Scheme+testBucket+"/k", s.options())
		if err != nil {
			t.Fatal(err)
		}
		got, sum, err := fill(t.Context(), t, ob)
		if err != nil || !bytes.Equal(got, want) || sum.Retries != 0 {
			t.Errorf("%d bytes: %d, %+v, %v", n, len(got), sum, err)
		}
		whole := (n-1)/testPart + 2 // and the one that shows what the object is
		if r := asked(); len(r) != whole || !slices.Contains(r, firstRange) {
			t.Errorf("%d bytes: %q", n, r)
		}
	}
}

// Its bytes come while the other ranges are still asked for.
func TestStartComesSooner(t *testing.T) {
	s := serve(t)
	s.plant("k", random(9*testPart))
	var slow sync.Map
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if _, others := slow.Load("others"); others && kind(r) == "get" && r.Header.Get("Range") != firstRange {
			time.Sleep(300 * time.Millisecond)
		}
		return false
	})
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", s.options())
	if err != nil {
		t.Fatal(err)
	}
	slow.Store("others", true)
	p, c := newRing(t, int(ob.Plan().Ring()))
	failed := make(chan error, 1)
	go func() {
		_, err := ob.Fill(t.Context(), p)
		p.CloseWithError(err)
		failed <- err
	}()
	start := time.Now()
	if err := c.Wait(t.Context(), testPart); err != nil || time.Since(start) > 250*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	io.Copy(io.Discard, c)
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

// A start that fails, breaks off or is of another object is not used.
func TestStartFails(t *testing.T) {
	for name, tc := range map[string]struct {
		fault  func(s *server, w http.ResponseWriter, r *http.Request)
		broken bool // in the middle
	}{
		"503":   {func(_ *server, w http.ResponseWriter, _ *http.Request) { answerError(w, 503, "SlowDown") }, false},
		"403":   {func(_ *server, w http.ResponseWriter, _ *http.Request) { answerError(w, 403, "AccessDenied") }, false},
		"reset": {func(_ *server, w http.ResponseWriter, _ *http.Request) { reset(w) }, false},
		"half": {func(s *server, w http.ResponseWriter, r *http.Request) {
			rec := s.swallow(r)
			rec.Body.Truncate(rec.Body.Len() / 2)
			replay(w, rec)
		}, true},
		"other ETag": {func(s *server, w http.ResponseWriter, r *http.Request) {
			rec := s.swallow(r)
			rec.Header().Set("Etag", `"other"`)
			rec.Body.Bytes()[0]++
			replay(w, rec)
		}, false},
		"other range": {func(s *server, w http.ResponseWriter, r *http.Request) {
			rec := s.swallow(r)
			rec.Header().Set("Content-Range", fmt.Sprintf("bytes 1-%d/%d", testPart, 5*testPart+1))
			rec.Body.Bytes()[0]++
			replay(w, rec)
		}, false},
		"nothing": {func(_ *server, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false},
	} {
		s := serve(t)
		want := random(5*testPart + 1)
		s.plant("k", want)
		once := false
		asked := watchRanges(s, func(w http.ResponseWriter, r *http.Request) bool {
			if once {
				return false
			}
			once = true
			tc.fault(s, w, r)
			return true
		})
		o := s.options()
		o.Stall = 100 * time.Millisecond
		ob, err := Open(t.Context(), Scheme+testBucket+"/k", o)
		if err != nil {
			t.Fatal(err)
		}
		got, sum, err := fill(t.Context(), t, ob)
		// Package net/http itself repeats a request that fails on a connection which was
		// idle.
		hidden := name == "reset" || name == "nothing"
		if err != nil || !bytes.Equal(got, want) || sum.Retries != 1 && !hidden {
			t.Errorf("%s: %d bytes, %+v, %v", name, len(got), sum, err)
		}
		if n := len(asked()); n != 8 {
			t.Errorf("%s: %q", name, asked())
		}
	}
}

// A block of a smaller ring has the end of the start in its middle.
func TestStartInASmallRing(t *testing.T) {
	s := serve(t)
	want := random(5 * testPart)
	s.plant("k", want)
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", s.options())
	if err != nil {
		t.Fatal(err)
	}
	p, c := newRing(t, testPart*3/4)
	var sum Summary
	go func() {
		var err error
		sum, err = ob.Fill(t.Context(), p)
		p.CloseWithError(err)
	}()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) || sum.Retries != 0 {
		t.Error(len(got), sum, err)
	}
}

// The object may not be read at all, or later than the connection lasts.
func TestStartUnused(t *testing.T) {
	s := serve(t)
	want := random(5 * testPart)
	s.plant("k", want)
	over := make(chan struct{})
	watchRanges(s, func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", testPart-1, len(want)))
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusPartialContent)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(over)
		return true
	})
	o := s.options()
	o.Stall = 200 * time.Millisecond
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", o)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Fatal("the connection stays")
	}
	s.fault(nil)
	if got, _, err := fill(t.Context(), t, ob); err != nil || !bytes.Equal(got, want) {
		t.Error(len(got), err)
	}
}

// A server may finish one answer before it gives the next.
func TestStartHoldsNothingUp(t *testing.T) {
	s := serve(t)
	want := random(20 << 20) // more than a connection takes that is not read
	s.plant("k", want)
	var one sync.Mutex
	begun := make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") != fmt.Sprintf("bytes=0-%d", 12<<20-1) {
			<-begun
		}
		one.Lock()
		defer one.Unlock()
		begin()
		s.fake.ServeHTTP(w, r)
		return true
	})
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := fill(t.Context(), t, ob); err != nil || !bytes.Equal(got, want) {
		t.Error(len(got), err)
	}
}
