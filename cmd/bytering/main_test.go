package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// binary is the command as users get it: also under -race built without.
var binary string

func TestMain(m *testing.M) {
	if len(os.Args) == 0 {
		// Never, but it links the whole command into the test, without which
		// go test would not notice a change of it and show a cached result.
		main()
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "bytering-test")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "bytering.exe")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // static, as it is released
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// patience is how long anything may take that has no reason to take long. It is
// shorter where what is tested has a defect on purpose.
var patience = 20 * time.Second

// A process is the command under way.
type process struct {
	*exec.Cmd
	t      *testing.T
	stderr bytes.Buffer
}

// prepare makes a process that is killed when the test ends.
func prepare(t *testing.T, args ...string) *process {
	p := &process{Cmd: exec.CommandContext(t.Context(), binary, args...), t: t}
	p.Stderr = &p.stderr
	p.WaitDelay = patience
	return p
}

func (p *process) start() {
	p.t.Helper()
	if err := p.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the process and checks how it ended.
func (p *process) end(code, lines int) string {
	p.t.Helper()
	p.await()
	return p.check(code, lines)
}

// await waits for the process.
func (p *process) await() {
	p.t.Helper()
	timer := time.AfterFunc(patience, func() { p.Process.Kill() })
	err := p.Wait()
	if !timer.Stop() {
		p.t.Fatalf("no end within %v; stderr %q", patience, p.stderr.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
}

// over waits for the process and returns its exit code and what it said.
func (p *process) over() (code int, said string) {
	p.t.Helper()
	p.await()
	return exitStatus(p.ProcessState), p.stderr.String()
}

// check checks the exit code, and that what it said is of so many lines, each of
// them complete.
func (p *process) check(code, lines int) string {
	p.t.Helper()
	said := p.stderr.String()
	if got := exitStatus(p.ProcessState); got != code {
		p.t.Errorf("exit code %d (%v), want %d; stderr %q", got, p.ProcessState, code, said)
	}
	if n := strings.Count(said, "\n"); n != lines || said != "" && (!strings.HasPrefix(said, "bytering: ") || !strings.HasSuffix(said, "\n")) {
		p.t.Errorf("stderr %q, want %d lines", said, lines)
	}
	return said
}

// as makes the process one that is called by another name.
func (p *process) as(name string) *process {
	p.Args[0] = name
	return p
}

// writeFile makes a file with text in dir.
func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

// random makes n bytes that are the same for the same n.
func random(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(n)}), n)
}

func randomFile(t *testing.T, n int64) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "source"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, random(n)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func sum(t *testing.T, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d bytes, %x", n, h.Sum(nil))
}

func sumFile(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return sum(t, f)
}

// pipe makes a pipe that the test's end closes.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}
