package httprange_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
)

// The whole object arrives, whatever its size relative to the first range and the
// blocks, through GET requests with the right conditions.
func TestRanges(t *testing.T) {
	for _, size := range []int{0, 1, 99, 100, 101, 1000, 1001, 25_000} {
		for _, depth := range []int{1, 8} {
			for etag, condition := range map[string]string{`"one"`: "If-Match", `W/"one"`: "If-Unmodified-Since", "": "If-Unmodified-Since"} {
				s := serve(t, size)
				s.etag = etag
				f := open(t, s.URL, httprange.First(100))
				if n, known := f.Size(); n != int64(size) || !known || !f.Ranges() {
					t.Errorf("size %d: Size = %d, %t; Ranges = %t", size, n, known, f.Ranges())
				}
				b, _, err := fill(t, f, depth)
				if same(t, fmt.Sprint("size ", size), b, s.data); err != nil {
					t.Errorf("size %d: %v", size, err)
				}
				for i, r := range s.requests() {
					match, since := r.Header.Get("If-Match"), r.Header.Get("If-Unmodified-Since")
					if i == 0 && match+since != "" || i > 0 && (match != "") != (condition == "If-Match") || i > 0 && (since != "") != (condition != "If-Match") {
						t.Errorf("request %d with ETag %s: If-Match %q, If-Unmodified-Since %q", i, etag, match, since)
					}
				}
			}
		}
	}
}

func TestReadAt(t *testing.T) {
	s := serve(t, 1000)
	f := open(t, s.URL, httprange.First(100))
	if f.ETag() != s.etag {
		t.Errorf("the ETag is %q", f.ETag())
	}
	for _, tc := range []struct {
		off  int64
		n    int
		want int
		err  error
	}{
		{0, 100, 100, nil}, {50, 100, 100, nil}, {100, 10, 10, nil}, {999, 1, 1, nil}, {999, 2, 1, io.EOF}, {1000, 1, 0, io.EOF}, {5000, 1, 0, io.EOF}, {5, 0, 0, nil},
	} {
		b := make([]byte, tc.n)
		n, err := f.ReadAt(b, tc.off)
		if n != tc.want || err != tc.err {
			t.Errorf("ReadAt of %d bytes at %d = %d, %v", tc.n, tc.off, n, err)
		}
		if n > 0 {
			same(t, "ReadAt", b[:n], s.data[tc.off:tc.off+int64(n)])
		}
	}
	if _, err := f.ReadAt(nil, -1); err == nil {
		t.Error("ReadAt returned no error for a negative offset")
	}
	f.ReadAt(make([]byte, 100), 0)
	if n := len(s.requests()); n != 5 {
		t.Errorf("%d requests", n) // the bytes of the first request are not asked for again
	}
}

