//go:build !nos3

package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// A bucket is a store in this process, with one bucket.
type bucket struct {
	t       *testing.T
	backend *s3mem.Backend
	url     string
	mu      sync.Mutex
	parts   int // that have come
	answers func(r *http.Request) (status int)
	comes   func(r *http.Request) // may delay it
}

const plantedKey = "plantedtoken/secret+key"

// answer makes f answer requests with a status; 0 leaves them to the store.
func (b *bucket) answer(f func(*http.Request) (status int)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers = f
}

func newBucket(t *testing.T) *bucket {
	b := &bucket{t: t, backend: s3mem.New()}
	if err := b.backend.CreateBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(b.backend, gofakes3.WithV4Auth(map[string]string{"AKID": plantedKey}), gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		comes := b.comes
		b.mu.Unlock()
		if comes != nil {
			comes(r)
		}
		// A client may read an answer after that of another request.
		rec := b.serve(fake, r)
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		// All of an object comes so slowly that ranges of it are asked for.
		for all := r.Header.Get("Range") == "bytes=0-"; all && rec.Body.Len() > 0; time.Sleep(time.Millisecond) {
			if _, err := w.Write(rec.Body.Next(16 << 10)); err != nil {
				return
			}
		}
		w.Write(rec.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// serve answers one request. The store races, so it gets them in turn.
func (b *bucket) serve(fake http.Handler, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answers != nil {
		if status := b.answers(r); status != 0 {
			rec.WriteHeader(status)
			return rec
		}
	}
	fake.ServeHTTP(rec, r)
	if r.URL.Query().Has("partNumber") {
		b.parts++
	}
	return rec
}

// prepare makes a process that has the bucket.
func (b *bucket) prepare(args ...string) *process {
	p := prepare(b.t, args...)
	b.env(p.Cmd)
	return p
}

func (b *bucket) env(c *exec.Cmd) {
	c.Env = []string{
		"HOME=" + b.t.TempDir(), "PATH=" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL=" + b.url,
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=" + plantedKey,
	}
}

// run runs the command with that standard input, and returns what came and what it
// said.
func (b *bucket) run(code int, in io.Reader, args ...string) (out []byte, said string) {
	b.t.Helper()
	p := b.prepare(args...)
	var w bytes.Buffer
	p.Stdin, p.Stdout = in, &w
	p.start()
	got, said := p.over()
	if got != code {
		b.t.Errorf("%v: exit code %d, want %d: %s", args, got, code, said)
	}
	unsaid(b.t, said)
	return w.Bytes(), said
}

// object returns the bytes of an object, or nil if there is none.
func (b *bucket) object(key string) []byte {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.backend.GetObject(context.Background(), "bucket", key, nil)
	if err != nil {
		return nil
	}
	defer o.Contents.Close()
	all, err := io.ReadAll(o.Contents)
	if err != nil {
		b.t.Fatal(err)
	}
	return append([]byte{}, all...)
}

func (b *bucket) received() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.parts
}

// small makes parts of 5 MiB, two at once.
var small = []string{"-m", "15M", "--depth", "2"}

// someBytes are more than two small parts.
func someBytes(t *testing.T) []byte {
	data, err := io.ReadAll(random(12<<20 + 12345))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// onlyReader hides what else a reader has, so that a pipe feeds the process.
type onlyReader struct{ io.Reader }

// TestS3: a stream of unknown length goes up, comes down, and is not replaced.
func TestS3(t *testing.T) {
	t.Parallel()
	b, data := newBucket(t), someBytes(t)
	dir := t.TempDir()
	copied := filepath.Join(dir, "copied")
	_, said := b.run(exitDone, onlyReader{bytes.NewReader(data)}, append(small, "-o", "s3://bucket/a", "-o", copied, "--hash", "md5")...)
	contains(t, said, "3 parts of 5 MiB", "MD5 hash: ", "at most 48", "verified by")
	sameBytes(t, "object", b.object("a"), data)
	file, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	sameBytes(t, "file beside it", file, data)

	_, said = b.run(exitRefused, strings.NewReader("other"), "-o", "s3://bucket/a")
	contains(t, said, "s3://bucket/a", "the object exists")
	sameBytes(t, "object that exists", b.object("a"), data)

	for _, args := range [][]string{nil, {"--depth", "4"}, {"--depth", "1"}, {"-m", "20M"}} {
		got, _ := b.run(exitDone, nil, append(args, "-i", "s3://bucket/a")...)
		sameBytes(t, "what came", got, data)
	}
	b.run(exitDone, nil, "-i", "s3://bucket/a", "-o", "s3://bucket/b")
	sameBytes(t, "copy", b.object("b"), data)

	b.run(exitDone, strings.NewReader("other"), "-f", "-o", "s3://bucket/a")
	sameBytes(t, "object that was replaced", b.object("a"), []byte("other"))
	b.run(exitDone, strings.NewReader(""), "-o", "s3://bucket/empty")
	if got := b.object("empty"); got == nil || len(got) > 0 {
		t.Errorf("an empty stream made %v", got)
	}
	got, _ := b.run(exitDone, nil, "s3://bucket/empty")
	sameBytes(t, "nothing", got, nil)
}

// TestS3Refused: what can't begin is said, and nothing is moved.
func TestS3Refused(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"-i", "s3://bucket/none"}, "there is no such object"},
		{[]string{"-o", "s3://planteduser:plantedpass@bucket/key"}, "invalid name"},
		{[]string{"-o", "s3://bucket"}, "has no key"},
		{[]string{"-o", "s3://bucket/k", "-m", "4M"}, "it takes -m"},
		{[]string{"-o", "s3://bucket/k", "--s3-checksum", "adler"}, "invalid option"},
		{[]string{"-o", "s3://bucket/k", "-m", "10M", "--max-parts", "10", "--size", "1G"}, "it takes -m"},
		{[]string{"-o", "s3://bucket/k", "-R", "1M"}, "does not go together with -R"},
		{[]string{"-o", "s3://bucket/k", "--append"}, "does not go together with --append"},
		{[]string{"-i", "s3://bucket/k", "--skip", "1"}, "does not go together with --skip"},
		{[]string{"-i", "s3://bucket/k", "-i", "-"}, "does not go together with other inputs"},
		{[]string{"-o", "s3://bucket/k", "-o", "s3://bucket/l", "--resume"}, "there are several"},
		{[]string{"--abort"}, "is for an output of s3://"},
		{[]string{"-o", "s3://bucket/k", "none"}, "no such file"},
	} {
		_, said := b.run(exitRefused, strings.NewReader("x"), tc.args...)
		contains(t, said, tc.says)
	}
	for _, key := range []string{"k", "l", "key"} {
		if b.object(key) != nil {
			t.Errorf("%s is there", key)
		}
	}
	// Under the other names it is a file.
	p := b.prepare("s3://bucket/none").as("pv")
	p.start()
	if _, said := p.over(); !strings.Contains(said, "no such file") {
		t.Error(said)
	}
}

