//go:build !unix && !windows

package vectored

func boundary(uintptr) (b Boundary, known bool) { return Stream, false }
