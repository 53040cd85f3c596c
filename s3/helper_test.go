package s3

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bytering/bytering"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

const (
	testBucket = "bucket"
	testKey    = "AKIDPLANTED000000001"
	testSecret = "planted/secret+key/0123456789abcdefghijk"
	testToken  = "planted-session-token-0123456789"

	// Parts are of 5 units or more.
	testUnit = 4 << 10
	testPart = smallestPart * testUnit
)

// A server is a store in this process. Before is asked first, and may answer.
type server struct {
	t       *testing.T
	http    *httptest.Server
	backend *s3mem.Backend
	fake    http.Handler
	store   sync.RWMutex // the store races where parts come while others are listed

	mu       sync.Mutex
	before   func(w http.ResponseWriter, r *http.Request) (done bool)
	requests []string
	lines    []string
}

// serve starts a store, and sets the environment so that it is the endpoint.
func serve(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, backend: s3mem.New()}
	if err := s.backend.CreateBucket(t.Context(), testBucket); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(s.backend, gofakes3.WithV4Auth(map[string]string{testKey: testSecret}), gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	s.fake = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if k := kind(r); k == "part" || k == "get" || k == "put" || k == "head" {
			s.store.RLock()
			defer s.store.RUnlock()
		} else {
			s.store.Lock()
			defer s.store.Unlock()
		}
		fake.ServeHTTP(w, r)
	})
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	environment(t, s.http.URL)
	return s
}

// slowly answers a request for all of an object so slowly that other ranges are asked for.
// It reports whether the request is one.
func (s *server) slowly(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Range") != "bytes=0-" {
		return false
	}
	rec := s.swallow(r)
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	for b := rec.Body; b.Len() > 0; time.Sleep(time.Millisecond) {
		if _, err := w.Write(b.Next(testPart / 8)); err != nil {
			break
		}
		w.(http.Flusher).Flush()
	}
	return true
}

// environment sets what a client reads, and nothing else.
func environment(t *testing.T, endpoint string) {
	t.Helper()
	for _, v := range []string{
		"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
	} {
		t.Setenv(v, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", testKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", testSecret)
}

// kind returns what a request is for.
func kind(r *http.Request) string {
	q := r.URL.Query()
	object := strings.Count(strings.Trim(r.URL.Path, "/"), "/") > 0
	switch {
	case r.Method == http.MethodPut && q.Has("partNumber"):
		return "part"
	case r.Method == http.MethodPost && q.Has("uploads"):
		return "create"
	case r.Method == http.MethodPost && q.Has("uploadId"):
		return "complete"
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		return "abort"
	case r.Method == http.MethodGet && q.Has("uploadId"):
		return "parts"
	case r.Method == http.MethodGet && q.Has("uploads"):
		return "uploads"
	case object:
		return strings.ToLower(r.Method)
	}
	return "bucket"
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, kind(r))
	before := s.before
	s.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	s.fake.ServeHTTP(w, r)
}

// fault has f look at each request first.
func (s *server) fault(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// count returns how many requests of a kind came.
func (s *server) count(what string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r == what {
			n++
		}
	}
	return n
}

// options returns options for small parts and short waits.
func (s *server) options() Options {
	return Options{
		unit: testUnit, Memory: 5 * testPart, backoff: time.Millisecond, Stall: 2 * time.Second,
		Log: func(line string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lines = append(s.lines, line)
		},
	}
}

// said reports whether a line has been said that has text in it.
func (s *server) said(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.lines, "\n"), text)
}

// object returns the bytes of an object, or nil if there is none.
func (s *server) object(key string) []byte {
	s.t.Helper()
	o, err := s.backend.GetObject(context.Background(), testBucket, key, nil)
	if err != nil {
		return nil
	}
	defer o.Contents.Close()
	b, err := io.ReadAll(o.Contents)
	if err != nil {
		s.t.Fatal(err)
	}
	if b == nil {
		b = []byte{}
	}
	return b
}

// plant makes an object.
func (s *server) plant(key string, b []byte) {
	s.t.Helper()
	if _, err := s.backend.PutObject(context.Background(), testBucket, key, map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, bytes.NewReader(b), int64(len(b))); err != nil {
		s.t.Fatal(err)
	}
}

// answerError answers with an error of S3.
func answerError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>planted</Message></Error>`)
}

func newRing(t testing.TB, n int) (*bytering.Producer, *bytering.Consumer) {
	t.Helper()
	p, c, err := bytering.New(n)
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

// drain sends b, and then end, through an upload.
func drain(ctx context.Context, t testing.TB, u *Upload, b []byte, end error) (Summary, error) {
	t.Helper()
	p, c := newRing(t, int(u.Plan().Ring()))
	var fed sync.WaitGroup
	fed.Go(func() {
		for len(b) > 0 {
			n, err := p.Write(b[:min(len(b), 3001)])
			if err != nil {
				return
			}
			b = b[n:]
		}
		p.CloseWithError(end)
	})
	s, err := u.Drain(ctx, c)
	c.Close()
	fed.Wait()
	return s, err
}

// create makes an upload of the key, or fails.
func create(t testing.TB, key string, o Options) *Upload {
	t.Helper()
	u, err := Create(t.Context(), Scheme+testBucket+"/"+key, o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// fill reads an object through a ring.
func fill(ctx context.Context, t testing.TB, ob *Object) ([]byte, Summary, error) {
	t.Helper()
	p, c := newRing(t, int(ob.Plan().Ring()))
	var got bytes.Buffer
	var read sync.WaitGroup
	read.Go(func() { c.WriteTo(&got); c.Close() })
	s, err := ob.Fill(ctx, p)
	p.CloseWithError(err)
	read.Wait()
	return got.Bytes(), s, err
}

// random returns n bytes that are the same each time.
func random(n int) []byte {
	b := make([]byte, n)
	x := uint64(n)*2654435761 + 88172645463325252
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x >> 32)
	}
	return b
}
