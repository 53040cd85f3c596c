package vectored

import (
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// TestMutants runs the package's tests against every mutant.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	mutants.Run(t, mutants.Read(t, "testdata/mutants.txt"), mutants.Tests, "-short", "-failfast", "-timeout=1m", ".")
}
