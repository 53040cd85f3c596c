package pump

// maxForwards is how many reads in turn are written by the source's goroutine. If more
// come, without a wait, it is a stream, on which the two sides had better work at the
// same time.
const maxForwards = 4

// handOver gets the bytes out of a ring that no sink uses yet. In a Relay the source's
// goroutine writes a message itself, as far as the sink takes it at once, so that no
// other goroutine has to wake up for it. The sink's is started for what is left. If the
// read has filled what it was offered, there is probably more to come.
//
// The sink of a Copy may be one that other goroutines also write to. While one of these
// waits, a write waits too, for its turn.
func (f *flow) handOver() error {
	if !f.filled && f.forwards < maxForwards && f.out.idle() {
		f.forwards++
		done, err := f.forward(f.feeding)
		if done || err != nil {
			return err
		}
	}
	return f.use(f.feeding)
}

// idle reports whether the sink has settled, and has not failed: until the source
// starts its goroutine, the source may make its calls.
func (s *sink) idle() bool {
	if s.poll == nil {
		return false
	}
	status := s.look()
	return status.over && status.err == nil
}

// forward writes what is in r, as far as the sink takes it at once, and reports whether
// that was all. An error of the sink is left to the sink's goroutine. A ring whose write
// was left behind is not given back: it has no Discard.
func (f *flow) forward(r *ring) (done bool, err error) {
	s := &f.out
	a, b := r.c.Slices()
	f.bufs = [2][]byte{a, b}
	bufs, offered := clip(f.bufs[:], s.atMost())
	if err := s.begin(offered); err != nil {
		r.c.Discard(0)
		return false, err
	}
	n, failed := f.try(bufs, offered)
	if failed == errStopped {
		return false, errStopped
	}
	s.early = failed
	return r.c.Discard(n) == nil && failed == nil && r.c.Len() == 0, nil
}

// try makes a call of the sink, and ends it, even if the call panics. If the source was
// left behind meanwhile, the bytes are pending.
func (f *flow) try(bufs [][]byte, offered int) (n int, err error) {
	err = errExited
	defer func() {
		f.in.mu.Lock()
		defer f.in.mu.Unlock()
		if f.in.left {
			n, err = 0, errStopped
		} else {
			n, err = f.out.end(n, offered, err)
		}
	}()
	return f.out.poll.TryWritev(bufs)
}
