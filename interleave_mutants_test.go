//go:build interleave

package bytering

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// A mutant is the source with one defect in it.
type mutant struct{ name, file, old, new string }

func readMutants(t *testing.T) (ms []mutant) {
	text, err := os.ReadFile("testdata/mutants/mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, all, _ := strings.Cut(string(text), "\n@ ")
	for _, one := range strings.Split(all, "\n@ ") {
		head, body, _ := strings.Cut(one, "\n")
		name, file, ok1 := strings.Cut(head, " | ")
		old, new, ok2 := strings.Cut(body, "\n==>\n")
		if !ok1 || !ok2 {
			t.Fatalf("mutant %q is not well formed", head)
		}
		if strings.Contains(name, os.Getenv("ONLY")) {
			ms = append(ms, mutant{name, file, old, strings.TrimRight(new, "\n")})
		}
	}
	return ms
}

// overlay writes the mutated file and tells the go command of it.
func (m mutant) overlay(t *testing.T, dir string) string {
	source, err := os.ReadFile(m.file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Fatalf("mutant %q: its text occurs %d times in %s", m.name, n, m.file)
	}
	mutated := filepath.Join(dir, m.file)
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

var killed = regexp.MustCompile(`KILLED by (.*)`)

// TestMutants runs the scenarios against every mutant. That one survives, or
// does not even compile, fails the test: then the scenarios prove nothing
// about the line that it changes. With ONLY=text in the environment it plants
// those whose names contain the text.
func TestMutants(t *testing.T) {
	if os.Getenv("MUTANTS") == "" {
		t.Skip("takes minutes: run with MUTANTS=1 in the environment")
	}
	ms := readMutants(t)
	lines := make([]string, len(ms))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i, m := range ms {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			cmd := exec.Command("go", "test", "-tags", "interleave", "-overlay", m.overlay(t, t.TempDir()),
				"-vet=off", "-count=1", "-timeout=5m", "-run", "^TestHunt$", ".")
			cmd.Env = append(os.Environ(), "HUNT=1", "MUTANTS=")
			out, err := cmd.CombinedOutput()
			found := killed.FindStringSubmatch(string(out))
			if err == nil || found == nil {
				t.Errorf("%s: SURVIVED\n%s", m.name, out)
				return
			}
			lines[i] = m.name + " -> " + found[1]
		})
	}
	wg.Wait()
	n := 0
	for _, line := range lines {
		if line != "" {
			n++
			t.Log(line)
		}
	}
	t.Logf("mutants: %d of %d killed", n, len(ms))
}
