package conformance

import (
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/platforms.md must have a line for each port of Go and for no other, and must
// describe each port as the files that are built for it do.
func TestPlatforms(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "platforms.md"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	line := regexp.MustCompile(`(?m)^\| (([a-z0-9]+)/([a-z0-9]+)) \| yes \| [^|]+ \| ([^|]+) \| ([^|]+) \|$`)
	for _, m := range line.FindAllStringSubmatch(string(doc), -1) {
		listed = append(listed, m[1])
		built := built{t, build.Default}
		built.GOOS, built.GOARCH, built.CgoEnabled = m[2], m[3], false
		if want := built.vectored(); m[4] != want {
			t.Errorf("vectored on %s is described as %q, want %q", m[1], m[4], want)
		}
		if want := built.memory(); m[5] != want {
			t.Errorf("memory on %s is described as %q, want %q", m[1], m[5], want)
		}
	}
	if ports := strings.Fields(string(out)); !slices.Equal(listed, ports) {
		t.Errorf("docs/platforms.md lists %v, Go has %v", listed, ports)
	}
}

// A built holds the files that are built for a port.
type built struct {
	*testing.T
	build.Context
}

func (b built) vectored() string {
	switch {
	case b.has("vectored/conn.go"):
		return "readv, writev"
	case b.has("vectored/netbuffers/register.go"):
		return "one slice; net.Buffers"
	}
	return "one slice"
}

func (b built) memory() string {
	switch {
	case b.has("internal/memory/system_other.go"):
		return "heap"
	case b.has("internal/memory/place_linux_unsafe.go"):
		return "all"
	case b.has("internal/memory/mlock_openbsd.go"):
		return "no Mirror, no Lock"
	}
	return "no Mirror"
}

func (b built) has(file string) bool {
	dir, name := filepath.Split(filepath.Join("..", filepath.FromSlash(file)))
	matches, err := b.MatchFile(dir, name)
	if err != nil {
		b.Fatal(err)
	}
	return matches
}
