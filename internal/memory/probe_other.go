//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package memory

// probe knows no way to ask here: a refusal shows in the allocation.
func probe(size int) error { return nil }
