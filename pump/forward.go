package pump

// handOver gets the bytes out of a ring that no sink uses yet: the source's
// goroutine writes them itself if it can do that without waiting, so that a message
// needs no other goroutine. The sink's is started for what is left. If the read has
// filled what it was offered, there is probably more to come, and the two work at the
// same time.
func (f *flow) handOver() error {
	r := f.feeding
	if !f.filled && f.out.idle() {
		done, err := f.forward(r)
		if done || err != nil {
			return err
		}
	}
	return f.use(r)
}

// idle reports whether the sink has settled, and has not failed: until the source
// starts its goroutine, the source may make its calls.
func (s *sink) idle() bool {
	status := s.look()
	return s.poll != nil && status.over && status.err == nil
}

// forward writes what is in r, as far as that is possible without waiting, and reports
// whether it was all. An error of the sink is left to the sink's goroutine.
func (f *flow) forward(r *ring) (done bool, err error) {
	s := &f.out
	a, b := r.c.Slices()
	f.bufs = [2][]byte{a, b}
	bufs, offered := clip(f.bufs[:], min(s.maxCall, largestCall))
	if err := s.begin(offered); err != nil {
		return false, err
	}
	n, failed := s.poll.TryWritev(bufs)
	n, s.early = f.endForward(n, offered, failed)
	return r.c.Discard(n) == nil && s.early == nil && r.c.Len() == 0, nil
}

// endForward is end of the sink, unless the source was left behind: then the bytes are
// pending.
func (f *flow) endForward(n, offered int, err error) (int, error) {
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	if f.in.left {
		return 0, errStopped
	}
	return f.out.end(n, offered, err)
}
