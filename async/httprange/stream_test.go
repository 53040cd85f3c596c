package httprange_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bytering/bytering/async/httprange"
)

// TestStream reads one stream from each kind of server: with ranges, without
// ranges, and without a length.
func TestStream(t *testing.T) {
	now := httprange.StreamRetry(func(_ error, attempt int) (time.Duration, bool) { return 0, attempt < 5 })
	for _, tc := range []struct {
		name   string
		answer func(s *server, n int, w http.ResponseWriter, r *http.Request)
		opts   []httprange.Option
		n      int // bytes that arrive
		err    error
		most   int // the most requests
	}{
		{"ranges", func(s *server, _ int, w http.ResponseWriter, r *http.Request) { s.answer(w, r) }, nil, 1000, nil, 2},
		{"ranges that break off", func(s *server, n int, w http.ResponseWriter, r *http.Request) {
			from, to := s.span(r)
			s.part(w, from, to)
			broken(w, s.data[from:to+1])
		}, []httprange.Option{now}, 1000, nil, 5},
		{"ranges that break off, without another attempt", func(s *server, n int, w http.ResponseWriter, r *http.Request) {
			from, to := s.span(r)
			s.part(w, from, to)
			broken(w, s.data[from:to+1])
		}, nil, 400, io.ErrUnexpectedEOF, 2},
		{"no ranges", func(s *server, _ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write(s.data)
		}, nil, 1000, nil, 1},
		{"no ranges, broken off", func(s *server, _ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			broken(w, s.data)
		}, []httprange.Option{httprange.StreamRetry(httprange.Retry(5))}, 300, io.ErrUnexpectedEOF, 1},
		{"ranges beside a 200", func(s *server, n int, w http.ResponseWriter, r *http.Request) {
			if n > 0 {
				s.answer(w, r)
				return
			}
			w.Header().Set("Accept-Ranges", "bytes")
			w.Header().Set("Content-Length", "1000")
			broken(w, s.data)
		}, []httprange.Option{now}, 1000, nil, 2},
		{"ranges beside a 200 of no length", func(s *server, n int, w http.ResponseWriter, r *http.Request) {
			if n > 0 {
				s.answer(w, r)
				return
			}
			w.Header().Set("Accept-Ranges", "bytes")
			broken(w, s.data)
		}, []httprange.Option{now}, 1000, nil, 3},
		{"another object behind a 200", func(s *server, n int, w http.ResponseWriter, r *http.Request) {
			if n > 0 {
				w.Header().Set("Etag", `"two"`)
				s.answer(w, r)
				return
			}
			w.Header().Set("Accept-Ranges", "bytes")
			broken(w, s.data)
		}, []httprange.Option{httprange.StreamRetry(httprange.Retry(5))}, 300, httprange.ErrChanged, 2},
		{"no length", func(s *server, _ int, w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(s.data)
		}, nil, 1000, nil, 1},
		{"ranges of no length", func(s *server, _ int, w http.ResponseWriter, r *http.Request) {
			from, to := s.span(r)
			if from >= 1000 {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			to = min(to, from+249) // limits the bytes of a response
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", from, to))
			w.Header().Set("Content-Length", strconv.Itoa(to-from+1))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(s.data[from : to+1])
		}, nil, 1000, nil, 6},
		{"a body longer than the rest of the object", func(s *server, n int, w http.ResponseWriter, r *http.Request) {
			from, to := s.span(r)
			longer(w, s.data, from, to, "1000", n > 0)
		}, []httprange.Option{httprange.StreamRetry(httprange.Retry(5))}, 1000, httprange.ErrInvalidRange, 2},
		{"a body longer than its range, of no length", func(s *server, n int, w http.ResponseWriter, r *http.Request) {
			from, to := s.span(r)
			longer(w, s.data, from, min(to, from+249), "*", n == 2)
		}, []httprange.Option{httprange.StreamRetry(httprange.Retry(5))}, 600, httprange.ErrInvalidRange, 3},
	} {
		s := serve(t, 1000)
		s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { tc.answer(s, n, w, r); return true }
		f := open(t, s.URL, append(tc.opts, httprange.First(100))...)
		stream := f.Stream(t.Context(), 0)
		b, err := io.ReadAll(stream)
		if same(t, tc.name, b, s.data[:tc.n]); !errors.Is(err, tc.err) || (err != nil) != (tc.err != nil) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.err)
		}
		if n := len(s.requests()); n > tc.most {
			t.Errorf("%s: %d requests, want at most %d", tc.name, n, tc.most)
		}
		if !f.Ranges() {
			if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, httprange.ErrNoRange) {
				t.Errorf("%s: ReadAt: %v", tc.name, err)
			}
		}
		stream.Close()
		if n, err := stream.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%s: Read after Close: %d, %v", tc.name, n, err)
		}
	}
}