// TestResults checks how each kind of answer to the second request ends a call.
func TestResults(t *testing.T) {
	header := func(name, value string) func(*server, http.ResponseWriter, *http.Request) bool {
		return func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set(name, value)
			return false
		}
	}
	status := func(code int) func(*server, http.ResponseWriter, *http.Request) bool {
		return func(_ *server, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(code); return true }
	}
	ranged := func(text string, n int) func(*server, http.ResponseWriter, *http.Request) bool {
		return func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Range", text)
			w.WriteHeader(http.StatusPartialContent)
			w.Write(make([]byte, n))
			return true
		}
	}
	for _, tc := range []struct {
		name  string
		fault func(s *server, w http.ResponseWriter, r *http.Request) bool
		n     int
		err   error
		code  int // the Code of a StatusError
	}{
		{"good", func(*server, http.ResponseWriter, *http.Request) bool { return false }, 500, nil, 0},
		{"200", func(s *server, w http.ResponseWriter, _ *http.Request) bool { w.Write(s.data); return true }, 0, httprange.ErrNoRange, 0},
		{"412", status(412), 0, httprange.ErrChanged, 0},
		{"416", status(416), 0, httprange.ErrChanged, 0},
		{"404", status(404), 0, nil, 404},
		{"403", status(403), 0, nil, 403},
		{"500", status(500), 0, nil, 500},
		{"another ETag", header("Etag", `"two"`), 0, httprange.ErrChanged, 0},
		{"no ETag", header("Etag", ""), 0, httprange.ErrChanged, 0},
		{"another time", header("Last-Modified", "Mon, 02 Jan 2007 15:04:05 GMT"), 0, httprange.ErrChanged, 0},
		{"another encoding", header("Content-Encoding", "gzip"), 0, httprange.ErrChanged, 0},
		{"another total", ranged("bytes 200-699/1001", 500), 0, httprange.ErrChanged, 0},
		{"no total", ranged("bytes 200-699/*", 500), 0, httprange.ErrChanged, 0},
		{"another start", ranged("bytes 201-699/1000", 499), 0, httprange.ErrInvalidRange, 0},
		{"another end", ranged("bytes 200-698/1000", 499), 0, httprange.ErrInvalidRange, 0},
		{"beyond the end", ranged("bytes 200-700/1000", 501), 0, httprange.ErrInvalidRange, 0},
		{"a total below its end", ranged("bytes 200-699/600", 500), 0, httprange.ErrInvalidRange, 0},
		{"backwards", ranged("bytes 699-200/1000", 500), 0, httprange.ErrInvalidRange, 0},
		{"no Content-Range", ranged("", 500), 0, httprange.ErrInvalidRange, 0},
		{"another unit", ranged("lines 200-699/1000", 500), 0, httprange.ErrInvalidRange, 0},
		{"no numbers", ranged("bytes a-b/1000", 500), 0, httprange.ErrInvalidRange, 0},
		{"negative numbers", ranged("bytes -200-699/1000", 500), 0, httprange.ErrInvalidRange, 0},
		{"multipart", func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "multipart/byteranges; boundary=x")
			return ranged("bytes 200-699/1000", 500)(nil, w, nil)
		}, 0, httprange.ErrInvalidRange, 0},
		{"another Content-Length", ranged("bytes 200-699/1000", 400), 0, httprange.ErrInvalidRange, 0},
		{"a longer body", func(s *server, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Range", "bytes 200-699/1000")
			w.WriteHeader(http.StatusPartialContent)
			w.(http.Flusher).Flush()
			w.Write(s.data[200:701])
			return true
		}, 500, httprange.ErrInvalidRange, 0},
		{"a shorter body", func(s *server, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Range", "bytes 200-699/1000")
			w.WriteHeader(http.StatusPartialContent)
			w.(http.Flusher).Flush()
			w.Write(s.data[200:300])
			return true
		}, 100, io.ErrUnexpectedEOF, 0},
		{"a body that breaks off", func(s *server, w http.ResponseWriter, _ *http.Request) bool {
			s.part(w, 200, 699)
			w.Write(s.data[200:300])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, 100, io.ErrUnexpectedEOF, 0},
		{"a connection that breaks off", func(*server, http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, 0, io.EOF, 0},
		{"a redirect to nowhere", func(_ *server, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(302); return true }, 0, httprange.ErrRedirect, 0},
		{"a redirect to what is not HTTP", func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", "ftp://host/secret?secret")
			w.WriteHeader(302)
			return true
		}, 0, httprange.ErrRedirect, 0},
		{"a redirect that does not parse", func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", "http://[secret?secret")
			w.WriteHeader(302)
			return true
		}, 0, httprange.ErrRedirect, 0},
		{"a loop", func(_ *server, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/?secret", http.StatusFound)
			return true
		}, 0, httprange.ErrRedirect, 0},
	} {
		s := serve(t, 1000)
		s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { return n > 0 && tc.fault(s, w, r) }
		f := open(t, s.URL+"/path?secret", httprange.First(100))
		b := make([]byte, 500)
		n, err := f.ReadAt(b, 200)
		var status *httprange.StatusError
		switch {
		case n != tc.n || !errors.Is(err, tc.err) && tc.code == 0 || err == nil && tc.name != "good":
			t.Errorf("%s: ReadAt = %d, %v, want %d, %v", tc.name, n, err, tc.n, tc.err)
		case tc.code != 0 && (!errors.As(err, &status) || status.Code != tc.code):
			t.Errorf("%s: %v", tc.name, err)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: the error contains the query: %v", tc.name, err)
		}
		same(t, tc.name, b[:n], s.data[200:200+n])
	}
}

