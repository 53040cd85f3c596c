//go:build interleave

package bytering

import (
	"regexp"
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// TestMutants runs TestHunt against every mutant.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	t.Setenv("HUNT", "1")
	mutants.Run(t, mutants.Read(t, "testdata/mutants/mutants.txt"), regexp.MustCompile(`KILLED by (.*)`),
		"-tags", "interleave", "-timeout=5m", "-run", "^TestHunt$", ".")
}
