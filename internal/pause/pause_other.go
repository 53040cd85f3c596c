//go:build !amd64 && !arm64

package pause

// Once does nothing here.
func Once() {}
