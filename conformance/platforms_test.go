package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/platforms.md has a line for each port of Go, and for no other.
func TestPlatformsAreAllListed(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "platforms.md"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z0-9]+/[a-z0-9]+) \|`).FindAllStringSubmatch(string(doc), -1) {
		listed = append(listed, m[1])
	}
	if ports := strings.Fields(string(out)); !slices.Equal(listed, ports) {
		t.Errorf("docs/platforms.md lists %v, Go has %v", listed, ports)
	}
}
