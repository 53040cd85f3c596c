package main

// holds measures what it costs a half that its memory may be unmapped, or a
// consumer that it may be dropped: the hold that each call takes.
func holds(name, title string, prepare func(m memory, cfg config, size int) (trial, error)) suite {
	s := suite{
		name:  name,
		title: title + ", with and without a hold",
		op:    "chunk in and out",
		sizes: []int{64, 4 << 10},
		legend: []string{
			"One goroutine does it all. The heap has no hold; a broadcast ring has one on the consumer, mapped memory one on both halves.",
			"Prefaulted memory stands for what is mapped: it wraps as the heap does.",
		},
	}
	broadcast := func(m memory) memory {
		m.name, m.broadcast = m.name+", broadcast to one", true
		return m
	}
	found, missing := had(heap, broadcast(heap), faulted, broadcast(faulted))
	s.legend = append(s.legend, missing...)
	for _, m := range found {
		s.contenders = append(s.contenders, contender{m.name, true, false, func(cfg config, size int) (trial, error) {
			return prepare(m, cfg, size)
		}})
	}
	return s
}

func newHeldSlices(m memory, cfg config, size int) (trial, error) {
	return newBare(m, cfg, size, (*bare).slices)
}

func newHeldCopy(m memory, cfg config, size int) (trial, error) {
	p, c, err := m.open(cfg.room(size))
	return &alternating{stream{p, c, make([]byte, size), make([]byte, size)}}, err
}
