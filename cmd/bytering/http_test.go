package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestHTTP: the bytes, and the requests for them, at a depth of 1 and above, with
// ranges and without, and what breaks off goes on.
func TestHTTP(t *testing.T) {
	const size = 3<<20 + 4567
	for name, tc := range map[string]struct {
		depth  string
		args   []string
		fault  func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool
		from   int
		to     int
		least  int // requests
		most   int
		ranges string // of the first request
	}{
		"one GET":            {depth: "1", to: size, least: 1, most: 1, ranges: "bytes=0-"},
		"at depth":           {depth: "4", to: size, least: 13, most: 14, ranges: "bytes=0-65535"},
		"of other blocks":    {depth: "3", args: []string{"--block", "1000K"}, to: size, least: 5, most: 6, ranges: "bytes=0-65535"},
		"blocks above 1M":    {depth: "2", args: []string{"-s", "2M"}, to: size, least: 3, most: 3, ranges: "bytes=0-65535"},
		"skip and count":     {depth: "4", args: []string{"--skip", "70001", "--count", "1M"}, from: 70001, to: 70001 + 1<<20, least: 5, most: 6, ranges: "bytes=0-65535"},
		"skip at depth 1":    {depth: "1", args: []string{"--skip", "70001"}, from: 70001, to: size, least: 2, most: 2, ranges: "bytes=0-0"},
		"count at depth 1":   {depth: "1", args: []string{"--count", "70001"}, to: 70001, least: 1, most: 1, ranges: "bytes=0-"},
		"no ranges":          {depth: "1", fault: (*origin).plain, to: size, least: 1, most: 1, ranges: "bytes=0-"},
		"no ranges at depth": {depth: "4", fault: (*origin).plain, to: size, least: 1, most: 1, ranges: "bytes=0-65535"},
		"no ranges and skip": {depth: "1", args: []string{"--skip", "70001"}, fault: (*origin).plain, from: 70001, to: size, least: 1, most: 1, ranges: "bytes=0-0"},
		"breaks off at depth": {depth: "4", fault: func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 0 || n%2 == 0 {
				return false
			}
			o.breakOff(w, r, 100_001)
			return true
		}, to: size, least: 14, most: 40, ranges: "bytes=0-65535"},
		"breaks off": {depth: "1", fault: func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
			o.breakOff(w, r, 1<<20)
			return true
		}, to: size, least: 4, most: 4, ranges: "bytes=0-"},
		"503": {depth: "4", fault: func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
			if n != 0 && n != 3 {
				return false
			}
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, to: size, least: 15, most: 16, ranges: "bytes=0-65535"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, size)
			if tc.fault != nil {
				o.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { return tc.fault(o, n, w, r) }
			}
			o.Start()
			out, _ := fetched(t, nil, exitDone, append([]string{"-q", "--depth", tc.depth, "-i", secretly(o.URL)}, tc.args...)...)
			sameBytes(t, name, out, o.data[tc.from:tc.to])
			reqs := o.requests()
			if n := len(reqs); n < tc.least || n > tc.most {
				t.Errorf("%d requests, want %d to %d", n, tc.least, tc.most)
			}
			for i, r := range reqs {
				user, password, _ := r.BasicAuth()
				if r.Method != "GET" || r.URL.RawQuery != "X-Sig=plantedsig" || user != "planteduser" || password != "plantedpass" || !strings.HasPrefix(r.UserAgent(), "bytering/") {
					t.Errorf("request %d is %s %s with %v", i, r.Method, r.URL, r.Header)
				}
				if i > 0 && tc.fault == nil && r.Header.Get("If-Match") != `"one"` {
					t.Errorf("request %d has no condition", i)
				}
			}
			if got := reqs[0].Header.Get("Range"); got != tc.ranges {
				t.Errorf("the first request is for %q, want %q", got, tc.ranges)
			}
		})
	}
}

