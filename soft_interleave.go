//go:build interleave

package bytering

// softWant stands for the quarter if it is not 0. With 2 on rings of 2 and 3
// bytes, what else takes a ring of 8 is explored whole.
var softWant int

// quarter is the free space that a writer waits for when any amount would do.
func (r *ring) quarter() int {
	if softWant > 0 {
		return min(softWant, r.size)
	}
	return max(1, r.size/4)
}
