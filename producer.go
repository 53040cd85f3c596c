package bytering

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering/internal/seam"
)

// A Producer is the half that fills the ring: it reads from an input into the
// empty space, which only it makes smaller.
//
// A Producer belongs to one goroutine at a time. A call that overlaps another
// is a programming error and panics where that is detected. Only Close,
// CloseWithError, SetWriteDeadline, Disarm, Err, Free, Cap, Consumers, Feeds,
// HugePages and Position may be called by any goroutine at any time.
type Producer struct {
	half
	only     *target // of the consumer, if there is only one
	draining bool    // WaitEmpty is running
	spill    spill

	_ [line]byte // between this half and the next
}

var _ interface {
	io.WriteCloser
	io.StringWriter
	io.ByteWriter
	io.ReaderFrom
} = (*Producer)(nil)

// Cap returns the capacity in bytes.
func (p *Producer) Cap() int { return p.ring.size }

// Position returns how many bytes were ever committed, modulo 1<<63. It only
// grows, until [Reset]. Any goroutine may call it.
func (p *Producer) Position() uint64 { return p.shared.cursor.Load() & cursorMask }

// Consumers returns how many consumers the ring was made with. Any goroutine may
// call it.
func (p *Producer) Consumers() int { return len(p.ring.consumers) }

// Feeds reports whether c is a consumer of the producer's ring, open or closed.
// Any goroutine may call it.
func (p *Producer) Feeds(c *Consumer) bool { return c != nil && c.ring != nil && c.ring == p.ring }

// Free returns how many bytes are free, less those that a ReadFrom has read
// and could not publish yet. For the producer's own goroutine the result can only
// grow until it commits; for others it may be out of date at once. On a ring of
// [NewBroadcast] with no consumer left it is 0, a moment before [Producer.Err]
// reports that. Any goroutine may call it.
func (p *Producer) Free() int {
	write := p.Position()
	at, ok := p.ring.slowest()
	if !ok {
		return 0
	}
	return max(0, p.ring.size-p.ring.filled(at, write)-int(p.ring.spilled.Load()))
}

// Err reports why the producer can make no more progress, or nil if it can.
// After the producer's own Close it is io.ErrClosedPipe. After the last consumer
// closed it is the error given to CloseWithError, or io.ErrClosedPipe; the errors
// of several consumers are joined. An error is final. Any goroutine may call it.
func (p *Producer) Err() error {
	if p.closed() {
		return io.ErrClosedPipe
	}
	if p.ring.openConsumers.Load() == 0 {
		return p.peersErr()
	}
	return nil
}

// ended reports whether Err is not nil.
func (p *Producer) ended() bool { return p.closed() || p.ring.openConsumers.Load() == 0 }

// ready implements side. WaitEmpty goes on after the producer's own Close.
func (p *Producer) ready(n int) bool {
	return p.free(n) >= n || p.ring.openConsumers.Load() == 0 || p.closed() && !p.draining
}

func (p *Producer) goal(n int) uint64 { return (p.pos + uint64(n) - uint64(p.ring.size)) & cursorMask }

// free returns how many bytes are free by the cached limit if they are n or
// more, and otherwise by the consumers' cursors now (I2).
func (p *Producer) free(n int) int {
	if f := distance(p.pos, p.limit); f >= n {
		return f
	}
	if at, ok := p.ring.slowest(); ok {
		p.limit = (at + uint64(p.ring.size)) & cursorMask
	}
	return distance(p.pos, p.limit)
}

// empty returns the whole empty space.
func (p *Producer) empty() (a, b []byte) {
	return p.ring.pieces(p.off, p.free(p.ring.size))
}

// commit publishes n bytes of the empty space (I3, I5).
func (p *Producer) commit(n int) error {
	next := (p.pos + uint64(n)) & cursorMask
	if !p.shared.cursor.CompareAndSwap(p.pos, next) {
		return p.lost()
	}
	if n > 0 {
		p.lent = 0
	}
	p.pos = next
	p.off = p.ring.advance(p.off, n)
	if p.quick -= n; p.quick <= 0 {
		p.setQuick()
	}
	if p.only == nil || p.only.hasWaiter() {
		p.ring.wakeConsumers(next)
	}
	return nil
}

// Slices returns the empty space: a before the wrap and b, which may be empty,
// after it. Both are clipped to their length. Fill them from the beginning of
// a on, and pass to [Producer.Commit] how far. They stay the producer's until it
// commits, whatever is closed meanwhile, and the space can only grow until then.
// After a Close a Commit of 0 bytes gives them back; until then mapped memory
// stays. Slices never blocks. If no space is free, or [Producer.Err] is not nil,
// both slices are empty.
//
// Copy and commit large amounts in pieces of at most 256 KiB, as Write does. On amd64 a
// single copy of 1 MiB or more goes past the caches, and can take 1.5 times as long.
func (p *Producer) Slices() (a, b []byte) {
	p.enter()
	if !p.ended() && p.unspilled() {
		a, b = p.empty()
	}
	p.lend(len(a) + len(b))
	p.leave()
	return a, b
}

