package main

import (
	"errors"
	"io"
	"math"
	"syscall"
	"time"
)

// stalled returns a function that ends the stream because an end has moved
// nothing for that long.
func (s *stream) stalled(op string, name func() string, after time.Duration) func() {
	return func() { s.cancel(idle(op, name(), after)) }
}

func idle(op, name string, after time.Duration) error {
	return fail(exitTimeout, "%s %s: nothing moved for %v", op, name, after)
}

// timedOut returns why a call of the end failed. The system itself ends a connection
// whose other host takes nothing for as long as -W says, also while no call waits for
// that.
func (s *stream) timedOut(op string, e *end, err error) error {
	if s.timeout > 0 && e.deliver != nil && errors.Is(err, syscall.ETIMEDOUT) {
		return idle(op, e.name, s.timeout)
	}
	return err
}

// patience returns how long a call of the end may take, or 0.
func (s *stream) patience(e *end) time.Duration {
	if conn := s.connTimeout; e.deliver != nil && conn > 0 && (s.timeout == 0 || conn < s.timeout) {
		return conn
	}
	return s.timeout
}

// A timed is an end whose calls may not take longer than a time.
type timed struct {
	*layer
	after time.Duration
	timer *time.Timer // calls stalled when that is over
}

// timedWrite is the most that a write with a time limit moves. A write that
// blocks returns only when all of it is done, so a large one to a slow reader
// would look like a stall.
const timedWrite = 64 << 10

// timeReader calls stalled when a read of r takes longer than after, unless that
// is 0.
func timeReader(r io.Reader, after time.Duration, stalled func()) io.Reader {
	if after == 0 {
		return r
	}
	return newTimed(r, after, stalled)
}

// timeWriter calls stalled when a write to w takes longer than after, unless that
// is 0.
func timeWriter(w io.Writer, after time.Duration, stalled func()) io.Writer {
	if after == 0 {
		return w
	}
	return newTimed(w, after, stalled)
}

func newTimed(end any, after time.Duration, stalled func()) *timed {
	t := &timed{layer: around(end), after: after, timer: time.AfterFunc(math.MaxInt64, stalled)}
	t.timer.Stop()
	return t
}

func (t *timed) Readv(bufs [][]byte) (int, error) {
	t.timer.Reset(t.after)
	defer t.timer.Stop()
	return t.readv(bufs)
}

func (t *timed) Writev(bufs [][]byte) (int, error) {
	t.timer.Reset(t.after)
	defer t.timer.Stop()
	if _, blocks := t.end.(*patient); blocks {
		bufs = cut(bufs, timedWrite)
	}
	return t.writev(bufs)
}

func (t *timed) Read(b []byte) (int, error) { return readOne(t, b) }

func (t *timed) Write(b []byte) (int, error) { return writeAll(t, b) }
