//go:build interleave

package bytering

// leastWant and block are parameters of the explorer. With 2, rings of 2 and 3 bytes
// show what otherwise takes one of 8 or of 512, and are small enough to be explored
// whole.
var leastWant, block = 1, 512
