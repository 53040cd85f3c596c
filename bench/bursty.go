package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bytering/bytering/pump"
)

// stall is how long a bursty source or sink sleeps after each burst.
const stall = 5 * time.Millisecond

// starting is how long a process has to start before the clock runs.
const starting = 30 * time.Millisecond

// burstCount is the number of bursts in a trial.
const burstCount = 20

// bursts measures a copy between a source and a sink that stall by turns, each
// while the other is fast.
func bursts() suite {
	s := suite{
		name:    "bursty",
		title:   "A source and a sink that stall by turns, over two pipes",
		op:      "burst",
		sizes:   []int{256 << 10, 2 << 20, 8 << 20},
		ops:     func(config, int) int { return burstCount },
		metrics: []metric{tookMs("burst"), processor("source, copy and sink", cpu)},
		legend:  burstyLegend("The copy is a goroutine between two pipes of the system."),
	}
	for _, w := range []way{
		pumping(", ring of 16 MiB", pump.Capacity(16<<20)),
		pumping(""),
		ioCopy,
		plain(32 << 10),
		plain(16 << 20),
		nioing(16 << 20),
		reading(16, 1<<20),
	} {
		s.contenders = append(s.contenders, contender{w.name, w.ours, false, func(_ config, size int) (trial, error) {
			return newBursty(w, size)
		}})
	}
	return s
}

// burstyPipes is like bursts, with whole processes.
func burstyPipes(cfg config) suite {
	found, missing := tools(cfg)
	s := suite{
		name:    "bursty-pipes",
		title:   "A source and a sink that stall by turns, on both sides of X",
		op:      "burst",
		sizes:   []int{256 << 10, 2 << 20, 8 << 20},
		ops:     func(config, int) int { return burstCount },
		metrics: []metric{tookMs("burst"), processor("X alone", own)},
		each:    true,
		legend:  append(burstyLegend("The source and the sink are goroutines of the harness."), missing...),
	}
	for _, t := range found {
		s.contenders = append(s.contenders, contender{t.name, t.ours, false, func(cfg config, size int) (trial, error) {
			b := &bursty{size: size}
			var err error
			if b.x, b.w, b.r, err = open(cfg, t); err != nil {
				return nil, err
			}
			time.Sleep(starting)
			return b, nil
		}})
	}
	return s
}

func burstyLegend(first string) []string {
	return []string{
		first + fmt.Sprintf(" The source writes a burst, sleeps %v, and repeats that. The sink sleeps for the same time after each burst that it has read, in the middle of the source's bursts. With a buffer that holds half a burst both go on, so that a burst takes one sleep and the time to move it. Without one it takes two sleeps.", stall),
		"Processor time includes making the buffer and starting a process, which is most of it for small bursts.",
		"A sleep of 5 ms takes a little longer. How much depends on the load of the machine.",
	}
}

// A bursty is a trial with a source and a sink at the ends of two pipes.
type bursty struct {
	size   int
	w, r   *os.File
	x      *child     // the process between them, or nil
	copied chan error // the result of the goroutine between them, if x is nil
}

func newBursty(w way, size int) (*bursty, error) {
	b := &bursty{size: size, copied: make(chan error, 1)}
	in, bw, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	br, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	b.w, b.r = bw, br
	go func() {
		_, err := w.copy(out, in)
		b.copied <- errors.Join(err, in.Close(), out.Close())
	}()
	return b, nil
}

func (b *bursty) run(n int) error {
	written := make(chan error, 1)
	go func() {
		err := b.source(n)
		written <- errors.Join(err, b.w.Close())
	}()
	err := b.sink(n)
	if err != nil {
		b.r.Close() // the source must not wait for it
	}
	err = errors.Join(err, <-written)
	if b.x != nil {
		return errors.Join(err, b.x.end())
	}
	return errors.Join(err, <-b.copied)
}

func (b *bursty) source(n int) error {
	p := newPayload()
	for range n {
		for left := b.size; left > 0; {
			chunk := p.next(min(left, 256<<10))
			if err := writeChunk(b.w, chunk); err != nil {
				return err
			}
			left -= len(chunk)
		}
		time.Sleep(stall)
	}
	return nil
}

// sink stalls half a burst after the source has stalled, which is half a burst
// before the source stalls again.
func (b *bursty) sink(n int) error {
	p, buf := newPayload(), make([]byte, 256<<10)
	var got int
	for next := b.size / 2; ; {
		k, err := b.r.Read(buf[:min(len(buf), max(1, next-got))])
		if bad := p.check(buf[:k]); bad != nil {
			return bad
		}
		if got += k; got == next {
			time.Sleep(stall)
			next += b.size
		}
		switch {
		case err == io.EOF && got != n*b.size:
			return fmt.Errorf("%d bytes came out, want %d", got, n*b.size)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (b *bursty) report(s *sample, n int) {
	if b.x != nil {
		s.own = perGB(b.x.used(), n*b.size)
	}
}

func (b *bursty) finish() error { return b.r.Close() }
