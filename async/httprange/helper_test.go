package httprange_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
	"github.com/bytering/bytering/internal/pattern"
)

// A server has one object. Before it answers the nth request, counted from 0, it
// calls fault unless that is nil.
type server struct {
	*httptest.Server
	data     []byte
	etag     string
	modified string
	fault    func(n int, w http.ResponseWriter, r *http.Request) (answered bool)

	mu   sync.Mutex
	reqs []*http.Request
}

func serve(t *testing.T, size int) *server {
	s := newServer(size)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func newServer(size int) *server {
	s := &server{data: pattern.Bytes(0, size), etag: `"one"`, modified: "Mon, 02 Jan 2006 15:04:05 GMT"}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handlers abort responses
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := len(s.reqs)
	s.reqs = append(s.reqs, r)
	s.mu.Unlock()
	s.validator(w)
	if s.fault == nil || !s.fault(n, w, r) {
		s.answer(w, r)
	}
}

func (s *server) validator(w http.ResponseWriter) {
	for name, v := range map[string]string{"Etag": s.etag, "Last-Modified": s.modified} {
		if v != "" {
			w.Header().Set(name, v)
		}
	}
}

// span returns the range that r asks for.
func (s *server) span(r *http.Request) (from, to int) {
	first, last, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
	from, _ = strconv.Atoi(first)
	to, err := strconv.Atoi(last)
	if err != nil || to >= len(s.data) {
		to = len(s.data) - 1
	}
	return from, to
}

// answer answers a valid request correctly.
func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	from, to := s.span(r)
	switch {
	case r.Method != "GET" || r.Header.Get("If-Range") != "" || r.Header.Get("Accept-Encoding") != "identity" || r.Header.Get("Referer") != "":
		w.WriteHeader(http.StatusBadRequest)
	case from >= len(s.data):
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(s.data)))
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
	default:
		s.part(w, from, to)
		w.Write(s.data[from : to+1])
	}
}

// part writes the header of a range.
func (s *server) part(w http.ResponseWriter, from, to int) {
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(s.data)))
	w.Header().Set("Content-Length", strconv.Itoa(to-from+1))
	w.WriteHeader(http.StatusPartialContent)
}

func (s *server) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reqs
}

// fill reads all of f with Fill.
func fill(t *testing.T, f *httprange.File, depth int, opts ...async.Option) ([]byte, async.Stats, error) {
	t.Helper()
	const block = 1000
	p, c, err := bytering.New((depth + 1) * block)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	done := make(chan struct{})
	go func() { b, _ = io.ReadAll(c); close(done) }()
	s, err := async.Fill(t.Context(), p, f, append(opts, async.Depth(depth), async.Block(block))...)
	p.Close()
	<-done
	return b, s, err
}

func open(t *testing.T, url string, opts ...httprange.Option) *httprange.File {
	t.Helper()
	f, err := httprange.Open(t.Context(), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: the %d bytes are not the %d bytes of the object", what, len(got), len(want))
	}
}
