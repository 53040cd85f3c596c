package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/bytering/bytering"

// arrows lists the packages of this project that each package imports, apart from
// its tests. There must be no others. Two kinds of imports are not visible on Linux
// by default: "interleave:" marks an import under the build tag of that name, and
// "elsewhere:" one that only other systems have.
var arrows = map[string][]string{
	"":                             {"internal/seam", "internal/memory", "vectored"},
	"internal/seam":                {"internal/pause", "interleave:internal/interleave"},
	"internal/interleave":          {},
	"internal/direct":              {"internal/kernel", "internal/memory"},
	"internal/kernel":              {},
	"internal/memory":              {"internal/kernel"},
	"internal/mutants":             {}, // for tests
	"internal/netaddr":             {},
	"internal/netwrite":            {},
	"internal/pattern":             {}, // for tests
	"internal/pause":               {},
	"internal/scripted":            {"internal/kernel", "internal/pattern"}, // for tests
	"internal/splice":              {"internal/kernel"},
	"vectored":                     {"internal/kernel", "internal/netaddr", "internal/netwrite"},
	"vectored/netbuffers":          {"elsewhere:internal/netwrite"}, // for systems without writev
	"pump":                         {"", "internal/seam", "internal/direct", "internal/netaddr", "internal/splice", "vectored", "vectored/netbuffers"},
	"async":                        {"", "internal/seam"},
	"async/httprange":              {"async"},
	"memconn":                      {"", "internal/seam", "vectored"},
	"cmd/bytering":                 {"", "cmd/bytering/internal/poller", "async", "async/httprange", "internal/direct", "pump", "s3", "vectored"},
	"cmd/bytering/internal/poller": {},
	"s3":                           {"", "async", "async/httprange"},
}

// list runs the go command in the root module, for a port such as linux/amd64.
func list(t *testing.T, port string, args ...string) []byte {
	t.Helper()
	system, arch, _ := strings.Cut(port, "/")
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v for %s: %v", args, port, err)
	}
	return out
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func packages(t *testing.T, port string, args ...string) (ps []listed) {
	t.Helper()
	// -e is needed because android and ios are incomplete without cgo.
	args = append([]string{"-e", "-json=ImportPath,Imports,Standard"}, args...)
	d := json.NewDecoder(bytes.NewReader(list(t, port, args...)))
	for d.More() {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

const linux = "linux/amd64"

// drawn returns the imports of the source. Each has the mark of the first build
// that shows it.
func drawn(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	look := func(mark, port, tags string) {
		for _, p := range packages(t, port, "-tags", tags, "./...", module+"/cmd/bytering/...", module+"/s3") {
			from := short(p.ImportPath)
			if found[from] == nil {
				found[from] = []string{}
			}
			for _, i := range p.Imports {
				to := short(i)
				if strings.HasPrefix(i, module) && !slices.ContainsFunc(found[from], func(known string) bool {
					return known[strings.Index(known, ":")+1:] == to
				}) {
					found[from] = append(found[from], mark+to)
				}
			}
		}
	}
	look("", linux, "")
	look("interleave:", linux, "interleave")
	out, err := exec.Command("go", "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{} // one port of each system is enough
	for _, port := range strings.Fields(string(out)) {
		if system, _, _ := strings.Cut(port, "/"); !seen[system] {
			seen[system] = true
			look("elsewhere:", port, "")
		}
	}
	return found
}

// short returns the path of a package within the project.
func short(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

func TestImportsAreTheArrows(t *testing.T) {
	found := drawn(t)
	for from := range found {
		if _, known := arrows[from]; !known {
			t.Errorf("package %q has no place among the layers", from)
		}
	}
	for from, want := range arrows {
		got, there := found[from]
		if !there {
			t.Errorf("there is no package %q", from)
		}
		for _, to := range got {
			if !slices.Contains(want, to) {
				t.Errorf("%q imports %q against the arrows", from, to)
			}
		}
		for _, to := range want {
			if there && !slices.Contains(got, to) {
				t.Errorf("%q does not import %q, though the arrows say so", from, to)
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
	for _, p := range packages(t, linux, "-deps", "./...") {
		if !p.Standard && !strings.HasPrefix(p.ImportPath, module) {
			t.Errorf("the root module depends on %s", p.ImportPath)
		}
	}
	// With cgo, package net links the C library into a program, with its resolver and
	// its threads. The command connects over TCP, so it pays for that, and keeps the
	// cost small.
	for _, p := range packages(t, linux, "-deps", ".", "./vectored", "./pump") {
		if p.ImportPath == "net" {
			t.Error("one of the root package, vectored and pump depends on net")
		}
	}
}
