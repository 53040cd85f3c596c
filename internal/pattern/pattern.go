// Package pattern is the stream of bytes that tests move. A byte depends on its
// position alone, and neighbours differ, also those a power of two apart. So bytes
// that are lost, doubled or out of place show.
package pattern

import "fmt"

// At returns the byte at pos, modulo 1<<63.
func At(pos uint64) byte {
	pos &= 1<<63 - 1
	pos = (pos ^ pos>>29) * 0xbf58476d1ce4e5b9
	return byte(pos>>56) ^ byte(pos>>32)
}

// Fill fills b with the bytes from pos on.
func Fill(b []byte, pos uint64) {
	for i := range b {
		b[i] = At(pos + uint64(i))
	}
}

// Bytes returns the n bytes from pos on.
func Bytes(pos uint64, n int) []byte {
	b := make([]byte, n)
	Fill(b, pos)
	return b
}

// Check returns an error that names the first difference, unless b is the bytes
// from pos on.
func Check(b []byte, pos uint64) error {
	for i, v := range b {
		if want := At(pos + uint64(i)); v != want {
			return fmt.Errorf("byte %d of %d, position %d, is %#x; want %#x", i, len(b), pos+uint64(i), v, want)
		}
	}
	return nil
}
