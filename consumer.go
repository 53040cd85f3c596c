package bytering

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/vectored"
)

// A Consumer is the half that empties the ring: it writes the filled space to
// an output, and only it makes that space smaller.
//
// A Consumer belongs to one goroutine at a time. A call that overlaps another
// is a programming error and panics where it is noticed. Only Close,
// CloseWithError, SetReadDeadline, Disarm, Err, Len, Cap and Position may be
// called by any goroutine at any time.
type Consumer struct {
	ring   *ring
	reader *reader

	// The owner's (I2).
	pos     uint64 // the read cursor, without the closed bit
	limit   uint64 // how far pos may go, as far as seen
	off     int    // where pos lies in the memory
	eof     bool   // limit is final
	busy    bool   // a call is running
	held    bool   // on a guarded ring: the filled space stays
	lent    bool   // slices are with the owner
	pins    int    // Pins that are not given back
	out     bool   // on a mapped ring: something was handed out
	alarm   alarm
	bell    bell
	vec     vector
	spinner spinner
	scratch []byte // what Peek joins at the wrap

	_ [line]byte // from the fields of another half
}

var _ interface {
	io.ReadCloser
	io.ByteReader
	io.WriterTo
} = (*Consumer)(nil)

// enter begins a call of the owner, leave ends it.
func (c *Consumer) enter() {
	if c.busy {
		panic("bytering: overlapping calls of a Consumer, which belongs to one goroutine at a time")
	}
	c.busy = true
	seam.Owned(&c.busy)
	if c.ring.guarded && !c.held {
		c.held = c.reader.hold.take()
	}
}

func (c *Consumer) leave() {
	if c.held && !c.lent && c.pins == 0 {
		c.held = false
		c.giveBack()
	}
	c.busy = false
}

// Cap returns the capacity in bytes.
func (c *Consumer) Cap() int { return c.ring.size }

// Position returns how many bytes this consumer has ever discarded, modulo
// 1<<63. Any goroutine may call it. It only grows, until [Reset].
func (c *Consumer) Position() uint64 { return c.reader.read.Load() & count }

// Len returns how many bytes are there to be read. Any goroutine may call it.
// To the consumer's own goroutine the answer can only grow until it discards;
// to others it may be out of date at once.
func (c *Consumer) Len() int {
	return c.ring.filled(c.Position(), c.ring.write.Load()&count)
}

// Err returns io.ErrClosedPipe once the consumer is closed, the producer's
// error, io.EOF unless it gave another, once that is closed and everything was
// discarded, and else nil. Any goroutine may call it; an error is final.
func (c *Consumer) Err() error {
	read, write := c.reader.read.Load(), c.ring.write.Load()
	switch {
	case read&closed != 0:
		return io.ErrClosedPipe
	case write == read|closed:
		return errOf(&c.ring.writeErr, io.EOF)
	}
	return nil
}

// closed tells whether the consumer is. If it is not, no call of the owner has
// to fear for the memory: on a guarded ring enter has taken the hold, which
// only a close, after the bit, can refuse.
func (c *Consumer) closed() bool { return c.reader.read.Load()&closed != 0 }

// Limits reports whether the producer still waits for this consumer: whether it
// is open, or was closed and has a call running, slices lent or a pin. Any
// goroutine may call it. It turns false once, until [Reset].
//
// Of several consumers, the one with the smallest [Consumer.Position] of those
// that limit is the slowest. If that is closed already, it is stuck in a call,
// such as a WriteTo of a connection that takes nothing: closing the consumer
// doesn't end that call, so close the connection too.
func (c *Consumer) Limits() bool { return !c.reader.hold.released() }

// len returns how many bytes are there: at least n of them as the cached limit
// has it, else as the producer has it now (I2, I5).
func (c *Consumer) len(n int) int {
	if f := distance(c.pos, c.limit); f >= n || c.eof {
		return f
	}
	write := c.ring.write.Load()
	c.limit, c.eof = write&count, write&closed != 0
	return distance(c.pos, c.limit)
}

// filled returns the whole filled space.
func (c *Consumer) filled() (a, b []byte) {
	if c.closed() {
		return nil, nil
	}
	return c.ring.place(c.off, c.len(c.ring.size))
}

// discard gives n bytes of the filled space back (I3, I5).
func (c *Consumer) discard(n int) error {
	next := (c.pos + uint64(n)) & count
	if !c.reader.read.CompareAndSwap(c.pos, next) {
		return io.ErrClosedPipe
	}
	if n > 0 {
		c.lent = false
	}
	c.pos = next
	c.off = c.ring.wrap(c.off, n)
	if c.ring.space.waited() {
		if n == 0 {
			c.ring.shareSpace()
		} else {
			c.ring.discarded()
		}
	}
	return nil
}

