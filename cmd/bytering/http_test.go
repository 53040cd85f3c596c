package main

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An origin is a server of one object, and remembers what it was asked.
type origin struct {
	*httptest.Server
	data  []byte
	fault func(n int, w http.ResponseWriter, r *http.Request) (answered bool) // of the nth request, or nil

	mu   sync.Mutex
	reqs []*http.Request
}

func newOrigin(t *testing.T, size int64) *origin {
	t.Helper()
	o := new(origin)
	o.data, _ = io.ReadAll(random(size))
	o.Server = httptest.NewUnstartedServer(o)
	o.Config.ErrorLog = log.New(io.Discard, "", 0) // handlers break off
	t.Cleanup(o.Close)
	return o
}

func serve(t *testing.T, size int64, fault func(n int, w http.ResponseWriter, r *http.Request) bool) *origin {
	t.Helper()
	o := newOrigin(t, size)
	o.fault = fault
	o.Start()
	return o
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	n := len(o.reqs)
	o.reqs = append(o.reqs, r)
	o.mu.Unlock()
	w.Header().Set("Etag", `"one"`)
	if o.fault == nil || !o.fault(n, w, r) {
		o.answer(w, r)
	}
}

func (o *origin) answer(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(o.data))
}

func (o *origin) requests() []*http.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.reqs
}

// plain answers without ranges.
func (o *origin) plain(_ int, w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Content-Length", strconv.Itoa(len(o.data)))
	w.Write(o.data)
	return true
}

// begin sends the first n bytes of what was asked for, and reports whether that is
// all.
func (o *origin) begin(w http.ResponseWriter, r *http.Request, n int) (all bool) {
	rec := httptest.NewRecorder()
	rec.Header().Set("Etag", `"one"`)
	o.answer(rec, r)
	for key, v := range rec.Header() {
		w.Header()[key] = v
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes()[:min(n, rec.Body.Len())])
	w.(http.Flusher).Flush()
	return n >= rec.Body.Len()
}

// breakOff breaks off after n bytes.
func (o *origin) breakOff(w http.ResponseWriter, r *http.Request, n int) {
	if !o.begin(w, r, n) {
		panic(http.ErrAbortHandler)
	}
}

// planted are secrets, none of which may be said.
var planted = []string{"planteduser", "plantedpass", "plantedsig", "plantedfrag", "plantedtoken"}

func unsaid(t *testing.T, said string) {
	t.Helper()
	for _, secret := range append(planted, base64.StdEncoding.EncodeToString([]byte("planteduser:plantedpass"))) {
		if strings.Contains(said, secret) {
			t.Errorf("%q has a secret in it", said)
		}
	}
}

// secretly returns a URL with secrets in it.
func secretly(base string) string {
	return strings.Replace(base, "//", "//planteduser:plantedpass@", 1) + "/dir/object?X-Sig=plantedsig#plantedfrag"
}

// fetched runs the command, and returns what came and what it said.
func fetched(t *testing.T, env []string, code int, args ...string) (out []byte, said string) {
	t.Helper()
	p := prepare(t, args...)
	p.Env = append(append(os.Environ(), "HOME="+t.TempDir(), "NETRC=", "http_proxy=", "HTTP_PROXY=", "https_proxy=", "HTTPS_PROXY="), env...)
	var b bytes.Buffer
	p.Stdout = &b
	p.start()
	lines := 1
	if code == exitDone && args[0] == "-q" {
		lines = 0
	}
	said = p.end(code, lines)
	unsaid(t, said)
	return b.Bytes(), said
}

func sameBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes that are not the %d", what, len(got), len(want))
	}
}

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
		}, exitSource, []string{"no ranges"}},
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

// TestHTTPRefused: what can't begin is said in a line without a secret.
func TestHTTPRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	header := func(text string) string { return "@" + writeFile(t, dir, fmt.Sprint(len(text)), text) }
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"-o", secretly("https://host")}, "HTTP is for inputs only"},
		{[]string{"-i", "http://planteduser:planted%zzpass@host/?plantedsig"}, "open http://...: "},
		{[]string{"-i", "HTTPS://planteduser:plantedpass@:/?plantedsig"}, "open https://"},
		{[]string{"--header", "Authorization: plantedtoken"}, "--header needs @FILE"},
		{[]string{"--header=X: plantedtoken"}, "--header needs @FILE"},
		{[]string{"--header", header("A: b\nplantedtoken")}, "line 2 is not a name, a colon and a value"},
		{[]string{"--header", header("A: b\n\nRange: plantedtoken")}, "line 3 is of Range, which bytering sets itself"},
		{[]string{"--header", "@" + dir + "/none"}, "no such file"},
		{[]string{"--cacert", dir + "/none"}, "no such file"},
		{[]string{"--cacert", strings.TrimPrefix(header("plantedtoken"), "@")}, "has no certificate in PEM"},
		{[]string{"--depth", "0"}, "not a number from 1 on"},
		{[]string{"--depth", "4", "-r", "1M"}, "--depth 4 does not go together with -r"},
		{[]string{"--depth", "4", "--direct"}, "--depth 4 does not go together with --direct"},
		{[]string{"--depth", "1000000000", "-i", "/dev/null"}, "1000000001 times 256K: more than"},
		{[]string{"-i", secretly("http://127.0.0.1:1")}, "connection refused"},
	} {
		_, said := fetched(t, nil, exitRefused, tc.args...)
		contains(t, said, tc.says)
	}
	// Under the other names it is a file that is not there.
	for _, name := range []string{"mbuffer", "pv"} {
		p := prepare(t).as(name)
		p.Args = append(p.Args, map[string][]string{"mbuffer": {"-i"}, "pv": nil}[name]...)
		p.Args = append(p.Args, secretly("http://host"))
		p.start()
		if code, said := p.over(); code == exitDone || !strings.Contains(said, "no such file") {
			t.Errorf("%s: %d, %s", name, code, said)
		} else {
			unsaid(t, said)
		}
	}
	p := prepare(t, secretly("http://host")).as("mbuffer")
	p.start()
	if code, said := p.over(); code != exitRefused || !strings.Contains(said, "unexpected argument") {
		t.Errorf("%d, %s", code, said)
	} else {
		unsaid(t, said)
	}
}

