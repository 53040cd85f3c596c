package pause

import (
	"testing"
	"time"
)

func TestOnce(t *testing.T) { Once() }

// A tenth of a second has a number of ticks that fits, unless the test is held up.
func TestTicks(t *testing.T) {
	began, ticks := time.Now(), Ticks()
	time.Sleep(100 * time.Millisecond)
	got := float64(Ticks()-ticks) / float64(PerMicrosecond())
	if most := 1.5 * float64(time.Since(began).Microseconds()); got < 10_000 || got > most {
		t.Errorf("%v µs by the ticks, want 10000 to %v", got, most)
	}
}

func BenchmarkOnce(b *testing.B) {
	for b.Loop() {
		Once()
	}
}

func BenchmarkTicks(b *testing.B) {
	for b.Loop() {
		Ticks()
	}
}
