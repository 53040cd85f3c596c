package main

import "testing"

// These are the suites of one process as Go benchmarks. They have the names that
// -benchfmt gives to kept trials, so that benchstat can compare both. Unlike the
// suites they run one contender after another, and discard nothing.

func BenchmarkStream(b *testing.B)           { benchmark(b, "stream") }
func BenchmarkMicro(b *testing.B)            { benchmark(b, "micro") }
func BenchmarkTrip(b *testing.B)             { benchmark(b, "trip") }
func BenchmarkConns(b *testing.B)            { benchmark(b, "conns") }
func BenchmarkConnsBusy(b *testing.B)        { benchmark(b, "conns-busy") }
func BenchmarkConnsTrip(b *testing.B)        { benchmark(b, "conns-trip") }
func BenchmarkPolicyCopy(b *testing.B)       { benchmark(b, "policy-copy") }
func BenchmarkPolicyHash(b *testing.B)       { benchmark(b, "policy-hash") }
func BenchmarkPolicyTrip(b *testing.B)       { benchmark(b, "policy-trip") }
func BenchmarkPolicySlowReader(b *testing.B) { benchmark(b, "policy-slow-reader") }
func BenchmarkPolicySlowWriter(b *testing.B) { benchmark(b, "policy-slow-writer") }
func BenchmarkPolicyCopy16(b *testing.B)     { benchmark(b, "policy-copy-16") }
func BenchmarkPolicyHash16(b *testing.B)     { benchmark(b, "policy-hash-16") }
func BenchmarkPolicyTrip16(b *testing.B)     { benchmark(b, "policy-trip-16") }
func BenchmarkMemoryHoldSlices(b *testing.B) { benchmark(b, "memory-hold-slices") }
func BenchmarkMemoryHoldCopy(b *testing.B)   { benchmark(b, "memory-hold-copy") }
func BenchmarkRelay(b *testing.B)            { benchmark(b, "relay") }
func BenchmarkRelayTrip(b *testing.B)        { benchmark(b, "relay-trip") }

// benchmark runs a suite as sub-benchmarks.
func benchmark(b *testing.B, name string) {
	cfg, err := parse(nil)
	if err != nil {
		b.Fatal(err)
	}
	chosen, err := choose(name, cfg)
	if err != nil {
		b.Fatal(err)
	}
	for _, contender := range chosen[0].contenders {
		for _, size := range chosen[0].sizes {
			c := &cell{contender: contender, size: size}
			b.Run(c.name(), func(b *testing.B) {
				t, err := contender.prepare(cfg, size)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.SetBytes(int64(size))
				b.ResetTimer()
				err = t.run(b.N)
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				if err := t.finish(); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
