package async

// A span is a piece of the ring's memory: the bytes before the wrap and after it.
type span struct{ a, b []byte }

// cut returns the n bytes from off on.
func (s span) cut(off, n int64) span {
	first := int64(len(s.a))
	var c span
	if off < first {
		end := min(off+n, first)
		c.a = s.a[off:end:end]
	}
	if off+n > first {
		from, end := max(off-first, 0), off+n-first
		c.b = s.b[from:end:end]
	}
	return c
}

// from returns the bytes from off on that lie together. Precondition: there are some.
func (s span) from(off int64) []byte {
	if off < int64(len(s.a)) {
		return s.a[off:]
	}
	return s.b[off-int64(len(s.a)):]
}

func (s span) len() int64 { return int64(len(s.a) + len(s.b)) }
