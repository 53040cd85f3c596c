package main

// holds measures the hold that each call takes on memory that may be unmapped, or
// on a consumer that may be dropped.
func holds(name, title string, prepare func(m memory, cfg config, size int) (trial, error)) suite {
	s := suite{
		name:  name,
		title: title + ", with and without a hold",
		op:    "chunk in and out",
		sizes: []int{64, 4 << 10},
		legend: []string{
			"One goroutine does everything. On the heap there is no hold. On a broadcast ring the consumer takes one, on mapped memory both halves do.",
			"Prefaulted memory stands for all that is mapped. Unlike mirrored memory it wraps as the heap does.",
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