// SlicesAtLeast is like [Producer.Slices], but it returns the space that the
// producer has seen already if that is n bytes or more, and looks at the
// consumers' cursors only otherwise. So it costs less, and may return less than
// there is. It may also return fewer than n bytes, since it never blocks, and the n
// bytes need not lie together. An n that is negative or above the capacity is an
// error that wraps [ErrRange].
func (p *Producer) SlicesAtLeast(n int) (a, b []byte, err error) {
	if !p.fits(n) {
		return p.slicesAtLeast(n)
	}
	if p.ended() {
		return nil, nil, nil
	}
	seam.Owned(&p.busy)
	p.lent = distance(p.pos, p.limit)
	a, b = p.ring.pieces(p.off, p.lent)
	return a, b, nil
}

// slicesAtLeast is SlicesAtLeast where the short path does not suffice.
func (p *Producer) slicesAtLeast(n int) (a, b []byte, err error) {
	if err := p.ring.checkRange(n); err != nil {
		return nil, nil, err
	}
	p.enter()
	if !p.ended() && p.unspilled() {
		a, b = p.ring.pieces(p.off, p.free(n))
	}
	p.lend(len(a) + len(b))
	p.leave()
	return a, b, nil
}

// Commit publishes the first n bytes of what [Producer.Slices] returned, and
// gives the rest back. The consumers see them at once. It panics if n is
// negative, or more than Slices has handed out since the last call that
// published something: after a Write, for example, the slices from before it are
// no longer the empty space. On a closed producer Commit publishes nothing and
// returns io.ErrClosedPipe for any n from 0 on. Once all consumers are closed
// Commit returns nil, and the bytes go nowhere: see [Producer.Err].
func (p *Producer) Commit(n int) error {
	if n > p.lent || !p.fits(n) {
		return p.longCommit(n)
	}
	if !p.quickMove(n) {
		err := p.lost()
		p.lent = 0 // also on a closed half
		return err
	}
	if p.only.hasWaiter() {
		p.wakeConsumer()
	}
	p.claimNext(n)
	return nil
}

// longCommit is Commit where the short path does not suffice.
func (p *Producer) longCommit(n int) error {
	p.enter()
	if n < 0 || n > p.lent && !p.closed() {
		lent := p.lent
		p.leave()
		panic(fmt.Sprintf("bytering: Commit of %d bytes with %d handed out", n, lent))
	}
	err := p.commit(n)
	p.lent = 0 // also of 0 bytes, or on a closed half
	p.leave()
	return err
}

// IOSlices calls f once with the empty space, 0, 1 or 2 nonempty slices, and
// their total length n. It publishes as many bytes as f returns, from the
// beginning on, and returns f's results. IOSlices never blocks: if there is no
// space f gets no slice, and may count that or do something else. f must not keep
// bufs.
//
// If f returns an error, IOSlices still publishes f's count. A count below 0 or
// above n publishes nothing, and the error wraps [ErrInvalidCount]. If
// [Producer.Err] is not nil, f does not run and that is returned. If the producer
// was closed while f ran, nothing is published and the count is 0.
func (p *Producer) IOSlices(f func(bufs [][]byte, n int) (int, error)) (int, error) {
	p.enter()
	defer p.leave()
	if p.ended() {
		return 0, p.Err()
	}
	var a, b []byte
	if p.unspilled() {
		a, b = p.empty()
	}
	offered := len(a) + len(b)
	if p.held && offered > 0 {
		p.expose()
	}
	n, err := f(p.bufs.of(a, b), offered)
	if bad := checkCount("the callback", n, offered); bad != nil {
		return 0, joinErrors(bad, err)
	}
	if lost := p.commit(n); lost != nil {
		return 0, joinErrors(lost, err)
	}
	return n, err
}

// TryWrite copies as much of b as fits into the ring and returns how many bytes
// that was. It never blocks; n < len(b) with a nil error means that the ring is
// full. The error is that of [Producer.Err].
func (p *Producer) TryWrite(b []byte) (n int, err error) {
	if !p.fits(len(b)) {
		return p.tryWrite(b)
	}
	if p.ring.openConsumers.Load() == 0 {
		return 0, p.Err()
	}
	p.quickPut(b)
	if !p.quickMove(len(b)) {
		return 0, p.lost()
	}
	if p.only.hasWaiter() {
		p.wakeConsumer()
	}
	p.claimNext(len(b))
	return len(b), nil
}

// tryWrite is TryWrite where the short path does not suffice.
func (p *Producer) tryWrite(b []byte) (n int, err error) {
	p.enter()
	defer p.leave() // even if reading b faults and that is recovered
	for {
		m, err := p.put(b[n:])
		if n += m; m < largestCopy || n == len(b) || err != nil {
			return n, err
		}
	}
}

