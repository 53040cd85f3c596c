package main

import (
	"context"
	"io"
	"os"
	"syscall"
	"time"
)

// open makes the ring and opens the ends, except for the inputs after the first. The
// open of a FIFO blocks until its other end is opened, and a store may not answer, so
// a signal must be able to end it.
func (s *stream) open(ctx context.Context, stdin, stdout *os.File) error {
	opened := make(chan error, 1)
	go func() {
		err := s.prepare(ctx, stdin)
		if err == nil {
			err = s.openEnds(ctx, stdin, stdout)
		}
		opened <- err
	}()
	// A reader that leaves then ends it, unless there are other outputs.
	var left <-chan int
	if len(s.sinks) == 1 {
		left = s.left
	}
	select {
	case err := <-opened:
		if ctx.Err() != nil {
			break // which may be why an open has failed
		}
		for _, k := range s.sinks {
			if err == nil {
				err = k.end.empty()
			}
		}
		return err
	case <-left:
	case <-ctx.Done():
	}
	if why := context.Cause(ctx); why != nil && why != syscall.EPIPE {
		return stopped(why, "nothing was written")
	}
	return sinkFailed(&end{name: stdoutName, std: stdout}, syscall.EPIPE, "nothing was written")
}

func (s *stream) openEnds(ctx context.Context, stdin, stdout *os.File) error {
	in := &source{skip: s.skip, left: s.count, rest: s.inputs, strict: s.uploads()}
	in.open = func(p place) (*end, error) {
		switch p.kind {
		case file:
		case get:
			return s.openWeb(ctx, p)
		case object:
			return &end{stored: s.object, name: p.String(), size: s.object.size}, nil
		default:
			return s.openTCP(ctx, p)
		}
		return openSource(p.name, stdin)
	}
	if s.goOn {
		in.missing = func(err error) { s.voice.tell(sayErrors, err.Error()) }
	} else if err := s.probe(); err != nil {
		return err
	}
	stop := s.limitOpen(s.inputs[0])
	err := in.next()
	stop()
	switch {
	case err == io.EOF:
		return fail(exitRefused, "there is no input")
	case err != nil:
		return err
	}
	in.size = s.expected(in.cur)
	s.source = in
	for i, p := range s.outputs {
		var e *end
		stop := s.limitOpen(p)
		switch p.kind {
		case file:
			e, err = openSink(p, &s.config, in, stdout)
		case object:
			e = &end{stored: s.stored[i], name: p.String()}
		default:
			e, err = s.openTCP(ctx, p)
		}
		stop()
		if err != nil {
			for _, k := range s.sinks[:i] {
				k.end.unmake()
			}
			return err
		}
		e.tune(os.O_WRONLY)
		s.sinks[i].end = e
	}
	return nil
}

// limitOpen ends the stream if the open of an end takes as long as -W says, as for a
// FIFO without another end. The function that it returns ends that limit.
func (s *stream) limitOpen(p place) (stop func() bool) {
	if s.timeout == 0 || p.patient {
		return func() bool { return true }
	}
	return time.AfterFunc(s.timeout, s.stalled("open", p.String, s.timeout)).Stop
}
