package pump

import (
	"strings"
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// TestMutants plants each defect of the list, for the explorer or for the ordinary
// tests.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	groups := map[string][]mutants.Mutant{}
	for _, m := range mutants.Read(t, "testdata/mutants.txt") {
		kind, _, ok := strings.Cut(m.Name, "/")
		if !ok {
			kind = ""
		}
		groups[kind] = append(groups[kind], m)
	}
	for kind, args := range map[string][]string{
		"interleave": {"-tags=interleave", "-run=^TestInterleavings$"},
		"direct":     {"-run=^TestDirect"},
		"splice":     {"-run=^TestSplice"},
		"":           {"-skip=^(TestDirect|TestSplice)"},
	} {
		mutants.Run(t, groups[kind], mutants.Tests, append(args, "-short", "-failfast", "-timeout=1m", ".")...)
		delete(groups, kind)
	}
	for kind := range groups {
		t.Errorf("no test is known for the mutants of %q", kind)
	}
}
