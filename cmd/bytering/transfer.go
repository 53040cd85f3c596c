package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/bytering/bytering"
	"github.com/docker/go-units"
)

// largestCall is how much one read or write moves at most: fewer calls cost
// less, and a part of the ring must be free for the other end meanwhile.
const largestCall = 1 << 20

// A stream is one transfer under way.
type stream struct {
	source, sink *end
	p            *bytering.Producer
	c            *bytering.Consumer
	call         int // the largest read and write
}

// transfer copies the source to the sink and returns the summary.
func transfer(cfg config, signals <-chan os.Signal, stderr *os.File) (string, error) {
	p, c, err := bytering.New(int(cfg.memory))
	if err != nil {
		return "", fail(exitUsage, fmt.Errorf("--memory %v: %w", &cfg.memory, err))
	}
	source, err := openSource(cfg.input)
	if err != nil {
		return "", err
	}
	sink, err := openSink(cfg.output, cfg.force, source)
	if err != nil {
		return "", err
	}
	s := &stream{source: source, sink: sink, p: p, c: c, call: min(largestCall, max(1, c.Cap()/4))}

	begin := time.Now()
	stop := func() {}
	if !cfg.quiet {
		stop = showProgress(stderr, s)
	}
	err = s.run(signals)
	stop()
	if err != nil {
		return "", err
	}
	return summary(int64(c.Position()), time.Since(begin)), nil
}

// run moves the bytes until the end, the first failure that leaves nothing to
// do, or a signal. A read or write that is blocked then is left behind: the
// process ends.
func (s *stream) run(signals <-chan os.Signal) error {
	sourceDone, sinkDone := make(chan error, 1), make(chan error, 1)
	go func() {
		err := s.fill()
		sourceDone <- err
		s.p.Close() // what was read before a failure still goes to the sink
	}()
	go func() { sinkDone <- s.drain() }()
	select {
	case sig := <-signals:
		code := exitSignal
		if n, ok := sig.(syscall.Signal); ok {
			code += int(n)
		}
		return fail(code, fmt.Errorf("stopped by signal: %v; %s", sig, s.safe()))
	case err := <-sinkDone:
		if err != nil {
			return s.sinkFailed(err)
		}
	}
	if err := <-sourceDone; err != nil {
		return fail(exitSource, fmt.Errorf("source %s failed at byte %d: %w; %s", s.source.name, s.p.Position(), cause(err), s.safe()))
	}
	if !s.sink.std {
		if err := s.sink.Close(); err != nil {
			return s.sinkFailed(err)
		}
	}
	return nil
}

func (s *stream) sinkFailed(err error) error {
	if s.sink.std && errors.Is(err, syscall.EPIPE) {
		return fail(exitReader, fmt.Errorf("the reader of standard output went away; %s", s.safe()))
	}
	return fail(exitSink, fmt.Errorf("sink %s failed: %w; %s", s.sink.name, cause(err), s.safe()))
}

// safe says how much the sink has accepted.
func (s *stream) safe() string {
	return fmt.Sprintf("%d bytes written to %s", s.c.Position(), s.sink.name)
}

// cause drops what an error of package os says of a file that is named anyway.
func cause(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// fill reads the source into the ring to its end.
func (s *stream) fill() error {
	for {
		if err := s.p.Wait(context.Background(), 1); err != nil {
			return nil // the sink has failed, and says so
		}
		a, _ := s.p.Slices()
		n, err := s.source.Read(a[:min(len(a), s.call)])
		if n > 0 {
			if err := s.p.Commit(n); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// drain writes the ring to the sink until the source has ended.
func (s *stream) drain() (err error) {
	defer func() { s.c.CloseWithError(err) }()
	for {
		if err := s.c.Wait(context.Background(), 1); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		a, _ := s.c.Slices()
		n, err := s.sink.Write(a[:min(len(a), s.call)])
		if err := s.c.Discard(n); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
}

func summary(n int64, d time.Duration) string {
	rate := float64(n) / max(d.Seconds(), 1e-9)
	return fmt.Sprintf("%s (%d bytes) in %.3g s, %s/s", bytesText(float64(n)), n, d.Seconds(), bytesText(rate))
}

func bytesText(n float64) string { return units.BytesSize(n) }
