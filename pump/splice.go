package pump

import (
	"context"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/splice"
	"github.com/bytering/bytering/vectored"
)

// splice moves bytes from pipe to pipe while the ring is empty: then the sink waits
// for bytes of the ring, which only this goroutine, the source's, can put there. It
// returns when the next bytes are to be read into the ring.
func (f *flow) splice() error {
	s := &f.in
	for f.pair != nil && s.boundary == vectored.Stream && f.caughtUp(f.fixed.p) {
		if err := s.begin(s.maxCall); err != nil {
			return err
		}
		if err := f.out.beginSplice(s.maxCall); err != nil {
			return err
		}
		n := f.pair.Move(s.maxCall)
		if _, err := s.end(n, s.maxCall, nil); err != nil {
			return err
		}
		if f.out.endSplice(n); n == 0 {
			break
		}
	}
	return nil
}

// little is as much as a sink that is not late takes in less than a millisecond.
const little = 1 << 20

// caughtUp reports whether the ring is empty. If there is little in it, it waits for
// that, because a sink that is as fast as the source always has some of it left. It
// does so once: until the sink has caught up with all but the last read, or has much
// to write again, it is late.
func (f *flow) caughtUp(p *bytering.Producer) bool {
	level := p.Cap() - p.Free()
	if level <= f.fed || level > little {
		f.late = false
	}
	if level > 0 && level <= little && !f.late {
		ctx, cancel := context.WithTimeout(context.Background(), splice.Patience)
		defer cancel()
		f.late = p.WaitEmpty(ctx) != nil
		return !f.late
	}
	return level == 0
}

// beginSplice begins a call of the source that may put that many bytes into the
// sink. After stop it returns an error.
func (s *sink) beginSplice(offered int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	s.pending = int64(offered)
	return nil
}

// endSplice counts the call, if it moved anything.
func (s *sink) endSplice(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = 0
	if n == 0 {
		return
	}
	s.add(n, 0, 0, 0)
	if s.meter != nil {
		s.meter.add(n, 0, 0, 0)
	}
}