var goOnForm = regexp.MustCompile(`(?m)^bytering: go on with[^:]*: (.*--resume=\S+)$`)

// resumed returns the command line that goes on.
func resumed(t *testing.T, said string) string {
	t.Helper()
	m := goOnForm.FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("%q does not say how to go on", said)
	}
	return m[1]
}

// TestS3Resume: a signal leaves the upload, and the line that is said finishes it.
func TestS3Resume(t *testing.T) {
	t.Parallel()
	b, data := newBucket(t), someBytes(t)
	p := b.prepare(append(small, "-o", "s3://bucket/a key")...)
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.start()
	if _, err := in.Write(data[:11<<20]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two parts", func() bool { return b.received() >= 2 })
	p.Process.Signal(syscall.SIGTERM)
	code, said := p.over()
	in.Close()
	if code != exitSignal+int(syscall.SIGTERM) {
		t.Errorf("%d: %s", code, said)
	}
	unsaid(t, said)
	contains(t, said, "stopped by signal", " bytes written to s3://bucket/a key")
	line := resumed(t, said)
	if b.object("a key") != nil {
		t.Fatal("a signal has completed the upload")
	}
	shell := func(in io.Reader) (code int, said string) {
		c := exec.CommandContext(t.Context(), "sh", "-c", line)
		b.env(c)
		c.Stdin = in
		out, _ := c.CombinedOutput()
		unsaid(t, string(out))
		return c.ProcessState.ExitCode(), string(out)
	}
	other := bytes.Clone(data)
	other[100]++
	code, said = shell(bytes.NewReader(other))
	if code != exitDiffers {
		t.Errorf("another stream: %d: %s", code, said)
	}
	resumed(t, said)
	before := b.received()
	if code, said = shell(bytes.NewReader(data)); code != exitDone {
		t.Errorf("%d: %s", code, said)
	}
	if n := b.received() - before; n != 1 {
		t.Errorf("%d parts were sent, not 1", n)
	}
	sameBytes(t, "object", b.object("a key"), data)
}

// TestS3Failed: a source that fails, or has less than was asked for, completes
// nothing.
func TestS3Failed(t *testing.T) {
	t.Parallel()
	b, data := newBucket(t), someBytes(t)
	name := writeFile(t, t.TempDir(), "data", string(data))
	tiny := writeFile(t, t.TempDir(), "tiny", "tiny")
	for _, tc := range []struct {
		what string
		code int
		left bool
		args []string
		says string
	}{
		{"read", exitSource, true, []string{name, "/proc/self/mem"}, "read /proc/self/mem: input/output error"},
		{"tiny read", exitSource, false, []string{tiny, "/proc/self/mem"}, "read /proc/self/mem: input/output error"},
		{"count", exitEarly, true, []string{name, "--count", "13M"}, "before what --count says"},
		{"tiny count", exitEarly, false, []string{tiny, "--count", "13M"}, "before what --count says"},
		{"tiny deep count", exitEarly, false, []string{tiny, "--depth", "1", "--count", "13M"}, "before what --count says"},
		{"open", exitSource, true, []string{name, secretly("http://127.0.0.1:1")}, "connection refused"},
		{"abort", exitSource, false, []string{name, "/proc/self/mem", "--abort"}, "; 0 bytes written"},
	} {
		_, said := b.run(tc.code, nil, append(append(small, "-o", "s3://bucket/"+tc.what), tc.args...)...)
		contains(t, said, tc.says)
		if b.object(tc.what) != nil {
			t.Errorf("%s: it was completed", tc.what)
		}
		if left := goOnForm.MatchString(said); left != tc.left {
			t.Errorf("%s: left %v: %s", tc.what, left, said)
		}
	}
}

// TestS3Server: a server that refuses a part is a sink that failed.
func TestS3Server(t *testing.T) {
	t.Parallel()
	b, data := newBucket(t), someBytes(t)
	b.answer(func(r *http.Request) int {
		if r.URL.Query().Get("partNumber") == "2" {
			return http.StatusForbidden
		}
		return 0
	})
	_, said := b.run(exitSink, bytes.NewReader(data), append(small, "-o", "s3://bucket/a")...)
	contains(t, said, "write s3://bucket/a")
	resumed(t, said)
	b.answer(func(r *http.Request) int {
		if r.Method == http.MethodGet && !r.URL.Query().Has("location") {
			return http.StatusForbidden
		}
		return 0
	})
	b.mu.Lock()
	_, err := b.backend.PutObject(t.Context(), "bucket", "b", map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, bytes.NewReader(data), int64(len(data)))
	b.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	b.run(exitRefused, nil, "-i", "s3://bucket/b")
	b.answer(func(r *http.Request) int {
		if r.Method == http.MethodGet && strings.HasPrefix(r.Header.Get("Range"), "bytes=") && !strings.HasPrefix(r.Header.Get("Range"), "bytes=0-") {
			return http.StatusForbidden
		}
		return 0
	})
	_, said = b.run(exitSource, nil, append(small, "-i", "s3://bucket/b")...)
	contains(t, said, "s3://bucket/b", "bytes written to standard output")
}

// TestNoS3: the command can be built without.
func TestNoS3(t *testing.T) {
	t.Parallel()
	without := filepath.Join(t.TempDir(), "bytering")
	if out, err := exec.Command("go", "build", "-tags", "nos3", "-o", without, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, args := range [][]string{{"-i", secretly("s3://bucket")}, {"-o", secretly("s3://bucket")}} {
		p := prepare(t, args...)
		p.Path = without
		p.start()
		said := p.end(exitRefused, 1)
		contains(t, said, "this build has no S3")
		unsaid(t, said)
	}
	p := prepare(t)
	p.Path = without
	p.start()
	p.end(exitDone, 1)
}

// TestS3Exists: an object that exists is looked for while the input is read. It is said
// at once, and nothing is left of what was begun.
func TestS3Exists(t *testing.T) {
	t.Parallel()
	b, data := newBucket(t), someBytes(t)
	b.run(exitDone, strings.NewReader("old"), "-o", "s3://bucket/old")
	const says = "open s3://bucket/old: the object exists: -f replaces it\n"
	refused := func(args ...string) {
		p := b.prepare(append(args, "-o", "s3://bucket/old")...)
		in, err := p.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close() // until then the input does not end
		go in.Write(data)
		p.start()
		code, said := p.over()
		if code != exitRefused || !strings.HasSuffix(said, "bytering: "+says) || strings.Contains(said, "written") {
			t.Errorf("%v: %d, %q", args, code, said)
		}
		unsaid(t, said)
	}
	refused()
	refused("-m", "100M") // less than a part comes
	var begun, aborted atomic.Int32
	b.mu.Lock()
	b.comes = func(r *http.Request) {
		switch {
		case r.URL.Query().Has("uploads"):
			begun.Add(1)
		case r.Method == http.MethodDelete:
			aborted.Add(1)
		case r.Method == http.MethodHead:
			for range 200 {
				if begun.Load() > 0 {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	b.mu.Unlock()
	refused(small...)
	if begun.Load() != 1 || aborted.Load() != 1 || b.received() > 0 {
		t.Errorf("%d uploads were begun, %d aborted, %d parts came", begun.Load(), aborted.Load(), b.received())
	}
	// Nothing is made beside it, and no input is waited for.
	copied := filepath.Join(t.TempDir(), "copied")
	refused("-o", copied)
	refused("-i", mkfifo(t))
	if _, err := os.Stat(copied); err == nil {
		t.Error("another output was made")
	}
	sameBytes(t, "object", b.object("old"), []byte("old"))
}
