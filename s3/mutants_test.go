package s3

import (
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// TestMutants plants each defect of the list, for the tests.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	mutants.Run(t, mutants.Read(t, "testdata/mutants.txt"), mutants.Tests, "-short", "-failfast", "-timeout=30s", ".")
}
