package bytering

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering/internal/seam"
)

// A Consumer is the half that empties the ring: it writes the filled space to
// an output, and only it makes that space smaller.
//
// A Consumer belongs to one goroutine at a time. A call that overlaps another
// is a programming error and panics where that is detected. Only Close,
// CloseWithError, SetReadDeadline, Disarm, Err, Len, Limits, Cap and Position may
// be called by any goroutine at any time.
type Consumer struct {
	half
	eof     bool   // limit is final
	scratch []byte // in which Peek joins what lies on both sides of the wrap

	_ [line]byte // between this half and the next
}

var _ interface {
	io.ReadCloser
	io.ByteReader
	io.WriterTo
} = (*Consumer)(nil)

// Cap returns the capacity in bytes.
func (c *Consumer) Cap() int { return c.ring.size }

// Position returns how many bytes this consumer has ever discarded, modulo
// 1<<63. It only grows, until [Reset]. Any goroutine may call it.
func (c *Consumer) Position() uint64 { return c.shared.cursor.Load() & cursorMask }

// Len returns how many bytes are there to be read. For the consumer's own
// goroutine the result can only grow until it discards; for others it may be out
// of date at once. Any goroutine may call it.
func (c *Consumer) Len() int {
	return c.ring.filled(c.Position(), c.ring.producer.cursor.Load()&cursorMask)
}

// Err reports why the consumer can make no more progress, or nil if it can.
// After the consumer's own Close it is io.ErrClosedPipe. After the producer closed
// and everything was discarded it is the error given to CloseWithError, or io.EOF.
// An error is final. Any goroutine may call it.
func (c *Consumer) Err() error {
	if !c.ended() {
		return nil
	}
	if c.closed() {
		return io.ErrClosedPipe
	}
	return c.peersErr()
}

// ended reports whether Err is not nil.
func (c *Consumer) ended() bool {
	read, write := c.shared.cursor.Load(), c.ring.producer.cursor.Load()
	return read&closed != 0 || write == read|closed
}

func (c *Consumer) ready(n int) bool { return c.len(n) >= n || c.eof || c.closed() }

func (c *Consumer) goal(n int) uint64 { return (c.pos + uint64(n)) & cursorMask }

// Limits reports whether the producer still waits for this consumer: whether it
// is open, or is closed and has a call running, slices lent or a pin. Once false
// it stays so, until [Reset]. Any goroutine may call it.
//
// Of several consumers that limit the producer, the one with the smallest
// [Consumer.Position] is the slowest. If that one is closed, it is stuck in a call,
// such as a WriteTo of a connection that takes nothing. Closing the consumer does
// not end that call, so close the connection too.
func (c *Consumer) Limits() bool { return !c.shared.hold.released() }

// len returns how many bytes are there by the cached limit if they are n or
// more, and otherwise by the producer's cursor now (I2, I5).
func (c *Consumer) len(n int) int {
	if f := distance(c.pos, c.limit); f >= n || c.eof {
		return f
	}
	write := c.ring.producer.cursor.Load()
	c.limit, c.eof = write&cursorMask, write&closed != 0
	return distance(c.pos, c.limit)
}

// filled returns the whole filled space.
func (c *Consumer) filled() (a, b []byte) {
	if c.closed() {
		return nil, nil
	}
	return c.ring.pieces(c.off, c.len(c.ring.size))
}

// discard gives n bytes of the filled space back (I3, I5).
func (c *Consumer) discard(n int) error {
	next := (c.pos + uint64(n)) & cursorMask
	if !c.shared.cursor.CompareAndSwap(c.pos, next) {
		return c.lost()
	}
	if n > 0 {
		c.lent = 0
	}
	c.pos = next
	c.off = c.ring.advance(c.off, n)
	if c.quick -= n; c.quick <= 0 {
		c.setQuick()
	}
	if c.ring.producer.target.hasWaiter() {
		if n == 0 {
			c.ring.wakeSoft()
		} else {
			c.ring.wakeProducer()
		}
	}
	return nil
}

