//go:build !interleave

package seam

import (
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// In a normal build the words have sync/atomic's own types, so this compiles.
var (
	_ *atomic.Uint64       = (*Uint64)(nil)
	_ *atomic.Uint32       = (*Uint32)(nil)
	_ *atomic.Int32        = (*Int32)(nil)
	_ *atomic.Pointer[int] = (*Pointer[int])(nil)
	_ *sync.Mutex          = (*Mutex)(nil)
	_ chan struct{}        = Token(nil)
)

// TestTheAssemblyIsTheSame compiles one function written twice, with this package
// and its announcements and with sync/atomic alone, and compares the instructions.
func TestTheAssemblyIsTheSame(t *testing.T) {
	ours, plain := assembly(t, "./testdata/ours"), assembly(t, "./testdata/plain")
	if ours == "" || ours != plain {
		t.Errorf("with this package:\n%s\nwith sync/atomic:\n%s", ours, plain)
	}
}

var (
	function    = regexp.MustCompile(`(?m)^\S+\(\*half\)\.\w+ STEXT.*\n((?:\t0x.*\n)*)`)
	instruction = regexp.MustCompile(`(?m)^\t0x[0-9a-f]+ \d+ \([^)]*\)\t(.*)$`)
	// The text that differs only by numbering, or by the package's name.
	numbering = regexp.MustCompile(`autotmp_\d+|\bJ[A-Z]+\t\d+|\S*testdata/(ours|plain)\.`)
)

// assembly returns the instructions of the methods in dir.
func assembly(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command("go", "build", "-gcflags=-S", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var sb strings.Builder
	for _, f := range function.FindAllStringSubmatch(string(out), -1) {
		for _, m := range instruction.FindAllStringSubmatch(f[1], -1) {
			if !strings.HasPrefix(m[1], "PCDATA") && !strings.HasPrefix(m[1], "FUNCDATA") && m[1] != "NOP" {
				sb.WriteString(numbering.ReplaceAllString(m[1], "") + "\n")
			}
		}
	}
	return sb.String()
}

func TestToken(t *testing.T) {
	k := NewToken()
	Post(k)
	Post(k) // dropped, because a token is there
	if !Take(k, nil) {
		t.Error("the token was not taken")
	}
	done := make(chan struct{})
	close(done)
	if Take(k, done) {
		t.Error("two posts left two tokens")
	}
}