// put is TryWrite of what is copied at once, inside a call.
func (p *Producer) put(b []byte) (int, error) {
	r := p.ring
	if len(p.spill.rest) > 0 && !p.unspilled() {
		return 0, p.Err()
	}
	if r.openConsumers.Load() == 0 || p.guarded && !p.held {
		return 0, p.Err()
	}
	want := min(len(b), r.size, largestCopy)
	n := min(want, p.free(want))
	if n == 0 {
		return 0, p.Err()
	}
	seam.TouchWrite(r.mem, p.off, n)
	if k := copy(r.view[p.off:], b[:n]); k < n {
		copy(r.view, b[k:n])
	}
	if err := p.commit(n); err != nil {
		return 0, err
	}
	return n, nil
}

// quickPut copies b, which fits on the short path, into the empty space.
func (p *Producer) quickPut(b []byte) {
	seam.TouchWrite(p.ring.mem, p.off, len(b))
	copy(p.ring.view[p.off:], b)
}

// wakeConsumer wakes or notifies the only consumer. It wakes a parked one itself, because
// the calls of wakeOthers would be a part of each round trip.
func (p *Producer) wakeConsumer() {
	p.only.moved(p.pos)
	if p.only.note.Load() != nil {
		p.wakeOthers()
	}
}

// claimNext claims the next block, from the cursor on, if the last n bytes were a small
// chunk and crossed from one block of the memory to another.
func (p *Producer) claimNext(n int) {
	if n <= smallChunk && (p.off^(p.off-n)) >= block {
		p.claim()
	}
}

// smallChunk is the most bytes of what counts as a small chunk.
const smallChunk = 128

// claim writes to each cache line of the block of empty space that begins here, once
// for all the small chunks that will lie there. A line that a consumer on another
// processor has read must come back from there before it can be written. Chunk by
// chunk each compare-and-swap waits for that, but the lines of a block come back
// together: a stream of 64 bytes a chunk took 27 ns a chunk instead of 51.
//
// The bytes do not change. With a pin claim does nothing, because an operation may
// still be filling them (I8).
//
// Inlined it would make each round trip 4 % longer.
//
//go:noinline
func (p *Producer) claim() {
	if p.processors.alone || p.pins > 0 || p.quick < block {
		return
	}
	seam.TouchWrite(p.ring.mem, p.off, block)
	lines := p.ring.view[p.off:][:block]
	for i := 0; i < len(lines); i += cacheLine {
		lines[i] |= nothing
	}
}

// cacheLine is the number of bytes in a cache line of most processors.
const cacheLine = 64

// nothing is 0, which the compiler does not know, so it cannot leave the writes out.
var nothing byte

// Write copies b into the ring and parks while the ring is full. It returns
// how many bytes it published and, if they are fewer than len(b), the error of
// [Producer.Err] or os.ErrDeadlineExceeded. Write of an empty b never blocks, and
// returns either error like any other.
//
// A parked Write sleeps until a quarter of the ring is free, or as much as it
// has left to write, so that a full ring is not refilled byte by byte. While a
// consumer waits for more than it has, one free byte is enough. Only consumers
// free space: the slowest one, by what it reads or discards. A Close of the
// producer or of all consumers also ends the sleep, and so does the deadline.
func (p *Producer) Write(b []byte) (n int, err error) {
	if !p.fits(len(b)) || p.shared.deadline.Load() != 0 {
		return p.write(b)
	}
	if p.ring.openConsumers.Load() == 0 {
		return 0, p.Err()
	}
	p.quickPut(b)
	if !p.quickMove(len(b)) {
		return 0, p.lost()
	}
	if p.only.hasWaiter() {
		p.wakeConsumer()
	}
	p.claimNext(len(b))
	return len(b), nil
}

// write is Write where it may have to wait, or to end.
func (p *Producer) write(b []byte) (n int, err error) {
	p.enter()
	defer p.leave()
	if p.overdue() {
		return 0, os.ErrDeadlineExceeded
	}
	for {
		m, err := p.put(b[n:])
		n += m
		if n == len(b) || err != nil {
			return n, err
		}
		if m > 0 {
			continue
		}
		if err := p.await(context.Background(), demand{need: 1, want: min(len(p.spill.rest)+len(b)-n, p.ring.quarter())}); err != nil {
			return n, err
		}
	}
}

// WriteString is [Producer.Write] of the bytes of s.
func (p *Producer) WriteString(s string) (n int, err error) {
	return p.Write(stringBytes(s))
}

// WriteByte is [Producer.Write] of one byte.
func (p *Producer) WriteByte(c byte) error {
	b := [1]byte{c}
	_, err := p.Write(b[:])
	return err
}

// Close ends the stream: once the consumers have taken what was committed,
// they get io.EOF. Any goroutine may call it at any time; the producer's
// running call returns io.ErrClosedPipe. It never fails and never blocks, except
// for the munmap call when it releases the last use of mapped memory.
//
// It does not give slices back: on mapped memory, after [Producer.Slices], call
// Commit(0) too, on the producer's own goroutine. Otherwise the memory stays.
func (p *Producer) Close() error { return p.close(nil) }

// CloseWithError is like Close, but the consumers get err instead of io.EOF.
// CloseWithError(nil) is Close. If the producer is closed several times, the
// first error wins. What Close says about slices applies to it too.
func (p *Producer) CloseWithError(err error) error { return p.close(err) }
