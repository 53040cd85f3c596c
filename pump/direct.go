package pump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/bytering/bytering/internal/direct"
)

// largestBlock is the largest block that Linux has on any device, and what a
// ring that is made here begins at and is a multiple of.
const largestBlock = 64 << 10

// blocks rounds a capacity up, unless that is too large for any ring anyway.
func blocks(capacity int) int {
	if capacity < 1 || capacity > math.MaxInt-largestBlock {
		return capacity
	}
	return capacity + -capacity&(largestBlock-1)
}

var (
	errNoFile = errors.New("not a file of package os")
	errInUse  = errors.New("its ring has bytes in it, or several consumers")
)

// goDirect makes those ends direct that can be. A file's offset and the address
// of the memory that it is read into or written from must be equally far from a
// block. So the ring, which is empty, is moved on until they are for one end; for
// the other they are only if the offsets differ by whole blocks.
func goDirect(in, out *side, src, dst any, cfg config) {
	var lead *direct.File
	for _, s := range []*side{in, out} {
		end := src
		if s == out {
			end = dst
		}
		s.openDirect(end, cfg)
		// The one of the larger blocks: with it in step, so is the other if both
		// can be at all.
		if s.direct.Active() && (lead == nil || s.direct.Block() > lead.Block()) {
			lead = s.direct
		}
	}
	if lead == nil {
		return
	}
	n := int(uint64(lead.Offset())-cfg.p.Position()) & (lead.Block() - 1)
	cfg.p.Slices()
	if cfg.p.Commit(n) != nil || cfg.c.Discard(n) != nil {
		return // of a ring that is closed nothing is moved
	}
	for _, s := range []*side{in, out} {
		if !s.direct.Active() {
			continue
		}
		if at := s.direct.Offset(); (uint64(at)-cfg.p.Position())&uint64(s.direct.Block()-1) != 0 {
			s.giveUp(fmt.Errorf("its offset %d and the other side's differ modulo %d", at, s.direct.Block()))
		}
	}
}

// openDirect makes end, the side's, direct if the ring allows that.
func (s *side) openDirect(end any, cfg config) {
	f, ok := end.(*os.File)
	if !ok {
		s.buffered = errNoFile
		return
	}
	s.direct = direct.Open(f)
	s.buffered = s.direct.Why()
	if !s.direct.Active() {
		return
	}
	p, block := cfg.p, s.direct.Block()
	empty, _ := p.Slices()
	defer p.Commit(0)
	switch {
	case block > p.Cap()/2 || p.Cap()%block != 0:
		s.giveUp(fmt.Errorf("a ring of %d bytes does not hold two or more whole blocks of %d", p.Cap(), block))
	case block > s.maxCall:
		s.giveUp(fmt.Errorf("calls of at most %d bytes hold no block of %d", s.maxCall, block))
	case cfg.c.Len() > 0 || p.Consumers() != 1:
		s.giveUp(errInUse)
	case len(empty) > 0 && !s.direct.Aligned(empty, p.Position()):
		s.giveUp(fmt.Errorf("its ring's memory does not begin at a block of %d bytes", block))
	}
	s.maxCall = min(s.maxCall, p.Cap()/2) // as of ReadFrom and WriteTo
}

func (s *side) giveUp(why error) {
	s.direct.GiveUp(why)
	s.buffered = s.direct.Why()
}

// feed reads the source into the ring until its end. If the consumer was closed
// the error is a consumerClosed.
func (f *flow) feed() (err error) {
	s, p := &f.in, f.p
	defer func() {
		err = s.closeDirect(err)
		// On a producer that is closed itself a Commit is an error.
		if err != nil && !s.failed && p.Err() != nil && p.Commit(0) == nil && f.c.Err() == io.ErrClosedPipe {
			err = consumerClosed{err}
		}
	}()
	fill := func(bufs [][]byte, _ int) (int, error) { return s.Readv(bufs) }
	for s.direct.Active() {
		// For no more than half of the ring, as the sink does for its block:
		// otherwise each could wait for the other.
		if block := s.direct.Block(); p.Free() < block {
			if err := p.Wait(context.Background(), max(block, p.Cap()/4)); err != nil {
				return err
			}
		}
		if _, err := p.IOSlices(fill); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	_, err = p.ReadFrom(s)
	return err
}

// drain writes what is in the ring to the sink until the stream ends, which is
// not an error, whatever the producer was closed with.
func (f *flow) drain() (err error) {
	s, c := &f.out, f.c
	defer func() {
		// What neither the sink nor the consumer's half says is the producer's
		// error. It ends the stream also if the consumer is closed after it. On a
		// consumer that is closed itself a Discard is an error.
		switch end := c.Err(); {
		case s.failed || err == io.ErrClosedPipe && c.Discard(0) != nil:
		case err == os.ErrDeadlineExceeded && end == nil:
		default:
			err = nil
		}
		err = s.closeDirect(err)
	}()
	empty := func(bufs [][]byte, _ int) (int, error) { return s.Writev(bufs) }
	for s.direct.Active() {
		err := c.Wait(context.Background(), s.direct.Rest())
		switch {
		case err == nil, c.Len() > 0 && !errors.Is(err, os.ErrDeadlineExceeded): // the rest
		case err == io.EOF:
			return nil
		default:
			return err
		}
		if _, err := c.IOSlices(empty); err != nil {
			return err
		}
	}
	_, err = c.WriteTo(s)
	return err
}

// closeDirect adds to err what keeps the file from being as it was.
func (s *side) closeDirect(err error) error {
	if failed := s.direct.Close(); failed != nil && err == nil {
		return failed
	}
	return err
}
