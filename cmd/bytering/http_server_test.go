package main

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
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

// certificate returns a file that has the server's.
func (o *origin) certificate(t *testing.T) string {
	t.Helper()
	block := &pem.Block{Type: "CERTIFICATE", Bytes: o.Certificate().Raw}
	return writeFile(t, t.TempDir(), "ca.pem", string(pem.EncodeToMemory(block)))
}