// TestHTTPFails: each end has its code and its line, without a secret, and says how
// far it came.
func TestHTTPFails(t *testing.T) {
	const size = 1 << 20
	status := func(code int) func(*origin, int, http.ResponseWriter, *http.Request) bool {
		return func(_ *origin, _ int, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			return true
		}
	}
	after := func(first int, then func(*origin, int, http.ResponseWriter, *http.Request) bool) func(*origin, int, http.ResponseWriter, *http.Request) bool {
		return func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
			return n >= first && then(o, n, w, r)
		}
	}
	for name, tc := range map[string]struct {
		args  []string
		fault func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool
		code  int
		says  []string
	}{
		"404":          {nil, status(404), exitRefused, []string{"open http://", "/dir/object: status 404 Not Found"}},
		"404 at depth": {[]string{"--depth", "4"}, status(404), exitRefused, []string{"status 404"}},
		"403 later":    {[]string{"--depth", "2"}, after(2, status(403)), exitSource, []string{"read http://", "status 403 Forbidden at byte ", " bytes written to standard output"}},
		"503 and -W": {[]string{"-W", "2"}, func(_ *origin, _ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(503)
			return true
		}, exitRefused, []string{"status 503"}},
		"another object": {[]string{"--depth", "2"}, after(2, func(_ *origin, _ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Etag", `"two"`)
			return false
		}), exitSource, []string{"the object has changed"}},
		"no end": {[]string{"-W", "5"}, func(o *origin, _ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			w.Write(o.data[:1000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, exitEarly, []string{"it ended before the length that the server said at byte 1000"}},
		"more than it said": {nil, func(_ *origin, n int, w http.ResponseWriter, _ *http.Request) bool {
			if n > 0 {
				w.WriteHeader(404)
				return true
			}
			// After that the client waits a moment.
			if conn, buf, err := w.(http.Hijacker).Hijack(); err == nil {
				defer conn.Close()
				buf.WriteString("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\nmore\n")
				buf.Flush()
			}
			return true
		}, exitRefused, []string{"status 404"}},
		"shorter, again and again": {[]string{"--depth", "2"}, after(1, func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
			o.breakOff(w, r, 0)
			return true
		}), exitEarly, []string{"it ended before the length that the server said at byte 65536; 65536 bytes written"}},
		"less than --count": {[]string{"--depth", "2", "--count", "2M"}, nil, exitEarly, []string{"ended 1048576 bytes before what --count says"}},
		"stalls": {[]string{"-W", "1"}, func(o *origin, _ int, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			w.Write(o.data[:1000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return true
		}, exitTimeout, []string{"nothing moved for 1s", "1000 bytes written"}},
		"stalls at depth": {[]string{"-W", "1", "--depth", "3"}, after(1, func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
			o.begin(w, r, 1000)
			<-r.Context().Done()
			return true
		}), exitTimeout, []string{"nothing moved for 1s", "66536 bytes written"}},
		"stalls at once": {[]string{"-W", "1", "--depth", "3"}, after(1, func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		}), exitTimeout, []string{"nothing moved for 1s", "65536 bytes written"}},
		"loops": {nil, func(_ *origin, _ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "?again=plantedsig", http.StatusFound)
			return true
		}, exitRefused, []string{"redirect not followed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, size)
			if tc.fault != nil {
				o.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { return tc.fault(o, n, w, r) }
			}
			o.Start()
			out, said := fetched(t, nil, tc.code, append(tc.args, "-i", secretly(o.URL))...)
			contains(t, said, tc.says...)
			sameBytes(t, "what came", out, o.data[:len(out)])
		})
	}
}

// TestHTTPInputs: URLs among other inputs, with and without ranges, to several
// outputs.
func TestHTTPInputs(t *testing.T) {
	t.Parallel()
	ranged, plain := serve(t, 700_001, nil), newOrigin(t, 400_003)
	plain.fault = plain.plain
	plain.Start()
	a := randomFile(t, 300_007)
	bytesOf, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Join([][]byte{bytesOf, ranged.data, plain.data, bytesOf, ranged.data}, nil)
	for _, depth := range []string{"1", "3"} {
		second := filepath.Join(t.TempDir(), "second")
		out, _ := fetched(t, nil, exitDone, "-q", "--depth", depth, "--count", strconv.Itoa(len(want)), "-o", "-", "-o", second,
			a, ranged.URL, plain.URL, a, ranged.URL)
		sameBytes(t, "depth "+depth, out, want)
		got, err := os.ReadFile(second)
		if sameBytes(t, "the file at depth "+depth, got, want); err != nil {
			t.Error(err)
		}
	}
	missing := serve(t, 0, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(404)
		return true
	})
	for _, depth := range []string{"1", "3"} {
		out, said := fetched(t, nil, exitSource, "--depth", depth, a, missing.URL)
		sameBytes(t, "before what is missing", out, bytesOf)
		contains(t, said, "status 404", "300007 bytes written")
	}
}
