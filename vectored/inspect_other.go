//go:build !unix && !windows

package vectored

// kindOf cannot tell on these systems.
func kindOf(uintptr) (kind, error) { return kind{boundary: unknown, usual: true}, nil }
