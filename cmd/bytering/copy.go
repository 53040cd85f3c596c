package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bytering/bytering"
	"github.com/docker/go-units"
)

const (
	// largestCall is how much one read or write moves at most: a part of the
	// ring must be free for the other end meanwhile.
	largestCall = 1 << 20
	// grace is how long a write that a signal finds under way may take to
	// come back, for the sake of an exact count.
	grace = 250 * time.Millisecond
)

var (
	errPiece   = errors.New("one piece was written")
	errStopped = errors.New("stopped")
)

// A stream is one transfer under way.
type stream struct {
	source, sink *end
	p            *bytering.Producer
	c            *bytering.Consumer
	piece        int          // the largest read and write
	written      atomic.Int64 // bytes that the sink has accepted
	stopped      atomic.Bool  // no further write is begun
}

func newStream(memory size) (*stream, error) {
	p, c, err := bytering.New(int(memory))
	if err != nil {
		why := "too large"
		if errors.Is(err, bytering.ErrNoMemory) {
			why = "not enough memory"
		}
		return nil, fail(exitUsage, "-m, --memory %v: %s", &memory, why)
	}
	return &stream{p: p, c: c, piece: min(largestCall, max(1, c.Cap()/4))}, nil
}

// transfer copies the source to the sink and returns the summary.
func transfer(cfg config, stdin, stdout, stderr *os.File, signals <-chan os.Signal) (string, error) {
	s, err := newStream(cfg.memory)
	if err != nil {
		return "", err
	}
	if err := s.open(cfg, stdin, stdout, signals); err != nil {
		return "", err
	}
	defer s.source.close()

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
	return summary(s.written.Load(), time.Since(begin)), nil
}

// open opens both ends. A FIFO whose other end is missing blocks, so that
// a signal must be able to end it.
func (s *stream) open(cfg config, stdin, stdout *os.File, signals <-chan os.Signal) error {
	opened := make(chan error, 1)
	go func() {
		var err error
		if s.source, err = openSource(cfg.input, stdin); err == nil {
			if s.sink, err = openSink(cfg.output, cfg.force, s.source, stdout); err != nil {
				s.source.close()
			}
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		return err
	case sig := <-signals:
		return killed(sig, "nothing was written")
	}
}

// run moves the bytes until the end, the first failure that leaves nothing to
// do, or a signal.
func (s *stream) run(signals <-chan os.Signal) error {
	sourceDone, sinkDone := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.p.ReadFrom(input{s})
		sourceDone <- err
		s.p.Close() // what was read before a failure still goes to the sink
	}()
	go func() {
		err := s.drain()
		sinkDone <- err
		s.c.CloseWithError(err)
	}()

	var err error
	select {
	case sig := <-signals:
		return s.interrupt(sig, sinkDone)
	case err = <-sinkDone:
	}
	// Some file systems tell of a failed write no earlier than in close.
	if err = errors.Join(err, s.sink.close()); err != nil {
		return sinkFailed(s.sink, err, s.safe())
	}
	if err := <-sourceDone; err != nil {
		return fail(exitSource, "read %s: %w at byte %d; %s", s.source.name, cause(err), s.p.Position(), s.safe())
	}
	return nil
}

// drain writes the ring to the sink until the source has ended.
func (s *stream) drain() error {
	for {
		if _, err := s.c.WriteTo(output{s}); err != errPiece {
			return err
		}
	}
}

// interrupt ends the transfer for a signal. A read that is blocked is left
// behind. A write is given a deadline, which pipes and sockets that do not
// block the thread obey, and some time, so that its bytes can be counted.
func (s *stream) interrupt(sig os.Signal, sinkDone <-chan error) error {
	s.stopped.Store(true)
	s.p.CloseWithError(errStopped)
	s.sink.file.SetWriteDeadline(time.Now())
	select {
	case err := <-sinkDone:
		if errors.Is(err, errStopped) || errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
		if err = errors.Join(err, s.sink.close()); err != nil {
			return killed(sig, fmt.Sprintf("%v; %s", sinkFailed(s.sink, err, ""), s.safe()))
		}
		return killed(sig, s.safe())
	case <-time.After(grace):
		return killed(sig, "at least "+s.safe())
	}
}

func killed(sig os.Signal, what string) error {
	code := exitSignal
	if n, ok := sig.(syscall.Signal); ok {
		code += int(n)
	}
	return fail(code, "stopped by signal: %v; %s", sig, what)
}

// safe says how much the sink has accepted.
func (s *stream) safe() string {
	return fmt.Sprintf("%d bytes written to %s", s.written.Load(), s.sink.name)
}

// An input is the source as the ring reads it: piece by piece.
type input struct{ *stream }

func (s input) Read(b []byte) (int, error) {
	return s.source.file.Read(b[:min(len(b), s.piece)])
}

// An output is the sink as the ring writes it: piece by piece, each of which
// ends WriteTo, so that its space is free for the source at once.
type output struct{ *stream }

func (s output) Write(b []byte) (int, error) {
	if s.stopped.Load() {
		return 0, errStopped
	}
	n, err := s.sink.file.Write(b[:min(len(b), s.piece)])
	s.written.Add(int64(n))
	if err == nil && n < len(b) {
		err = errPiece
	}
	return n, err
}

var _, _ = io.Reader(input{}), io.Writer(output{})

// sinkFailed returns the failure for err, with what is safe if that is said.
func sinkFailed(sink *end, err error, safe string) error {
	if safe != "" {
		safe = "; " + safe
	}
	if sink.std && readerGone(err) {
		return fail(exitReader, "write %s: its reader went away%s", sink.name, safe)
	}
	op := "write"
	var pe *fs.PathError
	if errors.As(err, &pe) {
		op = pe.Op
	}
	return fail(exitSink, "%s %s: %w%s", op, sink.name, cause(err), safe)
}

// cause drops what an error of package os says of a file that is named anyway.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func summary(n int64, d time.Duration) string {
	rate := float64(n) / max(d.Seconds(), 1e-9)
	return fmt.Sprintf("%d bytes (%s) in %.3g s, %s/s", n, bytesText(float64(n)), d.Seconds(), bytesText(rate))
}

func bytesText(n float64) string { return units.BytesSize(n) }
