package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/mutants"
)

// impatient in the environment makes the tests give up early.
const impatient = "BYTERING_TEST_IMPATIENT"

func init() {
	if os.Getenv(impatient) != "" {
		patience = 4 * time.Second
	}
}

// TestMutants runs against every mutant the test that its name begins with.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	t.Setenv(impatient, "1")
	for _, m := range mutants.Read(t, "testdata/mutants.txt") {
		test, _, _ := strings.Cut(m.Name, ":")
		t.Run(m.Name, func(t *testing.T) {
			mutants.Run(t, []mutants.Mutant{m}, mutants.Tests, "-failfast", "-timeout=2m", "-run", "^"+test+"$", ".")
		})
	}
}
