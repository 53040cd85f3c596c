package main

import (
	"fmt"

	"github.com/bytering/bytering"
)

// ringSizes measures the effect of the size of a ring, which is due to the caches
// and the page tables.
func ringSizes(name, title string, copies bool) suite {
	s := suite{
		name:    name,
		title:   title,
		op:      "ring",
		sizes:   []int{4 << 10, 64 << 10, 1 << 20, 16 << 20, 256 << 20, 1 << 30},
		ops:     func(cfg config, size int) int { return cfg.bytes / size },
		metrics: []metric{throughput(), processor("both halves", cpu)},
		legend: []string{
			"The column is the capacity of the ring. A trial moves -bytes, but at least the capacity. All of the memory was touched before.",
			"Every byte is compared, by the reader or the sink.",
		},
	}
	if copies {
		s.legend = append(s.legend, "Write and Read with pieces of 64 KiB: two copies.")
	} else {
		s.legend = append(s.legend, "ReadFrom from a source that copies into the ring, WriteTo to a sink that compares in place: one copy. A call gets at most half of the ring, and 1 MiB.")
	}
	huge := hugePages
	huge.name += ", 2 MiB at least"
	found, missing := had(heap, mirrored, huge)
	s.legend = append(s.legend, missing...)
	for _, m := range found {
		s.contenders = append(s.contenders, contender{m.name, true, false, func(_ config, size int) (trial, error) {
			p, c, err := m.open(size)
			if err != nil {
				return nil, err
			}
			f := &flowing{stream{w: p, r: c, in: make([]byte, 64<<10)}, p, c, size, copies}
			return f, f.move(p.Cap())
		}})
	}
	return s
}

// A flowing is a trial that compares every byte.
type flowing struct {
	stream
	p      *bytering.Producer
	c      *bytering.Consumer
	size   int
	copies bool
}

func (f *flowing) run(n int) error { return f.move(n * f.size) }

// move moves n bytes from one goroutine to the other.
func (f *flowing) move(n int) error {
	out, in := newPayload(), newPayload()
	if f.copies {
		return f.both(func() error { return pour(f.p, out, n, 64<<10) }, func() error { return scoop(f.c, in, n, f.in) })
	}
	return f.both(
		func() error {
			if m, err := f.p.ReadFrom(&payloadReader{out, n}); m != int64(n) || err != nil {
				return fmt.Errorf("ReadFrom read %d of %d bytes: %w", m, n, err)
			}
			return nil
		},
		func() error {
			if m, err := f.c.WriteTo(&payloadWriter{in, n}); m != int64(n) || err != errEnough {
				return fmt.Errorf("WriteTo wrote %d of %d bytes: %w", m, n, err)
			}
			return nil
		})
}
