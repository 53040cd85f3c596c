//go:build interleave

package bytering

// leastWant is a parameter of the explorer. With 2, rings of 2 and 3 bytes show
// what otherwise takes one of 8, and are small enough to be explored whole.
var leastWant = 1
