//go:build !interleave

package bytering

import (
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// TestMutantsOfTests runs the tests against those defects that the explorer
// does not see.
func TestMutantsOfTests(t *testing.T) {
	mutants.Skip(t)
	mutants.Run(t, mutants.Read(t, "testdata/mutants/tests.txt"), mutants.Tests,
		"-failfast", "-timeout=20s", "-run", "Spinning|Commit|Panics|Fuzz|EmptySpace|Faults|Limits|OneFree|Spill|Space|Whole|NoSpill|EmptyMessage|KeepsWhat|Outlive|AfterTheConsumersClose", ".")
}