// Slices returns the filled space: a before the wrap and b, which may be
// empty, after it. Both are clipped to their length. They stay the consumer's
// until it discards, whoever closes what meanwhile, and the space can only
// grow until then. Slices never waits; where nothing is there, or the consumer
// is closed, there are none.
//
// With several consumers a closed one limits the producer until it has given
// its slices back with [Consumer.Discard], be it of 0 bytes. Mapped memory
// stays until then.
func (c *Consumer) Slices() (a, b []byte) {
	c.enter()
	a, b = c.filled()
	c.lend(len(a)+len(b), 1)
	c.leave()
	return a, b
}

// SlicesAtLeast is like [Consumer.Slices], but it returns the bytes that the
// consumer has seen already if they are n or more, and only otherwise looks at the
// producer's cursor. So it costs less, and may return less than there is. It may
// also return fewer than n bytes, since it never waits, and the n bytes need not
// lie together. An n that is negative or above the capacity is an error that wraps
// [ErrRange].
func (c *Consumer) SlicesAtLeast(n int) (a, b []byte, err error) {
	if err := c.ring.checkRange(n); err != nil {
		return nil, nil, err
	}
	c.enter()
	if !c.closed() {
		a, b = c.ring.place(c.off, c.len(n))
	}
	c.lend(len(a)+len(b), n)
	c.leave()
	return a, b, nil
}

// lend takes note of n bytes of slices that the owner is handed, where it may have
// hoped for want, or for more than it has.
func (c *Consumer) lend(n, want int) {
	if c.lent || n < want {
		c.ring.shareSpace() // the consumer may be polling
	}
	c.lent = c.lent || n > 0
	if c.held && c.lent {
		c.ring.handOut(&c.out)
	}
}

// Discard gives the first n bytes of the filled space back to the producer,
// and with them whatever [Consumer.Slices] or [Consumer.Peek] returned. It
// panics if n is negative or more than is there, as an index out of range
// does. On a consumer that was closed it moves nothing and returns
// io.ErrClosedPipe, for any n from 0 on.
func (c *Consumer) Discard(n int) error {
	c.enter()
	if n < 0 || n > c.len(n) && !c.closed() {
		c.leave()
		panic(fmt.Sprintf("bytering: Discard of %d bytes with %d there", n, c.Len()))
	}
	err := c.discard(n)
	c.lent = false // also of 0 bytes, or on a closed half
	c.leave()
	return err
}

// IOSlices calls f once with the filled space: 0, 1 or 2 slices that are not
// empty and the n bytes that they have together. It discards as many as f says
// that it has used, from the beginning on, and returns f's results. It never
// waits: where there is nothing f gets no slice, and may count or do something
// else. f must not keep bufs.
//
// An error of f does not keep IOSlices from discarding f's count. A count
// below 0 or above n discards nothing, and the error wraps [ErrInvalidCount].
// If [Consumer.Err] is not nil f does not run and that is returned. If the
// consumer was closed while f ran nothing is discarded and the count is 0.
func (c *Consumer) IOSlices(f func(bufs [][]byte, n int) (int, error)) (int, error) {
	c.enter()
	defer c.leave()
	if err := c.Err(); err != nil {
		return 0, err
	}
	a, b := c.filled()
	offered := len(a) + len(b)
	if c.held && offered > 0 {
		c.ring.handOut(&c.out)
	}
	n, err := f(c.vec.of(a, b), offered)
	if bad := checkCount("the callback", n, offered); bad != nil {
		return 0, with(bad, err)
	}
	if lost := c.discard(n); lost != nil {
		return 0, with(lost, err)
	}
	return n, err
}

// TryRead copies what is there into b and returns how many bytes that was. It
// never waits; 0 with a nil error means that the ring is empty. The error is
// that of [Consumer.Err].
func (c *Consumer) TryRead(b []byte) (n int, err error) {
	c.enter()
	defer c.leave() // also if b is no memory and the fault is recovered
	if n, err = c.get(b); n == 0 {
		c.ring.shareSpace() // the consumer may be polling for more
	}
	return n, err
}

// get is TryRead inside a call.
func (c *Consumer) get(b []byte) (int, error) {
	r := c.ring
	want := min(len(b), r.size)
	n := min(want, c.len(want))
	if n == 0 || c.closed() {
		return 0, c.Err()
	}
	seam.TouchRead(r.mem, c.off, n)
	if k := copy(b[:n], r.reach[c.off:]); k < n {
		copy(b[k:n], r.reach)
	}
	if err := c.discard(n); err != nil {
		return 0, err
	}
	return n, nil
}

