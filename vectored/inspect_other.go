//go:build !unix && !windows && !plan9

package vectored

// kind can't be seen here.
func kind(uintptr) (usual bool, err error) { return true, nil }
