package bytering

// A vector holds the slices for a callback or a readv. It is part of the half,
// because a local one would escape to the heap in every call. The third slice is
// ReadFrom's spill.
type vector [3][]byte

// of returns those of a and b that are not empty. If a is empty, so is b.
func (v *vector) of(a, b []byte) [][]byte {
	v[0], v[1] = a, b
	switch {
	case len(a) == 0:
		return v[:0]
	case len(b) == 0:
		return v[:1]
	}
	return v[:2]
}

// and returns what of returns, followed by c.
func (v *vector) and(a, b, c []byte) [][]byte {
	n := len(v.of(a, b))
	v[n] = c
	return v[:n+1]
}
