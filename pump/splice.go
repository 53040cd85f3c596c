package pump

import "context"

// A mover moves up to n bytes from the source to the sink, past the ring. It may wait
// for the source, as a read would. After 0 the next bytes are to be read, and after a
// negative number all bytes.
type mover interface{ Move(n int) int }

// splice moves bytes from pipe to pipe while the ring is empty: then the sink waits
// for bytes of the ring, which only this goroutine, the source's, can put there. It
// returns when the next bytes are to be read into the ring.
func (f *flow) splice() error {
	most := f.in.atMost()
	for f.mover != nil && f.caughtUp() {
		if err := f.in.begin(most); err != nil {
			return err
		}
		if err := f.out.beginSplice(most); err != nil {
			return err
		}
		n := f.mover.Move(most)
		if err := f.endSplice(max(0, n)); err != nil {
			return err
		}
		if n < 0 {
			f.mover = nil
		}
		if n <= 0 {
			f.late, f.fed = true, unknown
			return nil
		}
	}
	return nil
}

const (
	// little is what a sink that is not slow takes in half a millisecond.
	little = 1 << 20
	// unknown is the fed of a source that has ended a splice.
	unknown = -1
)

// noteRead notes that the source has read n bytes. The first read after a splice that a
// slow sink has ended does not count: the ring was empty before it, so that it is all
// that the ring holds says nothing about the sink.
func (f *flow) noteRead(n int) {
	if f.fed == unknown {
		n = 0
	}
	f.fed = n
}

// caughtUp reports whether the ring is empty. If there is little in it, it waits for
// that, because a sink that is as fast as the source always has some of it left. It
// does so once: until the sink has caught up with all but the last read, or has much
// to write again, it is late.
func (f *flow) caughtUp() bool {
	p := f.fixed.p
	level := p.Cap() - p.Free()
	if level <= f.fed || level > little {
		f.late = false
	}
	if level > 0 && level <= little && !f.late {
		ctx, cancel := context.WithTimeout(context.Background(), f.patience)
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

// endSplice counts a call that moved n bytes, for both sides at once: unless the
// source was left behind, in which case the bytes are pending.
func (f *flow) endSplice(n int) error {
	in, out := &f.in.side, &f.out.side
	busy, waited := in.elapsed()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.left {
		return errStopped
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	in.pending, out.pending = 0, 0
	in.count(n, 0, busy, waited)
	if n > 0 {
		out.count(n, 0, 0, 0)
	}
	return nil
}
