package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/bytering/bytering"
)

// A memory is a kind of memory for a ring.
type memory struct {
	name      string
	opts      []bytering.Option
	file      bool // in a temporary file
	broadcast bool // a broadcast ring with one consumer
}

var (
	heap      = memory{name: "heap"}
	mirrored  = memory{name: "mirrored", opts: []bytering.Option{bytering.Mirror()}}
	faulted   = memory{name: "prefaulted", opts: []bytering.Option{bytering.Prefault()}}
	inFile    = memory{name: "file", file: true}
	hugePages = memory{name: "huge pages", opts: []bytering.Option{bytering.HugePages()}}
)

// and returns m with the options of other added to its own.
func (m memory) and(other memory) memory {
	m.name += ", " + other.name
	m.opts = slices.Concat(m.opts, other.opts)
	m.file = m.file || other.file
	return m
}

// open makes a ring. Its capacity may be rounded up.
func (m memory) open(capacity int) (p *bytering.Producer, c *bytering.Consumer, err error) {
	opts := m.opts
	if m.file {
		f, err := os.CreateTemp("", "bench-ring")
		if err != nil {
			return nil, nil, err
		}
		defer os.Remove(f.Name())
		defer f.Close()
		opts = append(slices.Clone(opts), bytering.File(f))
	}
	if !m.broadcast {
		return bytering.New(capacity, opts...)
	}
	p, cs, err := bytering.NewBroadcast(capacity, 1, opts...)
	if err != nil {
		return nil, nil, err
	}
	return p, cs[0], nil
}

// had returns the kinds of memory that this system has, and a line for each that it
// lacks.
func had(all ...memory) (found []memory, missing []string) {
	for _, m := range all {
		p, c, err := m.open(64 << 10)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, bytering.ErrLock) {
			missing = append(missing, fmt.Sprintf("%s: left out, %v.", m.name, err))
			continue
		}
		if err == nil {
			p.Close()
			c.Close()
		}
		found = append(found, m) // any other error occurs again in its trials
	}
	return found, missing
}

// memories measures the costs and gains of the kinds of memory.
func memories() []suite {
	return []suite{
		wraps("memory-wrap-read", "A pipe is read into a ring at its wrap", false),
		wraps("memory-wrap-write", "A pipe is written from a ring at its wrap", true),
		faults(),
		holds("memory-hold-slices", "Slices, Commit, Slices, Discard, of no bytes", newHeldSlices),
		holds("memory-hold-copy", "One goroutine writes a chunk and reads it back", newHeldCopy),
	}
}
