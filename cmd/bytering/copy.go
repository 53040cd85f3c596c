package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/pump"
	"github.com/bytering/bytering/vectored"
)

// A stream is one transfer.
type stream struct {
	source, sink *end
	p            *bytering.Producer
	c            *bytering.Consumer
	block        int // the largest read and write
	direct       bool
	meter        pump.Meter
	stats        pump.Stats // of the copy when it is over
}

func newStream(cfg config) (*stream, error) {
	align := 1
	if cfg.direct {
		align = directMemory
	}
	// Mapped, because Go's runtime dies where its heap can't grow.
	p, c, err := bytering.New(cfg.memory.bytes, bytering.Align(align), bytering.Mapped())
	if errors.Is(err, errors.ErrUnsupported) {
		p, c, err = bytering.New(cfg.memory.bytes, bytering.Align(align))
	}
	if err != nil {
		why := "too large"
		if errors.Is(err, bytering.ErrNoMemory) {
			why = "not enough memory"
		}
		return nil, fail(exitRefused, "-m, --memory %v: %s", &cfg.memory, why)
	}
	if err := enoughMemory(); err != nil {
		return nil, err
	}
	return &stream{p: p, c: c, block: cfg.block.bytes, direct: cfg.direct}, nil
}

// transfer copies the source to the sink and returns the summary, and what takes
// the bar off the screen. By then both ends are closed, so that however long
// that takes, nothing waits for them.
func transfer(ctx context.Context, cfg config, stdin, stdout, stderr *os.File) (report string, hide func(), err error) {
	hide = func() {}
	s, err := newStream(cfg)
	if err != nil {
		return "", hide, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	gone := func() { cancel(syscall.EPIPE) }
	if cfg.outputs[0].name == "-" {
		watch(stdout, stdin, gone)
	}
	if err := s.open(ctx, cfg, stdin, stdout); err != nil {
		return "", hide, err
	}
	if cfg.outputs[0].name != "-" {
		watch(s.sink.file, s.source.file, gone)
	}
	if isTerminal(s.sink.file) {
		stopInBackground()
	}

	begin := time.Now()
	if !cfg.show.quiet {
		hide = showProgress(stderr, s)
	}
	if err := s.run(ctx); err != nil {
		return "", hide, err
	}
	report = summary(s.written(), time.Since(begin))
	if s.direct {
		report += fmt.Sprintf("; %s, %s", direct("read", s.stats.Source), direct("written", s.stats.Sink))
	}
	return report, hide, nil
}

// open opens both ends. A FIFO whose other end is missing blocks, so that
// a signal must be able to end it.
func (s *stream) open(ctx context.Context, cfg config, stdin, stdout *os.File) error {
	opened := make(chan error, 1)
	go func() {
		var err error
		if s.source, err = openSource(cfg.inputs[0].name, stdin); err == nil {
			s.sink, err = openSink(cfg.outputs[0].name, cfg.force, s.source, stdout)
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		return err
	case <-ctx.Done():
		if why := context.Cause(ctx); why != syscall.EPIPE {
			return stopped(why, "nothing was written")
		}
		return sinkFailed(&end{name: stdoutName, std: stdout}, syscall.EPIPE, "nothing was written")
	}
}

// run moves the bytes until the end, the first failure that leaves nothing to
// do, a signal, or until nothing reads the sink any more. It closes both ends.
func (s *stream) run(ctx context.Context) error {
	s.source.tune(os.O_RDONLY)
	s.sink.tune(os.O_WRONLY)
	block := s.block
	if b := vectored.BoundaryOf(s.source.file); b != vectored.Packet { // which pump sees to
		block = max(block, b.Room()) // a smaller one would cut a message
	}
	opts := []pump.Option{pump.Ring(s.p, s.c), pump.MaxCall(block), pump.WithMeter(&s.meter)}
	if s.direct {
		opts = append(opts, pump.Direct())
	}
	var err error
	in, out := s.source.reader(), s.sink.writer()
	s.stats, err = pump.Copy(ctx, out, in, opts...)
	s.stats.Source.Buffered = whyBuffered(in, s.stats.Source.Buffered)
	s.stats.Sink.Buffered = whyBuffered(out, s.stats.Sink.Buffered)
	var failed *pump.Error
	errors.As(err, &failed)

	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.source.close()
	}()
	var lost error
	if failed == nil || failed.Pending == 0 {
		// Some file systems tell of a failed write no earlier than in close.
		lost = s.sink.close()
	}
	select {
	case <-closed:
	case <-time.After(closing): // a read was left behind in it
	}

	switch {
	case err != nil && failed == nil:
		return err
	case failed != nil && failed.Side == pump.Context:
		safe := s.safe(failed.Pending)
		if failed.Err == syscall.EPIPE {
			return sinkFailed(s.sink, failed.Err, safe)
		}
		if lost != nil {
			safe = sinkFailed(s.sink, lost, safe).Error()
		}
		return stopped(failed.Err, safe)
	case failed != nil && failed.Side == pump.Sink:
		return sinkFailed(s.sink, failed.Err, s.safe(0))
	case lost != nil:
		return sinkFailed(s.sink, lost, s.safe(0))
	case failed != nil:
		return fail(exitSource, "read %s: %w at byte %d; %s", s.source.name, cause(failed.Err), failed.Offset, s.safe(0))
	}
	return nil
}

// closing is how long closing the source may take, which nothing depends on.
const closing = 250 * time.Millisecond

// written returns how much the sink has accepted.
func (s *stream) written() int64 { return s.meter.Stats().Sink.Bytes }

// safe says how much the sink has accepted, besides what is pending.
func (s *stream) safe(pending int64) string {
	least := ""
	if pending > 0 {
		least = "at least "
	}
	return fmt.Sprintf("%s%d bytes written to %s", least, s.written(), s.sink.name)
}

func summary(n int64, d time.Duration) string {
	text := fmt.Sprintf("%d bytes", n)
	if n >= 1024 {
		text += " (" + bytesText(float64(n)) + ")"
	}
	rate := float64(n) / max(d.Seconds(), 1e-9)
	return fmt.Sprintf("%s in %.3f s, %s/s", text, d.Seconds(), bytesText(rate))
}

// direct says how much of a side was, and why not all if that is so.
func direct(done string, s pump.SideStats) string {
	text := fmt.Sprintf("%d %s direct", s.Direct, done)
	if s.Buffered != nil {
		text += fmt.Sprintf(" (%v)", s.Buffered)
	}
	return text
}
