// Package mutants plants defects in the source, one at a time, and holds the
// checks of a package to find each. It is for tests.
//
// A list of mutants is a text file. After a heading each is
//
//	@ name | file
//	text that occurs in the file once
//	==>
//	what stands there instead
package mutants

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// A Mutant is the source with one defect in it.
type Mutant struct{ Name, File, Old, New string }

// Read reads the list. With ONLY=text in the environment it keeps those whose
// names contain the text, and with SHARD=i/n every nth from the ith on.
func Read(t *testing.T, list string) (ms []Mutant) {
	t.Helper()
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	shard, of := 0, 1
	if s := os.Getenv("SHARD"); s != "" {
		if _, err := fmt.Sscanf(s, "%d/%d", &shard, &of); err != nil || of < 1 || shard < 0 || shard >= of {
			t.Fatalf("SHARD=%s: want i/n", s)
		}
	}
	_, all, _ := strings.Cut(string(text), "\n@ ")
	for i, one := range strings.Split(all, "\n@ ") {
		head, body, _ := strings.Cut(one, "\n")
		name, file, ok1 := strings.Cut(head, " | ")
		old, new, ok2 := strings.Cut(body, "\n==>\n")
		if !ok1 || !ok2 {
			t.Fatalf("mutant %q is not well formed", head)
		}
		if strings.Contains(name, os.Getenv("ONLY")) && i%of == shard {
			ms = append(ms, Mutant{name, file, old, strings.TrimRight(new, "\n")})
		}
	}
	return ms
}

// Overlay writes the mutated file to dir and returns the file that tells the go
// command to use it.
func (m Mutant) Overlay(t *testing.T, dir string) string {
	t.Helper()
	source, err := os.ReadFile(m.File)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.Old); n != 1 {
		t.Fatalf("mutant %q: its text occurs %d times in %s", m.Name, n, m.File)
	}
	mutated := filepath.Join(dir, filepath.Base(m.File))
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(source), m.Old, m.New, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(m.File)
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

// Tests matches what a failing test prints, or a program that the runtime ends.
// A mutant that does not compile prints none of it.
var Tests = regexp.MustCompile(`--- (FAIL: \S+)|(WARNING: DATA RACE)|(panic: .*)|(fatal error: .*)`)

// Run holds go test, with args, to find every mutant: it must fail, with a line
// that killed matches. A mutant that survives, or does not compile, fails t:
// then the checks prove nothing about the line that it changes.
func Run(t *testing.T, ms []Mutant, killed *regexp.Regexp, args ...string) {
	t.Helper()
	lines := make([]string, len(ms))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i, m := range ms {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			cmd := exec.Command("go", append([]string{"test", "-vet=off", "-count=1"}, args...)...)
			// Not as a flag, so that it also holds for what the tests build. MUTANTS
			// and ONLY are for the list.
			overlay := os.Getenv("GOFLAGS") + " -overlay=" + m.Overlay(t, t.TempDir())
			cmd.Env = append(os.Environ(), "MUTANTS=", "ONLY=", "SHARD=", "GOFLAGS="+overlay)
			out, err := cmd.CombinedOutput()
			found := killed.FindStringSubmatch(string(out))
			if err == nil || found == nil {
				t.Errorf("%s: SURVIVED\n%s", m.Name, out)
				return
			}
			lines[i] = m.Name + " -> " + strings.Join(found[1:], "")
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

// Skip skips a test that runs mutants, unless MUTANTS is set in the
// environment.
func Skip(t *testing.T) {
	t.Helper()
	if os.Getenv("MUTANTS") == "" {
		t.Skip("takes minutes: run with MUTANTS=1 in the environment")
	}
}
