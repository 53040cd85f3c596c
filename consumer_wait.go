package bytering

import (
	"context"
	"io"
	"os"

	"github.com/bytering/bytering/internal/seam"
)

// Wait parks until n bytes are there to be read. With an n of 0 it never blocks.
// Wait returns the first of these that holds, when it begins or later:
//
//   - an error that wraps [ErrRange]: n is negative or above the capacity;
//   - what [Consumer.Err] returns, if that is not nil;
//   - os.ErrDeadlineExceeded: the deadline had passed when Wait began, whatever
//     is there;
//   - nil: n bytes are there, even if ctx has ended;
//   - the producer's error, or io.ErrUnexpectedEOF where that is io.EOF: it was
//     closed, and fewer than n bytes are left, which can still be read;
//   - os.ErrDeadlineExceeded or the cause of ctx, as soon as either ends.
func (c *Consumer) Wait(ctx context.Context, n int) error {
	c.enter()
	defer c.leave()
	if err := c.ring.checkRange(n); err != nil {
		return err
	}
	if c.overdue() {
		return os.ErrDeadlineExceeded
	}
	if n > 0 && !c.ready(n) {
		if err := c.await(ctx, exactly(n)); err != nil {
			return err
		}
	}
	there := c.len(n)
	switch {
	case n == 0 || c.closed():
		return c.Err()
	case there >= n:
		return nil
	}
	err := c.peersErr()
	if there > 0 && err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Peek parks until n bytes are there and returns them in one slice without
// discarding them. If they lie together, as they always do with [Mirror], it
// copies nothing; at the wrap it joins them in memory that the Consumer keeps
// for this. They are valid until the next call that discards or peeks. Like those
// of [Consumer.Slices] they are lent until a Discard, which may be of 0 bytes,
// even after a Close.
//
// If fewer than n bytes are there when the stream ends, or when the deadline
// passes while Peek waits, those are returned with the error: io.EOF or the
// producer's, or os.ErrDeadlineExceeded. Unlike [Consumer.Wait] it returns io.EOF
// even if some of the n bytes are left: check the length. A Peek that begins
// after the deadline returns none, whatever is there. An n that is negative or
// above the capacity is an error that wraps [ErrRange].
func (c *Consumer) Peek(n int) ([]byte, error) {
	c.enter()
	defer c.leave()
	if err := c.ring.checkRange(n); err != nil {
		return nil, err
	}
	if c.overdue() {
		return nil, os.ErrDeadlineExceeded
	}
	if n == 0 {
		return nil, c.Err()
	}
	var err error
	if !c.ready(n) {
		err = c.await(context.Background(), exactly(n))
	}
	if c.closed() {
		return nil, io.ErrClosedPipe
	}
	switch there := c.len(n); {
	case there >= n:
		err = nil
	case err == nil:
		n, err = there, c.peersErr()
	default:
		n = there
	}
	a, b := c.ring.pieces(c.off, n)
	if len(b) == 0 {
		c.lend(n)
		return a, err
	}
	seam.TouchRead(c.ring.mem, c.off, n)
	c.scratch = append(append(c.scratch[:0], a...), b...)
	return c.scratch[:n:n], err
}