// TestOpenResults does the same for the first request.
func TestOpenResults(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault func(s *server, w http.ResponseWriter, r *http.Request) bool
		err   error
		code  int
	}{
		{"404", func(_ *server, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(404); return true }, nil, 404},
		{"416 of what is not empty", func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Range", "bytes */7")
			w.WriteHeader(416)
			return true
		}, httprange.ErrInvalidRange, 0},
		{"less than was asked for", func(s *server, w http.ResponseWriter, _ *http.Request) bool {
			s.part(w, 0, 49)
			w.Write(s.data[:50])
			return true
		}, httprange.ErrInvalidRange, 0},
		{"more than was asked for", func(s *server, w http.ResponseWriter, _ *http.Request) bool {
			s.part(w, 0, 199)
			w.Write(s.data[:200])
			return true
		}, httprange.ErrInvalidRange, 0},
		{"a body that breaks off", func(s *server, w http.ResponseWriter, _ *http.Request) bool {
			s.part(w, 0, 99)
			w.Write(s.data[:50])
			return true
		}, io.ErrUnexpectedEOF, 0},
	} {
		s := serve(t, 1000)
		s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { return tc.fault(s, w, r) }
		_, err := httprange.Open(t.Context(), strings.Replace(s.URL, "//", "//user:secret@", 1)+"/path?secret", httprange.First(100))
		var status *httprange.StatusError
		if tc.code != 0 && (!errors.As(err, &status) || status.Code != tc.code) || tc.code == 0 && !errors.Is(err, tc.err) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	for _, url := range []string{"", "ftp://host/secret", "http://", "http://user:se/cret@host", "http://secret:pass@host:x", "file:///x", "%zz"} {
		if _, err := httprange.Open(t.Context(), url); !errors.Is(err, httprange.ErrInvalidURL) || strings.Contains(err.Error(), "cret") && !strings.HasPrefix(url, "ftp") {
			t.Errorf("%q: %v", url, err)
		}
	}
	dead := httptest.NewServer(nil)
	dead.Close()
	if _, err := httprange.Open(t.Context(), dead.URL+"/path?secret"); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "/path") {
		t.Errorf("without a server: %v", err)
	}
}

// With Retry, ranges that are cut off, busy servers and stalls only cost time. A
// byte at a time is not a stall.
func TestRetries(t *testing.T) {
	s := serve(t, 10_000)
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		from, to := s.span(r)
		switch {
		case n == 0:
		case n%7 == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		case n%7 == 2 && to > from:
			s.part(w, from, to)
			w.Write(s.data[from : from+(to-from+1)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case n%7 == 3:
			panic(http.ErrAbortHandler)
		case n%7 == 4 && n < 8:
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case n%7 == 5 && n < 8: // slower than a stall allows
			s.part(w, from, to)
			for i := from; i <= to; i++ {
				w.Write(s.data[i : i+1])
				w.(http.Flusher).Flush()
				time.Sleep(500 * time.Microsecond)
			}
			return true
		}
		return false
	}
	f := open(t, s.URL, httprange.First(100))
	var stalls atomic.Int32
	again := func(err error, attempt int) (time.Duration, bool) {
		if errors.Is(err, async.ErrStalled) {
			stalls.Add(1)
		}
		_, again := httprange.Retry(50)(err, attempt)
		return 0, again
	}
	b, st, err := fill(t, f, 4, async.Retry(again), async.Stall(250*time.Millisecond))
	if same(t, "all", b, s.data); err != nil || st.Retries == 0 || stalls.Load() == 0 {
		t.Errorf("error %v, stats %+v, %d stalls", err, st, stalls.Load())
	}
}

// A range that is cut off continues at its next byte.
func TestNextByte(t *testing.T) {
	s := serve(t, 1000)
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 0 {
			return false
		}
		from, to := s.span(r)
		s.part(w, from, to)
		w.Write(s.data[from:min(from+300, to+1)])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	f := open(t, s.URL, httprange.First(100))
	b, st, err := fill(t, f, 1, async.Retry(func(error, int) (time.Duration, bool) { return 0, true }))
	if same(t, "all", b, s.data); err != nil || st.Retries != 2 {
		t.Errorf("%v, %+v", err, st)
	}
	var asked []string
	for _, r := range s.requests() {
		asked = append(asked, r.Header.Get("Range"))
	}
	if want := []string{"bytes=0-99", "bytes=100-999", "bytes=400-999", "bytes=700-999"}; !slices.Equal(asked, want) {
		t.Errorf("the requests are for %q, want %q", asked, want)
	}
}

// A server that always fails ends the call after as many attempts as Retry allows.
func TestFailsForEver(t *testing.T) {
	s := serve(t, 1000)
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
		return n > 0
	}
	f := open(t, s.URL, httprange.First(100))
	b, st, err := fill(t, f, 4, async.Retry(httprange.Retry(2)))
	var status *httprange.StatusError
	var at *async.Error
	if !errors.As(err, &status) || status.Code != 502 || !errors.As(err, &at) || at.Offset != 100 || st.Retries != 2 || len(s.requests()) != 4 {
		t.Errorf("error %v, stats %+v, %d requests", err, st, len(s.requests()))
	}
	same(t, "what the first request brought", b, s.data[:100])
}