// Read copies what is there into b, up to len(b) bytes, and parks while that
// is nothing. It returns the error of [Consumer.Err] or
// os.ErrDeadlineExceeded, with 0 bytes. An empty b never waits, and gets either
// error like any other.
func (c *Consumer) Read(b []byte) (n int, err error) {
	c.enter()
	defer c.leave()
	if c.overdue() {
		return 0, os.ErrDeadlineExceeded
	}
	for {
		n, err := c.get(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		if err := c.await(context.Background(), 1); err != nil {
			return 0, err
		}
	}
}

// ReadByte is [Consumer.Read] of one byte.
func (c *Consumer) ReadByte() (byte, error) {
	var b [1]byte
	_, err := c.Read(b[:])
	return b[0], err
}

// Peek parks until n bytes are there and returns them in one slice without
// discarding them. Where they lie together, on a ring with [Mirror] always, it
// copies nothing; at the wrap it joins them in memory that the Consumer keeps
// for this. They are valid until the next call that discards or peeks, and lent
// as those of [Consumer.Slices] are until a Discard, be it of 0 bytes, also
// after a Close.
//
// If fewer than n bytes are there when the stream ends, or the deadline passes
// while Peek waits, those are returned with the error: io.EOF or the producer's,
// or os.ErrDeadlineExceeded. Unlike [Consumer.Wait] it says io.EOF also where a
// part of the n bytes is left: look at the length. Begun after the deadline it
// returns none, whatever is there. An n that is negative or above the capacity
// is an error that wraps [ErrRange].
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
		err = c.await(context.Background(), n)
	}
	if c.closed() {
		return nil, io.ErrClosedPipe
	}
	switch there := c.len(n); {
	case there >= n:
		err = nil
	case err == nil:
		n, err = there, errOf(&c.ring.writeErr, io.EOF)
	default:
		n = there
	}
	a, b := c.ring.place(c.off, n)
	if len(b) == 0 {
		c.lent = c.lent || n > 0
		if c.held && c.lent {
			c.ring.handOut(&c.out)
		}
		return a, err
	}
	seam.TouchRead(c.ring.mem, c.off, n)
	c.scratch = append(append(c.scratch[:0], a...), b...)
	return c.scratch[:n:n], err
}

// WriteTo writes the filled space straight to dst until the stream ends, and
// parks while the ring is empty. It returns how many bytes dst took. The end
// of the stream, io.EOF, is not an error here; any other error of
// [Consumer.Err], that of dst, or os.ErrDeadlineExceeded is. It does not close
// the consumer.
//
// Where dst is a [vectored.Writer], or a connection, a file or a pipe of
// package net or os, one writev writes both sides of the wrap
// ([vectored.WriterOf] has the rule), and what it took is the producer's again
// at once. One call is offered at most half of the ring, and at most 1 MiB.
//
// A plain writer that takes less than it was offered without an error ends it
// with io.ErrShortWrite, and so does a vectored one that takes nothing; one
// that returns a count out of range ends it with an error that wraps
// [ErrInvalidCount].
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
			if err := c.await(context.Background(), 1); err != nil {
				return total, err
			}
			continue
		}
		a, b = c.ring.part(a, b, 1)
		var n, least int
		if v != nil {
			least = 1
			n, err = v.Writev(c.vec.of(a, b))
		} else {
			b, least = nil, len(a)
			n, err = dst.Write(a)
		}
		if bad := checkCount("the writer", n, len(a)+len(b)); bad != nil {
			return total, with(bad, err)
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

// Close ends the consumer: the producer's calls fail with io.ErrClosedPipe
// once all consumers are closed, and what was not read is lost. Any goroutine
// may call it at any time; the consumer's running call returns with
// io.ErrClosedPipe. It never fails and never waits, but for what the system
// takes to unmap memory that was mapped, where nobody else has any of it.
//
// It does not give slices back: on a ring of [NewBroadcast] and on mapped memory,
// after [Consumer.Slices] or [Consumer.Peek], call Discard(0) too, on the
// consumer's own goroutine. Else it still limits the producer, or the memory
// stays.
func (c *Consumer) Close() error { return c.CloseWithError(nil) }

// CloseWithError is like Close, but the producer gets err instead of
// io.ErrClosedPipe. CloseWithError(nil) is Close. If several goroutines close the
// consumer, the first error wins. What Close says of slices holds for it too.
func (c *Consumer) CloseWithError(err error) error {
	r, rd := c.ring, c.reader
	setErr(&rd.readErr, err, io.ErrClosedPipe)
	if rd.read.Or(closed)&closed != 0 {
		return nil
	}
	if rd.hold.close() {
		r.release() // before a note, which may panic
	}
	c.alarm.stop() // before it counts: from there on Reset may come
	r.open.Add(-1)
	r.lot.wake(&r.space)
	rd.lot.wake(&rd.data)
	r.notifyProducer()
	r.notifyConsumer(rd)
	return nil
}
