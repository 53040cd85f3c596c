// Package bytering is a ring buffer for bytes between one producer and one
// consumer, or several consumers that each see every byte. It has a fixed memory
// and no locks, and is made for moving data between two I/O ends: each half hands
// out its part of the memory as at most two slices, which reads and writes use in
// place.
//
//	p, c, err := bytering.New(64 << 10)
//
//	             off of c            off of p
//	                │                   │
//	  ┌─────────────┼───────────────────┼──────────┐
//	  │   empty b   │      filled a     │  empty a │
//	  └─────────────┴───────────────────┴──────────┘
//	  ▲                                            │
//	  └──────────────────  wrap  ──────────────────┘
//
// # Which calls to use
//
// There are three layers, at different distances from the memory.
//
//   - [Producer.Write], [Consumer.Read] and the other methods of package io's
//     interfaces copy, and park the goroutine until there is space or data. A
//     ring used like this is an [io.Pipe] with a buffer.
//   - [Producer.ReadFrom] and [Consumer.WriteTo] let a reader and a writer work
//     in the ring's memory, and park too. Only the two ends copy a byte.
//   - [Producer.IOSlices] and [Consumer.IOSlices], and Slices with Commit and
//     Discard, give out the memory itself and never block. [Producer.Wait] and
//     [Consumer.Wait] wait for them. [Producer.TryWrite] and [Consumer.TryRead]
//     copy and never block. A loop that also waits for other things uses the
//     channel of [Producer.Ready] and [Consumer.Ready] in a select, or has
//     [Producer.Notify] and [Consumer.Notify] call a function.
//
// They may be mixed. In the long run none of them allocates, except for a small
// record each time that Notify or Ready arms.
//
// A Write or ReadFrom that finds the ring full waits until a quarter of it is free,
// so that a full ring is not refilled byte by byte. While a consumer waits for more
// than it has, one free byte is enough. A consumer counts as waiting if it is
// parked, if Notify or Ready is armed, or if it polls with a TryRead, IOSlices,
// Slices or Discard that moves nothing. A wait for n bytes by Wait, Peek or Notify
// always waits for n bytes. So if both halves wait like that, the producer for n
// free bytes and the consumer for m filled ones, n + m must be at most the capacity
// plus 1: otherwise there may never be that much of both.
//
// A loop that works in place waits, fills and commits until an end:
//
//	func fill(ctx context.Context, p *bytering.Producer, src io.Reader) (err error) {
//		defer func() { p.CloseWithError(err) }() // nil means io.EOF
//		for {
//			if err := p.Wait(ctx, 1); err != nil {
//				return fmt.Errorf("waiting for space: %w", err)
//			}
//			a, _ := p.Slices() // what lies beyond the wrap comes next time
//			n, err := src.Read(a)
//			if err := p.Commit(n); err != nil {
//				return fmt.Errorf("committing: %w", err)
//			}
//			if err == io.EOF {
//				return nil
//			}
//			if err != nil {
//				return fmt.Errorf("reading: %w", err)
//			}
//		}
//	}
//
// Closing a half ends a wait for the ring, but not a call of src, or of a reader
// in ReadFrom. When the other half has failed, end such a call too, with a
// deadline in the past or by closing src.
//
// # Who may call what
//
// A half belongs to one goroutine at a time. Hand it over like any other
// value, with a channel for example. Close, CloseWithError, SetWriteDeadline,
// SetReadDeadline, Disarm and the methods that only look (Err, Free, Len, Cap,
// Limits, Consumers, Feeds, HugePages, Position) may be called by any goroutine
// at any time.
//
// # Panics and errors
//
// A mistake in the text of the program panics: a call that overlaps another on
// the same half, a Commit or Discard of more than there is, a Notify that could
// never run, an Unpin without a Pin. A wrong value that may come out of data is
// an error: a number of bytes for Wait, Peek or SlicesAtLeast, the arguments of
// New and its options, a count that a reader, a writer or a callback returns, the
// halves that Reset is given. The text of an error begins with the name of the
// package that it is from, and the exported errors are wrapped: test for them
// with errors.Is.
//
// # The end of the stream
//
// After the producer's Close the consumer reads what was committed and then
// gets io.EOF. A byte that Write has counted is never lost by the producer's
// Close, whichever goroutine calls it. After the consumer's Close the producer gets
// io.ErrClosedPipe, and what lay in the ring is lost, as in every buffered
// pipe; the difference of both halves' Position says how much that was.
//
// A closed ring whose halves are at rest can be used again: see [Reset].
//
// # Memory
//
// A ring lies on Go's heap, and the garbage collector frees it. [Mapped],
// [Mirror], [HugePages], [Lock], [Prefault] and [File] map memory that the
// collector does not know, and round the capacity up where they must: Cap returns
// the real one. Such memory is unmapped when all halves are closed, none of their
// calls runs, and all slices that they handed out are given back. So close all
// halves, the other side's too, and on a closed half give slices back with a
// Commit or Discard of 0 bytes. After its own Close a half touches no memory, and
// its calls return errors as before. Keep no slice beyond that: on 32-bit
// machines the collector may put memory of its own there, and it ends a process
// in which it then finds a pointer that it does not know.
//
// A mapped ring that is abandoned without a Close is unmapped by the garbage
// collector if Slices, Peek and IOSlices have never handed out any of it.
// Otherwise it stays until the process ends, since a slice in use somewhere does
// not keep mapped memory alive by itself, and a fault in the program would be
// worse. What ReadFrom and WriteTo show to a reader or writer does not count,
// since by their contract those keep nothing. The race detector does not see
// mapped memory: test for races with rings on the heap.
package bytering
