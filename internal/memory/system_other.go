//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package memory

func newMapping(n int, o Options) (*Memory, error) {
	return nil, unsupported("mapped memory")
}

func unmap(whole []byte) error { return nil }

func huge(b []byte) (int, bool) { return 0, false }

// probe has no way to ask. A refusal ends the process.
func probe(size int) error { return nil }
