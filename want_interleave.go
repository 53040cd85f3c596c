//go:build interleave

package bytering

// leastWant is a parameter here. With 2, rings of 2 and 3 bytes show what takes
// one of 8 otherwise, and are small enough to be explored whole.
var leastWant = 1
