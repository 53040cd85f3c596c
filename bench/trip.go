package main

import (
	"errors"
	"fmt"
	"io"
)

// linkTrips measures how long a chunk takes to another goroutine and back, over
// two links of a kind.
func linkTrips() suite {
	s := suite{
		name:      "trip",
		title:     "A chunk goes to another goroutine and back",
		op:        "round trip",
		sizes:     []int{8, 64, 1 << 10, 32 << 10},
		oneAndTwo: true,
		legend: []string{
			"Every contender has one link for each direction. One goroutine always waits for the other, so this is the cost of a wait and a wake.",
			"The two channels pass a slice, of which the receiver copies the bytes. They are no stream and cannot win; they show what a wait and a wake of Go's own cost.",
		},
	}
	for _, l := range links() {
		s.contenders = append(s.contenders, contender{l.name, l.ours, false, func(cfg config, size int) (trial, error) {
			return tripping(l, cfg, size)
		}})
	}
	s.contenders = append(s.contenders, contender{"two channels", false, true, func(_ config, size int) (trial, error) {
		there, back := make(chan []byte, 1), make(chan []byte, 1)
		return newTrips(passing{back, there}, passing{there, back}, size), nil
	}})
	return s
}

// tripping is a trial of round trips over two links.
func tripping(l link, cfg config, size int) (trial, error) {
	there, here, err := l.open(cfg.room(size))
	if err != nil {
		return nil, err
	}
	back, home, err := l.open(cfg.room(size))
	if err != nil {
		return nil, err
	}
	return newTrips(duplex{home, there}, duplex{here, back}, size), nil
}

// A duplex reads from one link and writes to another.
type duplex struct {
	io.Reader
	io.WriteCloser
}

func (d duplex) Close() error {
	err := d.WriteCloser.Close()
	if c, ok := d.Reader.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// A passing is one end of two channels. Neither side writes to a slice that it
// has sent before it gets the answer.
type passing struct {
	in  <-chan []byte
	out chan<- []byte
}

func (p passing) Read(b []byte) (int, error) {
	got, ok := <-p.in
	if !ok {
		return 0, io.EOF
	}
	if len(got) > len(b) {
		return 0, fmt.Errorf("%d bytes for a buffer of %d", len(got), len(b))
	}
	return copy(b, got), nil
}

func (p passing) Write(b []byte) (int, error) {
	p.out <- b
	return len(b), nil
}

func (p passing) Close() error {
	close(p.out)
	return nil
}