// A File has any number of streams, which start anywhere and are readers in the
// sense of package io.
func TestStreams(t *testing.T) {
	s := serve(t, 1000)
	f := open(t, s.URL, httprange.First(100))
	for _, off := range []int{0, 1, 99, 100, 999, 1000, 2000} {
		stream := f.Stream(t.Context(), int64(off))
		if err := iotest.TestReader(stream, s.data[min(off, 1000):]); err != nil {
			t.Errorf("a stream from %d on: %v", off, err)
		}
		stream.Close()
	}
	if _, err := f.Stream(t.Context(), -1).Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("a stream from -1 on: %v", err)
	}
	whole := serve(t, 1000)
	whole.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 2 {
			w.Header().Set("Etag", `"two"`)
		}
		w.Header().Set("Content-Length", "1000")
		w.Write(whole.data)
		return true
	}
	f = open(t, whole.URL)
	for i := range 2 { // the second stream makes a request of its own
		b, err := io.ReadAll(f.Stream(t.Context(), 0))
		if same(t, fmt.Sprint("stream ", i), b, whole.data); err != nil {
			t.Error(err)
		}
	}
	if _, err := io.ReadAll(f.Stream(t.Context(), 0)); !errors.Is(err, httprange.ErrChanged) {
		t.Errorf("a stream of another object: %v", err)
	}
}

// broken aborts the body after some bytes, if there are more.
func broken(w http.ResponseWriter, b []byte) {
	w.Write(b[:min(len(b), 300)])
	w.(http.Flusher).Flush()
	if len(b) > 300 {
		panic(http.ErrAbortHandler)
	}
}

// longer sends a range in chunks, and if more is set, a byte that is not of it.
func longer(w http.ResponseWriter, b []byte, from, to int, size string, more bool) {
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", from, to, size))
	w.WriteHeader(http.StatusPartialContent)
	w.Write(b[from : to+1])
	w.(http.Flusher).Flush()
	if more {
		w.Write(b[:1])
	}
}

// The first response may be longer than its range too.
func TestFirstResponseLonger(t *testing.T) {
	s := serve(t, 1000)
	s.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		longer(w, s.data, 0, 999, "1000", true)
		return true
	}
	stream := open(t, s.URL, httprange.First(0)).Stream(t.Context(), 0)
	defer stream.Close()
	b, err := io.ReadAll(stream)
	if same(t, "the first response", b, s.data); !errors.Is(err, httprange.ErrInvalidRange) {
		t.Error(err)
	}
}

// With First(0) one request is enough for the whole object. Bytes that the response
// lacks, or announces that it lacks, come from further requests.
func TestOneRequest(t *testing.T) {
	for name, tc := range map[string]struct {
		answer   func(s *server, n int, w http.ResponseWriter, r *http.Request)
		requests int
	}{
		"ranges": {func(s *server, _ int, w http.ResponseWriter, r *http.Request) { s.answer(w, r) }, 1},
		"no ranges": {func(s *server, _ int, w http.ResponseWriter, _ *http.Request) {
			w.Write(s.data)
		}, 1},
		"breaks off": {func(s *server, n int, w http.ResponseWriter, r *http.Request) {
			if n > 0 {
				s.answer(w, r)
				return
			}
			w.Header().Set("Content-Range", "bytes 0-999/1000")
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusPartialContent)
			broken(w, s.data)
		}, 2},
		"a part": {func(s *server, _ int, w http.ResponseWriter, r *http.Request) {
			from, to := s.span(r)
			to = min(to, from+399)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/1000", from, to))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(s.data[from : to+1])
		}, 3},
	} {
		s := serve(t, 1000)
		s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { tc.answer(s, n, w, r); return true }
		opts := []httprange.Option{httprange.First(0)}
		if name == "breaks off" {
			opts = append(opts, httprange.StreamRetry(httprange.Retry(5)))
		}
		f := open(t, s.URL, opts...)
		stream := f.Stream(t.Context(), 0)
		b, err := io.ReadAll(stream)
		stream.Close()
		if same(t, name, b, s.data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if reqs := s.requests(); len(reqs) != tc.requests || reqs[0].Header.Get("Range") != "bytes=0-" {
			t.Errorf("%s: %d requests, the first for %q", name, len(reqs), reqs[0].Header.Get("Range"))
		}
		if f.Ranges() {
			b := make([]byte, 10)
			if _, err := f.ReadAt(b, 3); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			same(t, name, b, s.data[3:13])
		}
	}
}
