//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package memory

func newMapping(n int, o Options) (*Memory, error) {
	return nil, unsupported("mapped memory")
}

func unmap(whole []byte) error { return nil }