// Slices returns the filled space: a before the wrap and b, which may be
// empty, after it. Both are clipped to their length. They stay the consumer's
// until it discards, whatever is closed meanwhile, and the space can only grow
// until then. Slices never blocks. If nothing is there, or the consumer is closed,
// both slices are empty.
//
// With several consumers a closed one limits the producer until it has given
// its slices back with a [Consumer.Discard], which may be of 0 bytes. Mapped
// memory stays until then.
//
// Copy and discard large amounts in pieces, as with [Producer.Slices].
func (c *Consumer) Slices() (a, b []byte) {
	c.enter()
	a, b = c.filled()
	n := len(a) + len(b)
	if c.lent > 0 || n == 0 {
		c.ring.wakeSoft() // the consumer may be polling
	}
	c.lend(n)
	c.leave()
	return a, b
}

// SlicesAtLeast is like [Consumer.Slices], but it returns the bytes that the
// consumer has seen already if they are n or more, and looks at the producer's
// cursor only otherwise. So it costs less, and may return less than there is. It
// may also return fewer than n bytes, since it never blocks, and the n bytes need
// not lie together. An n that is negative or above the capacity is an error that
// wraps [ErrRange].
func (c *Consumer) SlicesAtLeast(n int) (a, b []byte, err error) {
	if c.lent > 0 || !c.fits(n) && !c.look(n) || c.closed() {
		return c.slicesAtLeast(n)
	}
	seam.Owned(&c.busy)
	c.lent = distance(c.pos, c.limit)
	a, b = c.ring.pieces(c.off, c.lent)
	return a, b, nil
}

// slicesAtLeast is SlicesAtLeast where the short path does not suffice.
func (c *Consumer) slicesAtLeast(n int) (a, b []byte, err error) {
	if err := c.ring.checkRange(n); err != nil {
		return nil, nil, err
	}
	c.enter()
	if !c.closed() {
		a, b = c.ring.pieces(c.off, c.len(n))
	}
	seen := len(a) + len(b)
	if c.lent > 0 || seen < n {
		c.ring.wakeSoft()
	}
	c.lend(seen)
	c.leave()
	return a, b, nil
}

// Discard gives the first n bytes of the filled space back to the producer, and
// with them whatever [Consumer.Slices] or [Consumer.Peek] returned. It panics if
// n is negative or more than is there. On a closed consumer it moves nothing and
// returns io.ErrClosedPipe for any n from 0 on.
func (c *Consumer) Discard(n int) error {
	if !c.fits(n) {
		return c.longDiscard(n)
	}
	if !c.quickMove(n) {
		err := c.lost()
		c.lent = 0 // also on a closed half
		return err
	}
	if c.ring.producer.target.hasWaiter() {
		c.wakeOthers()
	}
	return nil
}

// longDiscard is Discard where the short path does not suffice.
func (c *Consumer) longDiscard(n int) error {
	c.enter()
	if n < 0 || n > c.len(n) && !c.closed() {
		c.leave()
		panic(fmt.Sprintf("bytering: Discard of %d bytes with %d there", n, c.Len()))
	}
	err := c.discard(n)
	c.lent = 0 // also of 0 bytes, or on a closed half
	c.leave()
	return err
}

// IOSlices calls f once with the filled space, 0, 1 or 2 nonempty slices, and
// their total length n. It discards as many bytes as f returns, from the
// beginning on, and returns f's results. IOSlices never blocks: if nothing is
// there f gets no slice, and may count that or do something else. f must not keep
// bufs.
//
// If f returns an error, IOSlices still discards f's count. A count below 0 or
// above n discards nothing, and the error wraps [ErrInvalidCount]. If
// [Consumer.Err] is not nil, f does not run and that is returned. If the consumer
// was closed while f ran, nothing is discarded and the count is 0.
func (c *Consumer) IOSlices(f func(bufs [][]byte, n int) (int, error)) (int, error) {
	c.enter()
	defer c.leave()
	if c.ended() {
		return 0, c.Err()
	}
	a, b := c.filled()
	offered := len(a) + len(b)
	if c.held && offered > 0 {
		c.expose()
	}
	n, err := f(c.bufs.of(a, b), offered)
	if bad := checkCount("the callback", n, offered); bad != nil {
		return 0, joinErrors(bad, err)
	}
	if lost := c.discard(n); lost != nil {
		return 0, joinErrors(lost, err)
	}
	return n, err
}

