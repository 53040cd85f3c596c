//go:build !interleave

package async

import (
	"strings"
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// TestMutants plants each defect of the list, for the explorer or for the ordinary
// tests.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	var explored, tested []mutants.Mutant
	for _, m := range mutants.Read(t, "testdata/mutants.txt") {
		if strings.HasPrefix(m.Name, "interleave/") {
			explored = append(explored, m)
		} else {
			tested = append(tested, m)
		}
	}
	mutants.Run(t, explored, mutants.Tests, "-tags=interleave", "-failfast", "-timeout=2m", "-run=^TestInterleavings$", ".")
	mutants.Run(t, tested, mutants.Tests, "-short", "-failfast", "-timeout=20s", ".")
}