// A body that trickles for longer than a stall is waited for.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	s := serve(t, 101)
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 0 {
			return false
		}
		from, to := s.span(r)
		s.part(w, from, to)
		for i := from; i <= to; i++ {
			w.Write(s.data[i : i+1])
			w.(http.Flusher).Flush()
			time.Sleep(35 * time.Millisecond)
		}
		return true
	}
	f := open(t, s.URL, httprange.First(1))
	b, _, err := fill(t, f, 2, async.Stall(3*time.Second))
	if same(t, "all", b, s.data); err != nil {
		t.Error(err)
	}
}

func TestRetry(t *testing.T) {
	retry := httprange.Retry(3)
	busy := &httprange.StatusError{Code: 429, RetryAfter: 7 * time.Second}
	for _, tc := range []struct {
		err     error
		attempt int
		wait    time.Duration
		again   bool
	}{
		{io.ErrUnexpectedEOF, 1, 100 * time.Millisecond, true},
		{io.ErrUnexpectedEOF, 3, 400 * time.Millisecond, true},
		{io.ErrUnexpectedEOF, 4, 800 * time.Millisecond, false},
		{busy, 1, 7 * time.Second, true},
		{fmt.Errorf("wrapped: %w", busy), 1, 7 * time.Second, true},
		{&httprange.StatusError{Code: 503, RetryAfter: time.Hour}, 1, time.Minute, true},
		{&httprange.StatusError{Code: 500}, 2, 200 * time.Millisecond, true},
		{&httprange.StatusError{Code: 408}, 1, 100 * time.Millisecond, true},
		{&httprange.StatusError{Code: 404}, 1, 0, false},
		{httprange.ErrChanged, 1, 0, false},
		{httprange.ErrNoRange, 1, 0, false},
		{httprange.ErrInvalidRange, 1, 0, false},
		{httprange.ErrRedirect, 1, 0, false},
	} {
		if wait, again := retry(tc.err, tc.attempt); again != tc.again || wait != tc.wait {
			t.Errorf("Retry after %v, attempt %d: %v, %t", tc.err, tc.attempt, wait, again)
		}
	}
	if wait, again := httprange.Retry(1000)(io.EOF, 1000); wait != time.Minute || !again {
		t.Errorf("Retry, attempt 1000: %v, %t", wait, again)
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0,
		"9999999999999999999": math.MaxInt32 * time.Second, "-9999999999": 0,
		time.Now().Add(time.Hour).UTC().Format(http.TimeFormat):  time.Hour,
		time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): 0,
	} {
		s := serve(t, 1000)
		s.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		_, err := httprange.Open(t.Context(), s.URL)
		var status *httprange.StatusError
		if !errors.As(err, &status) || status.Code != 429 || (status.RetryAfter-want).Abs() > time.Minute {
			t.Errorf("Retry-After %q: %v, %v", text, err, status)
		}
	}
}