// TryRead copies what is there into b and returns how many bytes that was. It
// never blocks; 0 with a nil error means that the ring is empty. The error is
// that of [Consumer.Err].
func (c *Consumer) TryRead(b []byte) (n int, err error) {
	if !c.fits(len(b)) && !c.look(len(b)) {
		return c.tryRead(b)
	}
	c.quickGet(b)
	if !c.quickMove(len(b)) {
		return 0, c.lost()
	}
	if c.ring.producer.target.hasWaiter() {
		c.wakeOthers()
	}
	return len(b), nil
}

// tryRead is TryRead where the short path does not suffice.
func (c *Consumer) tryRead(b []byte) (n int, err error) {
	c.enter()
	defer c.leave() // even if writing b faults and that is recovered
	if n, err = c.getAll(b); n == 0 {
		c.ring.wakeSoft() // the consumer may be polling for more
	}
	return n, err
}

// getAll is TryRead inside a call.
func (c *Consumer) getAll(b []byte) (n int, err error) {
	for {
		m, err := c.get(b[n:])
		if n += m; m < largestCopy || n == len(b) {
			if n > 0 {
				err = nil
			}
			return n, err
		}
	}
}

// get is getAll of what is copied at once.
func (c *Consumer) get(b []byte) (int, error) {
	r := c.ring
	want := min(len(b), r.size, largestCopy)
	n := min(want, c.len(want))
	if n == 0 || c.closed() {
		return 0, c.Err()
	}
	seam.TouchRead(r.mem, c.off, n)
	if k := copy(b[:n], r.view[c.off:]); k < n {
		copy(b[k:n], r.view)
	}
	if err := c.discard(n); err != nil {
		return 0, err
	}
	return n, nil
}

// quickGet copies the next bytes into b, which fits on the short path.
func (c *Consumer) quickGet(b []byte) {
	seam.TouchRead(c.ring.mem, c.off, len(b))
	copy(b, c.ring.view[c.off:])
}

// look reloads the limit if the consumer has seen fewer than n bytes, and reports whether
// the short path may then move n. A consumer that reads what was just written has seen
// nothing of it. The producer does without this, because it sees a lot of space at once.
// busy is set because no compare-and-swap finds an overlap here.
func (c *Consumer) look(n int) bool {
	if c.busy || !c.hasShortPath() {
		return false
	}
	c.busy = true
	seam.Owned(&c.busy)
	if c.len(n) >= n {
		c.setQuick()
	}
	c.busy = false
	return c.fits(n)
}

// Read copies what is there into b, up to len(b) bytes, and parks while nothing
// is there. With 0 bytes it returns the error of [Consumer.Err] or
// os.ErrDeadlineExceeded. Read of an empty b never blocks, and returns either
// error like any other.
func (c *Consumer) Read(b []byte) (n int, err error) {
	if c.shared.deadline.Load() != 0 || !c.fits(len(b)) && !c.look(len(b)) {
		return c.read(b)
	}
	c.quickGet(b)
	if !c.quickMove(len(b)) {
		return 0, c.lost()
	}
	if c.ring.producer.target.hasWaiter() {
		c.wakeOthers()
	}
	return len(b), nil
}

// read is Read where it may have to wait, or to end.
func (c *Consumer) read(b []byte) (n int, err error) {
	c.enter()
	defer c.leave()
	if c.overdue() {
		return 0, os.ErrDeadlineExceeded
	}
	for {
		n, err := c.getAll(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		if err := c.await(context.Background(), exactly(1)); err != nil {
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

// Close ends the consumer: the producer's calls fail with io.ErrClosedPipe
// once all consumers are closed, and what was not read is lost. Any goroutine
// may call it at any time; the consumer's running call returns
// io.ErrClosedPipe. It never fails and never blocks, except for the munmap call
// when it releases the last use of mapped memory.
//
// It does not give slices back: on a ring of [NewBroadcast] and on mapped memory,
// after [Consumer.Slices] or [Consumer.Peek], call Discard(0) too, on the
// consumer's own goroutine. Otherwise it still limits the producer, or the memory
// stays.
func (c *Consumer) Close() error { return c.close(nil) }

// CloseWithError is like Close, but the producer gets err instead of
// io.ErrClosedPipe. CloseWithError(nil) is Close. If the consumer is closed
// several times, the first error wins. What Close says about slices applies to it
// too.
func (c *Consumer) CloseWithError(err error) error { return c.close(err) }
