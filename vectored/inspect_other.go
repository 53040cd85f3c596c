//go:build !unix && !windows

package vectored

// kindOf can't see it here.
func kindOf(uintptr) (kind, error) { return kind{boundary: unknown, usual: true}, nil }
