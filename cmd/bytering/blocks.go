package main

import (
	"io"
	"os"
	"slices"

	"github.com/bytering/bytering"
)

// wholeBlocks decides whether the outputs get whole blocks: of the size of
// --obs, or of -s if one of them is a tape.
func (s *stream) wholeBlocks() error {
	s.whole = s.wholeBlock.bytes
	if s.whole == 0 && slices.ContainsFunc(s.outputs, toTape) {
		// The block as it was typed: s.block is cut to what other outputs need.
		block, err := parseMemory(s.block.text)
		if err != nil {
			return err
		}
		s.whole = block.bytes
	}
	return nil
}

// toTape reports whether a place is a tape. It need not be open.
func toTape(p place) bool {
	var info os.FileInfo
	var err error
	switch {
	case p.kind != file:
		return false
	case p.name == "-":
		info, err = os.Stdout.Stat()
	default:
		info, err = os.Stat(p.name)
	}
	return err == nil && isTape(info)
}

// writeBlocks writes the stream in whole blocks, each with one call, because a
// tape makes a record of each call. The last block may be shorter. It returns nil
// at the end of the stream.
func writeBlocks(c *bytering.Consumer, w io.Writer, block int) error {
	for {
		b, err := c.Peek(block)
		if len(b) == 0 {
			if err == io.EOF {
				return nil
			}
			return err
		}
		n, failed := w.Write(b)
		if err := c.Discard(n); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
	}
}
