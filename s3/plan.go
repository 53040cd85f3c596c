package s3

import (
	"fmt"
	"math"
)

// The limits of S3, and the defaults.
const (
	mebibyte        = 1 << 20
	smallestPart    = 5 // units
	largestPart     = 5 << 10
	defaultMemory   = 64
	defaultDepth    = 4
	defaultMaxParts = 10_000
)

// A Plan is how a stream is cut into parts.
type Plan struct {
	// Part is the size of all parts except the last, a multiple of 1 MiB.
	Part int64
	// Depth is the largest number of parts that are sent at once.
	Depth int
	// MaxParts is how many parts an upload may have.
	MaxParts int
}

// Ring returns the capacity of the ring that the plan needs.
func (p Plan) Ring() int64 { return p.Part * int64(p.Depth+1) }

// Limit returns how many bytes a stream may have.
func (p Plan) Limit() int64 {
	if p.Part > math.MaxInt64/int64(p.MaxParts) {
		return math.MaxInt64
	}
	return p.Part * int64(p.MaxParts)
}

// A layout is what a plan is made from. Sizes are in bytes, 0 if not given.
type layout struct {
	memory   int64
	size     int64 // of the stream, as a hint
	depth    int
	maxParts int
	part     int64 // of an upload that goes on
	unit     int64 // 1 MiB, less in tests
}

// plan makes the plan. The size of a part is the memory divided by depth + 1,
// rounded down to a unit. If a part has to be larger, the depth is lowered, and
// then the memory is raised unless it was given.
func (l layout) plan() (Plan, error) {
	if l.depth == 0 {
		l.depth = defaultDepth
	}
	if l.maxParts == 0 {
		l.maxParts = defaultMaxParts
	}
	switch {
	case l.memory < 0:
		return Plan{}, fmt.Errorf("%w: a memory of %d bytes", ErrOption, l.memory)
	case l.size < 0:
		return Plan{}, fmt.Errorf("%w: a size of %d bytes", ErrOption, l.size)
	case l.depth < 1:
		return Plan{}, fmt.Errorf("%w: a depth of %d", ErrOption, l.depth)
	case l.maxParts < 1 || l.maxParts > defaultMaxParts:
		return Plan{}, fmt.Errorf("%w: %d parts, not 1 to %d", ErrOption, l.maxParts, defaultMaxParts)
	}
	least := l.least()
	if least > largestPart*l.unit {
		return Plan{}, fmt.Errorf("%w: %s in %d parts takes parts of more than %s", ErrOption, size(l.size), l.maxParts, size(largestPart*l.unit))
	}
	memory := l.memory
	if memory == 0 {
		memory = max(defaultMemory*l.unit, 2*least)
	}
	if memory/2 < least {
		return Plan{}, fmt.Errorf("%w: a memory of %s does not hold two parts of %s: it takes -m %s", ErrOption, size(memory), size(least), size(2*least))
	}
	p := Plan{Depth: int(min(int64(l.depth), memory/least-1)), MaxParts: l.maxParts}
	if p.Part = l.part; p.Part == 0 {
		p.Part = min(memory/int64(p.Depth+1)/l.unit, largestPart) * l.unit
	}
	if p.Ring() > math.MaxInt {
		return Plan{}, fmt.Errorf("%w: a memory of %s is more than this system can address", ErrOption, size(memory))
	}
	return p, nil
}

// least returns how large a part must be. One part in a hundred is in reserve
// for a stream that is longer than the hint.
func (l layout) least() int64 {
	if l.part > 0 {
		return l.part
	}
	least := smallestPart * l.unit
	if l.size > 0 {
		parts := int64(l.maxParts - l.maxParts/100)
		part := (l.size-1)/parts + 1
		least = max(least, (part-1)/l.unit*l.unit+l.unit)
	}
	return least
}

// size returns n in the largest unit in which it is 1 or more. A number below
// 100 that is not whole has one digit after the point.
func size(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, i := float64(n), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if v < 100 && v != math.Trunc(v) {
		// Rounded down, so that a message never shows more than the limit.
		return fmt.Sprintf("%.1f %s", math.Floor(v*10)/10, units[i])
	}
	return fmt.Sprintf("%.0f %s", math.Floor(v), units[i])
}
