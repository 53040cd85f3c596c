package async

// A lent is memory of the ring in the hands of an operation: the bytes before the
// wrap and after it.
type lent struct{ a, b []byte }

// cut returns the n bytes from off on.
func (l lent) cut(off, n int64) lent {
	first := int64(len(l.a))
	var c lent
	if off < first {
		end := min(off+n, first)
		c.a = l.a[off:end:end]
	}
	if off+n > first {
		from, end := max(off-first, 0), off+n-first
		c.b = l.b[from:end:end]
	}
	return c
}

// from returns the bytes from off on that lie together. There are some.
func (l lent) from(off int64) []byte {
	if off < int64(len(l.a)) {
		return l.a[off:]
	}
	return l.b[off-int64(len(l.a)):]
}

func (l lent) len() int64 { return int64(len(l.a) + len(l.b)) }
