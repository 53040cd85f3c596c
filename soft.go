//go:build !interleave

package bytering

// quarter is the free space that a writer waits for when any amount would do.
func (r *ring) quarter() int { return max(1, r.size/4) }
