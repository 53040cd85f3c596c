package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/pump"
	"github.com/docker/go-units"
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
	p, c, err := bytering.New(cfg.memory.bytes, bytering.Align(align))
	if err != nil {
		why := "too large"
		if errors.Is(err, bytering.ErrNoMemory) {
			why = "not enough memory"
		}
		return nil, fail(exitUsage, "-m, --memory %v: %s", &cfg.memory, why)
	}
	return &stream{p: p, c: c, block: cfg.block.bytes, direct: cfg.direct}, nil
}

// transfer copies the source to the sink and returns the summary.
func transfer(ctx context.Context, cfg config, stdin, stdout, stderr *os.File) (string, error) {
	s, err := newStream(cfg)
	if err != nil {
		return "", err
	}
	if err := s.open(ctx, cfg, stdin, stdout); err != nil {
		return "", err
	}
	defer s.source.close()

	begin := time.Now()
	hide := func() {}
	if !cfg.quiet {
		hide = showProgress(stderr, s)
	}
	err = s.run(ctx)
	promptly(ctx, hide)
	if err != nil {
		return "", err
	}
	report := summary(s.written(), time.Since(begin))
	if s.direct {
		report += fmt.Sprintf("; %s, %s", direct("read", s.stats.Source), direct("written", s.stats.Sink))
	}
	return report, nil
}

// A signalled is a signal as the cause of an end.
type signalled struct{ os.Signal }

func (s signalled) Error() string { return "stopped by signal: " + s.String() }

// stopOn returns a context that the first of the signals ends.
func stopOn(signals <-chan os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		select {
		case sig := <-signals:
			cancel(signalled{sig})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// promptly calls f, which needs the terminal or whatever stderr is. That may be
// stopped or stuck, so that f is left behind where it holds up a process that
// was told to end.
func promptly(ctx context.Context, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// open opens both ends. A FIFO whose other end is missing blocks, so that
// a signal must be able to end it.
func (s *stream) open(ctx context.Context, cfg config, stdin, stdout *os.File) error {
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
	case <-ctx.Done():
		return stopped(context.Cause(ctx), "nothing was written")
	}
}

// run moves the bytes until the end, the first failure that leaves nothing to
// do, or a signal.
func (s *stream) run(ctx context.Context) error {
	s.source.tune(os.O_RDONLY)
	s.sink.tune(os.O_WRONLY)
	opts := []pump.Option{pump.Ring(s.p, s.c), pump.MaxCall(s.block), pump.WithMeter(&s.meter)}
	if s.direct {
		opts = append(opts, pump.Direct())
	}
	var err error
	s.stats, err = pump.Copy(ctx, s.sink.file, s.source.file, opts...)
	// Some file systems tell of a failed write no earlier than in close.
	lost := s.sink.close()

	var failed *pump.Error
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	switch {
	case failed != nil && failed.Side == pump.Context:
		safe := s.safe(failed.Pending)
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

// stopped returns the failure for a signal.
func stopped(why error, what string) error {
	code := exitSignal
	var sig signalled
	if errors.As(why, &sig) {
		if n, ok := sig.Signal.(syscall.Signal); ok {
			code += int(n)
		}
	}
	return fail(code, "%w; %s", why, what)
}

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

// cause is what is left of an error without what it says of a file and a call
// that are named anyway.
func cause(err error) error {
	var pe *fs.PathError
	var se *os.SyscallError
	switch {
	case errors.As(err, &pe):
		return pe.Err
	case errors.As(err, &se):
		return se.Err
	}
	return err
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

// bytesText is the library's BytesSize with a space before the unit.
func bytesText(n float64) string {
	return units.CustomSize("%.4g %s", n, 1024, []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"})
}
