package direct

import (
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// TestMutants plants each defect of the list.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	mutants.Run(t, mutants.Read(t, "testdata/mutants.txt"), mutants.Tests, "-failfast", "-timeout=5s", ".")
}
