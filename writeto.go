package bytering

import (
	"context"
	"io"
	"os"

	"github.com/bytering/bytering/vectored"
)

// WriteTo writes the filled space straight to dst until the stream ends, and
// parks while the ring is empty. It returns how many bytes dst took, and the error
// of [Consumer.Err], except that io.EOF is not an error here, or that of dst, or
// os.ErrDeadlineExceeded. It does not close the consumer.
//
// If dst is a [vectored.Writer], or a connection, a file or a pipe of package net
// or os, one writev writes both sides of the wrap ([vectored.WriterOf] has the
// rule), and what it took is the producer's again at once. One call is offered at
// most half of the ring, and at most 1 MiB.
//
// If a plain writer takes less than it was offered without an error, or a
// vectored one takes nothing, WriteTo returns io.ErrShortWrite. If a writer
// returns a count out of range, the error wraps [ErrInvalidCount].
func (c *Consumer) WriteTo(dst io.Writer) (total int64, err error) {
	c.enter()
	defer c.leave()
	if c.overdue() {
		return 0, os.ErrDeadlineExceeded
	}
	v := vectored.WriterOf(dst)
	for {
		a, b := c.filled()
		if len(a) == 0 {
			if err := c.Err(); err == io.EOF {
				return total, nil
			} else if err != nil {
				return total, err
			}
			if err := c.await(context.Background(), exactly(1)); err != nil {
				return total, err
			}
			continue
		}
		a, b = c.ring.limitCall(a, b, 1)
		var n, least int
		if v != nil {
			least = 1
			n, err = v.Writev(c.bufs.of(a, b))
		} else {
			b, least = nil, len(a)
			n, err = dst.Write(a)
		}
		if bad := checkCount("the writer", n, len(a)+len(b)); bad != nil {
			return total, joinErrors(bad, err)
		}
		total += int64(n)
		if lost := c.discard(n); err == nil {
			err = lost
		}
		if err == nil && n < least {
			err = io.ErrShortWrite
		}
		if err != nil {
			return total, err
		}
	}
}
