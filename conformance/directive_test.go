package conformance

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// All modules and the workspace have the same go directive, so that the language
// and the toolchain do not depend on where a command runs.
func TestOneGoDirective(t *testing.T) {
	directives := regexp.MustCompile(`(?m)^(?:go|toolchain) .*$`)
	found := map[string][]string{} // the files by their directive
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "go.mod" && d.Name() != "go.work" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, line := range directives.FindAllString(string(text), -1) {
			found[line] = append(found[line], path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 {
		t.Errorf("the go directives differ: %q", found)
	}
	for line, files := range found {
		if len(files) < 5 {
			t.Errorf("%q is only in %q", line, files)
		}
	}
}
