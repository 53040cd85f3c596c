package pause

import "testing"

func TestOnce(t *testing.T) { Once() }

func BenchmarkOnce(b *testing.B) {
	for b.Loop() {
		Once()
	}
}