// Ranges are read from where a redirect led. If that place no longer answers, the
// first URL is asked again, and must lead to the same object.
func TestRedirects(t *testing.T) {
	for i, code := range []int{301, 302, 303, 307, 308} {
		refusal := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusGone}[i%3]
		target := serve(t, 5000)
		var refused atomic.Bool
		target.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" || r.Header.Get("Kept") != "yes" {
				t.Errorf("headers at the target: %v", r.Header)
			}
			if r.URL.Query().Get("signed") == "1" && n > 2 {
				refused.Store(true)
				w.WriteHeader(refusal)
				return true
			}
			return false
		}
		first := serve(t, 0)
		var asked atomic.Int32
		first.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if user, password, ok := r.BasicAuth(); !ok || user != "user" || password != "secret" || r.Header.Get("Cookie") != "a=b" {
				t.Errorf("headers at the first URL: %v", r.Header)
			}
			w.Header().Set("Location", fmt.Sprintf("%s/elsewhere?signed=%d", target.URL, asked.Add(1)))
			w.WriteHeader(code)
			return true
		}
		f := open(t, strings.Replace(first.URL, "//", "//user:secret@", 1), httprange.First(100), httprange.Header(http.Header{"Cookie": {"a=b"}, "Kept": {"yes"}}))
		b, _, err := fill(t, f, 1)
		if same(t, "redirected", b, target.data); err != nil || !refused.Load() || asked.Load() != 2 {
			t.Errorf("error %v, refused: %t, the first URL was asked %d times", err, refused.Load(), asked.Load())
		}

		target.etag = `"two"`
		if _, err := f.ReadAt(make([]byte, 10), 300); !errors.Is(err, httprange.ErrChanged) {
			t.Errorf("after a redirect to another object: %v", err)
		}
	}
}

func TestSign(t *testing.T) {
	s := serve(t, 20_000)
	var refused atomic.Int32
	s.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		// The signature covers the range and the condition.
		if want := r.Header.Get("Range") + r.Header.Get("If-Match"); r.Header.Get("Signature") != want || r.URL.RawQuery != "nonce" {
			refused.Add(1)
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	}
	f := open(t, s.URL, httprange.First(100), httprange.Sign(func(r *http.Request) error {
		if r.URL.RawQuery != "" {
			return errors.New("signed twice")
		}
		r.URL.RawQuery = "nonce"
		r.Header.Set("Signature", r.Header.Get("Range")+r.Header.Get("If-Match"))
		return nil
	}))
	b, _, err := fill(t, f, 4)
	if same(t, "signed", b, s.data); err != nil || refused.Load() != 0 {
		t.Errorf("error %v, %d requests refused", err, refused.Load())
	}

	elsewhere := serve(t, 0)
	elsewhere.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, s.URL, http.StatusTemporaryRedirect)
		return true
	}
	var signed atomic.Int32
	s.fault = nil
	f = open(t, elsewhere.URL, httprange.First(100), httprange.Sign(func(*http.Request) error { signed.Add(1); return nil }))
	b, _, err = fill(t, f, 4)
	if same(t, "redirected", b, s.data); err != nil || signed.Load() != 1 {
		t.Errorf("error %v, %d requests signed", err, signed.Load())
	}

	planted := errors.New("planted")
	if _, err := httprange.Open(t.Context(), s.URL, httprange.Sign(func(*http.Request) error { return planted })); !errors.Is(err, planted) {
		t.Error(err)
	}
}

func TestNoRedirectToHTTP(t *testing.T) {
	plain := serve(t, 100)
	s := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer s.Close()
	_, err := httprange.Open(t.Context(), s.URL, httprange.Transport(s.Client().Transport.(*http.Transport)))
	if !errors.Is(err, httprange.ErrRedirect) || len(plain.requests()) != 0 {
		t.Errorf("error %v, %d requests", err, len(plain.requests()))
	}
}

// Over TLS the requests use HTTP/1.1, even if the server and the transport know
// HTTP/2, and they use connections again.
func TestConnections(t *testing.T) {
	s := newServer(50_000)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	f := open(t, s.URL, httprange.First(100), httprange.Depth(8), httprange.Transport(s.Client().Transport.(*http.Transport)))
	b, _, err := fill(t, f, 8)
	if same(t, "over TLS", b, s.data); err != nil {
		t.Error(err)
	}
	remotes := map[string]bool{}
	for _, r := range s.requests() {
		remotes[r.RemoteAddr] = true
		if r.ProtoMajor != 1 {
			t.Fatalf("a request uses %s", r.Proto)
		}
	}
	if len(remotes) > 20 { // a few more than 9, because some are dialed just as others become free
		t.Errorf("%d connections for %d requests", len(remotes), len(s.requests()))
	}
	if _, err := httprange.Open(t.Context(), s.URL); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("without the server's certificate: %v", err)
	}
}

// The end of the context ends a read.
func TestContext(t *testing.T) {
	s := serve(t, 1000)
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 0 {
			<-r.Context().Done()
		}
		return false
	}
	f := open(t, s.URL, httprange.First(100))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if n, err := f.ReadAtContext(ctx, make([]byte, 10), 500); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d, %v", n, err)
	}
}