// TestHTTPSecrets: what is secret reaches the host that it is for, from a file of
// headers, the URL, netrc by either way, and no other.
func TestHTTPSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	header := writeFile(t, dir, "header", "Authorization: Bearer plantedtoken\r\n\nX-Kept: yes\n")
	rc := writeFile(t, dir, "rc", "# machine 127.0.0.1 login no password no\nmachine other login a password b\n"+
		"macdef init\nmachine 127.0.0.1\n\nmachine 127.0.0.1 login someone password else\n"+
		"machine 127.0.0.1\n\tlogin planteduser\n\tpassword \"plantedpass\"\n")
	home := t.TempDir()
	writeFile(t, home, ".netrc", "default login planteduser password plantedpass")
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("planteduser:plantedpass"))
	for name, tc := range map[string]struct {
		env  []string
		user string
		args []string
		want string
	}{
		"header":        {[]string{"NETRC=" + rc}, "", []string{"--header", "@" + header}, "Bearer plantedtoken"},
		"URL":           {[]string{"NETRC=" + rc}, "planteduser:plantedpass@", nil, basic},
		"NETRC":         {[]string{"NETRC=" + rc}, "", nil, "Basic " + base64.StdEncoding.EncodeToString([]byte("someone:else"))},
		"netrc, a user": {[]string{"NETRC=" + rc}, "planteduser@", nil, basic},
		"netrc at home": {[]string{"HOME=" + home}, "", nil, basic},
		"no netrc":      {nil, "", nil, ""},
	} {
		other := serve(t, 300_000, nil)
		first := serve(t, 0, func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+"/there?plantedsig", http.StatusFound)
			return true
		})
		args := append([]string{"-q", "--depth", "2", "-i", strings.Replace(first.URL, "//", "//"+tc.user, 1)}, tc.args...)
		out, _ := fetched(t, tc.env, exitDone, args...)
		sameBytes(t, name, out, other.data)
		if got := first.requests()[0].Header.Get("Authorization"); got != tc.want {
			t.Errorf("%s: Authorization is %q, want %q", name, got, tc.want)
		}
		for _, r := range other.requests() {
			if got := r.Header.Get("Authorization"); got != "" {
				t.Errorf("%s: another host got %q", name, got)
			}
			if kept := r.Header.Get("X-Kept"); (kept != "") != (tc.args != nil) {
				t.Errorf("%s: X-Kept is %q", name, kept)
			}
		}
	}
	for name, says := range map[string]string{
		dir + "/none": "no such file",
		writeFile(t, dir, "odd", "machine 127.0.0.1 plantedtoken x"):              "something else",
		writeFile(t, dir, "cut", "machine 127.0.0.1 login plantedtoken password"): "nothing follows the last password",
		writeFile(t, dir, "quote", "machine 127.0.0.1 password \"plantedtoken"):   "a quote does not end",
	} {
		_, said := fetched(t, []string{"NETRC=" + name}, exitRefused, "-i", "http://127.0.0.1:1/")
		contains(t, said, says, name)
	}
}

// TestHTTPS: a certificate is held against the system's, or --cacert.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, 500_000)
	o.StartTLS()
	cert := writeFile(t, t.TempDir(), "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.Certificate().Raw})))
	for _, depth := range []string{"1", "3"} {
		out, _ := fetched(t, nil, exitDone, "-q", "--depth", depth, "--cacert", cert, secretly(o.URL))
		sameBytes(t, "depth "+depth, out, o.data)
	}
	_, said := fetched(t, nil, exitRefused, "-q", secretly(o.URL))
	contains(t, said, "/dir/object: tls: failed to verify certificate")
	if n := len(o.requests()); n > 4 {
		t.Errorf("%d requests", n)
	}
}

// TestHTTPProxy: requests go by the proxy of the environment, whose password no
// message has.
func TestHTTPProxy(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, 300_000)
	o.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.Host != "far.invalid" || r.Header.Get("Proxy-Authorization") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		return false
	}
	o.Start()
	proxy := "http_proxy=" + strings.Replace(o.URL, "//", "//planteduser:plantedpass@", 1)
	out, _ := fetched(t, []string{proxy}, exitDone, "-q", "--depth", "2", "http://far.invalid/object")
	sameBytes(t, "through a proxy", out, o.data)
	for _, env := range []string{"http_proxy=http://planteduser:plantedpass%zz@host", "http_proxy=http://planteduser:plantedpass@127.0.0.1:1"} {
		_, said := fetched(t, []string{env}, exitRefused, "http://far.invalid/object")
		contains(t, said, "open http://far.invalid/object: ")
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
