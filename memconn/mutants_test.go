//go:build !interleave

package memconn

import (
	"testing"

	"github.com/bytering/bytering/internal/mutants"
)

// TestMutants checks that the tests and the explorer's scenarios find every planted
// defect.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	mutants.Run(t, mutants.Read(t, "testdata/mutants.txt"), mutants.Tests,
		"-short", "-failfast", "-timeout=30s", ".")
	mutants.Run(t, mutants.Read(t, "testdata/interleavings.txt"), mutants.Tests,
		"-tags", "interleave", "-failfast", "-timeout=1m", "-run", "^TestInterleavings$", ".")
}
