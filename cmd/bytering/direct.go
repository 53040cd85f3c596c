package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/bytering/bytering/internal/direct"
	"github.com/bytering/bytering/pump"
)

// Why an end is not direct.
var (
	errNotFile = errors.New("neither a regular file nor a block device")
	errLength  = errors.New("it is empty, or its length is not known")
	errInOrder = errors.New("it is not written at depth")
)

// directAt opens a file again for direct reads or writes at depth. from is its offset,
// and position that in the ring.
func (s *stream) directAt(f *os.File, mode int, from int64, position uint64) *direct.At {
	return direct.Ring{Capacity: s.p.Cap(), Call: s.deepBlock.bytes, Position: position}.OpenAt(f, mode, from)
}

// addDirect adds bytes of one more input. The first reason why not all were direct
// stays.
func addDirect(side *pump.SideStats, n int64, why error) {
	side.Direct += n
	if side.Buffered == nil {
		side.Buffered = why
	}
}

// noOffsets returns why an input without offsets is not direct.
func (e *end) noOffsets() error {
	if info, err := e.file.Stat(); err != nil || !onDisk(info) {
		return errNotFile
	}
	return errLength
}

// directText says how much of each side was direct. The copy is over.
func (s *stream) directText() string {
	read, written := s.stats.Source, s.stats.Sink
	if s.deep() {
		// Of several outputs, the one with the fewest bytes.
		read, written = s.directRead, s.sinks[0].direct
		for _, k := range s.sinks[1:] {
			if k.direct.Direct < written.Direct || written.Buffered == nil {
				written = k.direct
			}
		}
	}
	return directSide("read", read) + ", " + directSide("written", written)
}

// directSide says how many bytes of a side were direct, and if not all were, why.
func directSide(done string, s pump.SideStats) string {
	text := fmt.Sprintf("%d %s direct", s.Direct, done)
	if s.Buffered != nil {
		text += fmt.Sprintf(" (%v)", s.Buffered)
	}
	return text
}
