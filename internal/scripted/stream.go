//go:build linux || dragonfly || freebsd || netbsd

package scripted

// Fill fills b with the stream from pos on, in which neighbours differ, also
// those a power of two apart.
func Fill(b []byte, pos int64) {
	for i := range b {
		p := uint64(pos) + uint64(i)
		p = (p ^ p>>29) * 0xbf58476d1ce4e5b9
		b[i] = byte(p>>56) ^ byte(p>>32)
	}
}

// Stream returns n bytes of the stream from pos on.
func Stream(pos int64, n int) []byte {
	b := make([]byte, n)
	Fill(b, pos)
	return b
}
