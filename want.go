//go:build !interleave

package bytering

// leastWant is the least free space that a writer waits for when any amount
// would do.
const leastWant = 1

// block is how many bytes of memory a producer of small chunks claims at once, a power
// of two.
const block = 512
