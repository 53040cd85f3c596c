//go:build !interleave

package bytering

// leastWant is the least free space that a writer waits for when any amount
// would do.
const leastWant = 1
