package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bytering/bytering"
)

// policies compares our ways to wait: with both halves fast, with both busy, with
// one slow, and with many pairs that share the processors.
func policies() []suite {
	return []suite{
		policySuite("policy-copy", "Both halves do nothing but copy", 1, copyingBoth, 64, 1<<10, 4<<10, 64<<10),
		policySuite("policy-hash", "Both halves hash every chunk with SHA-256", 1, hashingBoth, 4<<10, 64<<10),
		policySuite("policy-trip", "A chunk goes to the other goroutine and back, over two rings", 1, tripping, 8),
		policySuite("policy-slow-reader", "The reader takes 3 µs more for each chunk", 1, slowReader, 64, 1<<10),
		policySuite("policy-slow-writer", "The writer takes 3 µs more for each chunk", 1, slowWriter, 64, 1<<10),
		policySuite("policy-copy-16", "16 pairs that copy, for a chunk of each", 16, copyingBoth, 64, 1<<10, 4<<10),
		policySuite("policy-hash-16", "16 pairs that hash, for a chunk of each", 16, hashingBoth, 4<<10),
		policySuite("policy-trip-16", "16 pairs of round trips, for one of each", 16, tripping, 8),
	}
}

func policySuite(name, title string, pairs int, prepare func(link, config, int) (trial, error), sizes ...int) suite {
	s := suite{name: name, title: title, op: "chunk", sizes: sizes,
		metrics: []metric{took("chunk"), processor("both halves", cpu)},
		legend:  []string{"Park is what a ring does without an option. Spin has to pay for the processor time that it takes from others."}}
	for _, p := range []struct {
		name string
		opt  bytering.Option
	}{
		{"bytering, Park", bytering.Park()},
		{"bytering, Spin 20 µs", bytering.Spin(20 * time.Microsecond)},
	} {
		l := link{name: p.name, ours: true, open: func(capacity int) (io.WriteCloser, io.Reader, error) {
			p, c, err := bytering.New(capacity, p.opt)
			return p, c, err
		}}
		s.contenders = append(s.contenders, contender{name: p.name, ours: true, prepare: func(cfg config, size int) (trial, error) {
			all := make(together, pairs)
			for i := range all {
				var err error
				if all[i], err = prepare(l, cfg, size); err != nil {
					return nil, err
				}
			}
			return all, nil
		}})
	}
	return s
}

func copyingBoth(l link, cfg config, size int) (trial, error) {
	return newStream(l, cfg.capacity, size)
}

func hashingBoth(l link, cfg config, size int) (trial, error) {
	s, err := newStream(l, cfg.capacity, size)
	if err != nil {
		return nil, err
	}
	return hashing(s), nil
}

func slowReader(l link, cfg config, size int) (trial, error) {
	s, err := newStream(l, cfg.capacity, size)
	if err == nil {
		s.r = busyReader{s.r, burn}
	}
	return s, err
}

func slowWriter(l link, cfg config, size int) (trial, error) {
	s, err := newStream(l, cfg.capacity, size)
	if err == nil {
		s.w = busyWriter{s.w, burn}
	}
	return s, err
}

// burn works for 3 µs.
func burn([]byte) {
	for begin := time.Now(); time.Since(begin) < 3*time.Microsecond; {
	}
}

// A together is several trials that run at the same time.
type together []trial

func (ts together) run(n int) error {
	return ts.each(func(t trial) error { return t.run(n) })
}

func (ts together) finish() error { return ts.each(trial.finish) }

func (ts together) each(f func(trial) error) error {
	done := make(chan error, len(ts))
	for _, t := range ts {
		go func() { done <- f(t) }()
	}
	var errs []error
	for range ts {
		errs = append(errs, <-done)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("one of %d: %w", len(ts), err)
	}
	return nil
}
