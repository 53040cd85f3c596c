//go:build interleave

package bytering

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/bytering/bytering/internal/interleave"
)

// TestInterleavings runs every scenario within its bound.
//
//	go test -tags interleave -run TestInterleavings .
//
// With SEED=scenario:seed in the environment it replays that one schedule, with
// ONLY=text it runs those whose names contain the text, and with SHARD=i/n every
// nth of them from the ith on, for n processes at once.
func TestInterleavings(t *testing.T) {
	if name, seed, ok := strings.Cut(os.Getenv("SEED"), ":"); ok {
		replay(t, name, seed)
		return
	}
	shard, of := 0, 1
	if text := os.Getenv("SHARD"); text != "" {
		if _, err := fmt.Sscanf(text, "%d/%d", &shard, &of); err != nil || of < 1 || shard < 0 || shard >= of {
			t.Fatalf("SHARD=%s: want i/n", text)
		}
	}
	ran, schedules, steps := 0, 0, 0
	for i, s := range scenarios() {
		if !strings.Contains(s.name, os.Getenv("ONLY")) || i%of != shard {
			continue
		}
		r := interleave.Explore(interleave.Options{Preemptions: s.bound}, s.run)
		if r.Failure != nil {
			t.Fatalf("%s after %d schedules: %v\nreplay with SEED=%s:%s", s.name, r.Schedules, r.Failure, s.name, r.Failure.Seed)
		}
		bound := fmt.Sprintf("at most %d preemptions", s.bound)
		if s.bound < 0 {
			bound = "all"
		}
		t.Logf("%-44s %9d schedules, %2d operations in the longest, %s", s.name, r.Schedules, r.Depth, bound)
		ran++
		schedules += r.Schedules
		steps += r.Steps
	}
	t.Logf("interleave: %d scenarios, %d schedules, %d operations, no failure", ran, schedules, steps)
}

func replay(t *testing.T, name, seed string) {
	for _, s := range scenarios() {
		if s.name != name {
			continue
		}
		f, err := interleave.Replay(seed, s.run)
		if err != nil {
			t.Fatal(err)
		}
		if f != nil {
			t.Fatal(f)
		}
		t.Logf("%s passes on seed %s", name, seed)
		return
	}
	t.Fatalf("no scenario is called %q", name)
}

// TestHunt is what a mutant is run against: all scenarios without preemptions,
// then with one, then with two and so on, because most defects need few, and
// before that only the first schedules of each, because most scenarios are
// small or fail early. It fails with a line for TestMutants.
func TestHunt(t *testing.T) {
	if os.Getenv("HUNT") == "" {
		t.Skip("only TestMutants runs this")
	}
	schedules := 0
	for _, round := range []struct{ bound, limit int }{
		{0, 200}, {1, 200}, {2, 200}, {1, 1000}, {2, 1500}, {0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0},
	} {
		for _, s := range scenarios() {
			if s.bound >= 0 && round.bound > s.bound {
				continue
			}
			r := interleave.Explore(interleave.Options{Preemptions: round.bound, MaxSchedules: round.limit}, s.run)
			schedules += r.Schedules
			if r.Failure != nil {
				message, _, _ := strings.Cut(r.Failure.Message, "\n")
				t.Fatalf("KILLED by %s after %d schedules: %s", s.name, schedules, message)
			}
		}
	}
}
