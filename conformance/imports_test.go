package conformance

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/bytering/bytering"

// arrows says which packages of this project each may import, tests aside.
// An import that is not here goes against the layers of the design.
var arrows = map[string][]string{
	"":                    {"internal/atomics", "internal/memory", "vectored"},
	"internal/atomics":    {"internal/interleave", "internal/pause"}, // the former under the build tag interleave
	"internal/interleave": {},
	"internal/direct":     {"internal/kernel", "internal/memory"},
	"internal/kernel":     {},
	"internal/memory":     {"internal/kernel"},
	"internal/mutants":    {}, // for tests
	"internal/netaddr":    {},
	"internal/netwrite":   {},
	"internal/pause":      {},
	"internal/scripted":   {"internal/kernel"},                                          // for tests
	"vectored":            {"internal/kernel", "internal/netaddr", "internal/netwrite"}, // the latter where there is no writev
	"vectored/netbuffers": {"internal/netwrite"},                                        // likewise
	"pump":                {"", "internal/atomics", "internal/direct", "internal/netaddr", "vectored", "vectored/netbuffers"},
	"memconn":             {"", "internal/atomics", "vectored"},
	"cmd/bytering":        {"", "pump", "vectored"},
}

// list runs the go command in the root module.
func list(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return out
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func packages(t *testing.T, args ...string) (ps []listed) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(list(t, append([]string{"-json=ImportPath,Imports,Standard"}, args...)...))))
	for d.More() {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

func TestImportsFollowTheArrows(t *testing.T) {
	for _, tags := range []string{"", "interleave"} {
		ps := packages(t, "-tags", tags, "./...", module+"/cmd/bytering")
		if len(ps) < 5 {
			t.Fatalf("go list found %d packages", len(ps))
		}
		for _, p := range ps {
			short := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
			allowed, known := arrows[short]
			if !known {
				t.Errorf("package %s has no place among the layers", short)
			}
			for _, i := range p.Imports {
				if to, ours := strings.CutPrefix(i, module); ours && !slices.Contains(allowed, strings.TrimPrefix(to, "/")) {
					t.Errorf("%s imports %s", p.ImportPath, i)
				}
			}
		}
	}
}

func TestRootRequiresNothing(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json", filepath.Join("..", "go.mod")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct{ Require []any }
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if len(mod.Require) != 0 {
		t.Errorf("the root module requires %v", mod.Require)
	}
	for _, p := range packages(t, "-deps", "./...") {
		if !p.Standard && !strings.HasPrefix(p.ImportPath, module) {
			t.Errorf("the root module depends on %s", p.ImportPath)
		}
	}
	// Package net links the C library's resolver, threads and all, into the
	// command.
	for _, p := range packages(t, "-deps", ".", "./vectored", "./pump", module+"/cmd/bytering") {
		if p.ImportPath == "net" {
			t.Error("one of the root package, vectored, pump and the command depends on net")
		}
	}
}
