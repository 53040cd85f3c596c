// Package bytering is a ring buffer for bytes between one producer and one
// consumer, or several that each see every byte. It has a fixed memory, no
// locks, and is made for moving data between two I/O ends: each half hands out
// its part of the memory as at most two slices, which reads and writes use in
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
// Three layers do the same at different distances from the memory.
//
//   - [Producer.Write], [Consumer.Read] and the rest of the interfaces of package io
//     copy, and park the goroutine until there is space or data. A ring used
//     so is an [io.Pipe] with a buffer.
//   - [Producer.ReadFrom] and [Consumer.WriteTo] let a reader and a writer work
//     in the ring's memory, and park too. Each byte is copied by the two ends only.
//   - [Producer.IOSlices] and [Consumer.IOSlices], and Slices with Commit and
//     Discard, give the memory itself and never wait. [Producer.Wait] and
//     [Consumer.Wait] are the waiting for them. [Producer.TryWrite] and
//     [Consumer.TryRead] copy and never wait. Loops that wait for other things
//     too use the channel of [Producer.Ready] and [Consumer.Ready] in a select, or
//     have [Producer.Notify] and [Consumer.Notify] call a function.
//
// They may be mixed. None of them allocates in the long run, except for a small
// record each time that Notify or Ready arms.
//
// A Write or ReadFrom that finds the ring full waits until a quarter of it is
// free, so that a full ring is not refilled byte by byte. While a consumer waits
// for more than it has, one free byte is enough, whether the consumer is parked, is
// to be notified, or looks again and again by a TryRead, IOSlices, Slices or Discard
// that moves nothing. A wait for n bytes, by Wait, Peek or Notify,
// waits for n bytes in any case. So if both halves wait like that, the producer
// for n free bytes and the consumer for m filled ones, n + m must be at most the
// capacity plus 1: otherwise there may never be so much of both.
//
// A loop that works in place waits, fills and commits, until an end:
//
//	for {
//		if err := p.Wait(ctx, 1); err != nil {
//			return err // also that all consumers are closed
//		}
//		a, _ := p.Slices()
//		n, err := src.Read(a)
//		if e := p.Commit(n); e != nil {
//			return e
//		}
//		if err != nil {
//			return err
//		}
//	}
//
// Its caller then closes p with that error. Closing a half ends a wait for the
// ring, not a call of src or of a reader in ReadFrom: when the other half has
// failed, end that too, with a deadline in the past or by closing src.
//
// # Who may call what
//
// A half belongs to one goroutine at a time; hand it over as any other
// value, with a channel for example. Close, CloseWithError, SetWriteDeadline,
// SetReadDeadline, Disarm and the methods that only look (Err, Free or Len,
// Cap, Consumers, Feeds, HugePages, Position) may be called by any goroutine at any time.
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
// collector does not know, and round the capacity up where they must: Cap says
// the real one.
// Such memory is unmapped when all halves are closed, no call of theirs runs,
// and what they handed out is back. So close all halves, the other one's too,
// and on a half that is closed give slices back with a Commit or Discard of 0
// bytes. After its own Close a half touches no memory, and its calls return
// errors as ever. Keep no slice beyond that: on machines of 32 bits the collector
// may put memory of its own there, and ends a process in which it then finds a
// pointer that is not its own.
//
// A mapped ring that is abandoned, not closed, is unmapped by the garbage
// collector if neither Slices, Peek nor IOSlices have ever handed out any of
// it. Else it stays until the process ends, since a slice in use somewhere does
// not keep mapped memory alive by itself, and a fault in the program would be
// worse. What ReadFrom and WriteTo show to a reader or writer does not count:
// by their contract those keep nothing. The race detector does not see mapped
// memory: test for races with rings on the heap.
//
// # Invariants
//
// The code cites these by number.
//
//   - I1: the filled count is write − read modulo 1<<63, and at every instant
//     at least 0 and at most the capacity, also when a cursor comes round.
//   - I2: each cursor is advanced by its half alone. A half keeps its own
//     cursor and offset in plain fields, and the other's as a cached limit
//     that it loads again only when the limit is not enough.
//   - I3: bytes are touched before the cursor that hands them over is stored,
//     never after.
//   - I4: what a half has seen only gets better by itself. Empty space that
//     the producer has seen can only grow until it commits, filled space that
//     a consumer has seen can only grow until it discards.
//   - I5: closed is a bit of the cursor's own word, and a commit is a
//     compare-and-swap that fails once it is set. So one load tells both how
//     far and whether that is all, the end is final, and what was committed
//     before it is delivered.
//   - I6: no wake is lost. Who wakes changes the state, then disarms the
//     target with a compare-and-swap, then sends a token. Who waits arms, then
//     looks again at all that can wake it (the other's cursor, the closed bits
//     of both halves, the deadline), then sleeps, also under ctx, then loops: a
//     spurious token is legal. Who would be notified does the same with a note
//     in place of the target, and its function in place of the token, except
//     that it never runs for nothing.
//   - I7: a count from outside, from a callback, a reader or a writer, is
//     checked against what was offered before a cursor moves.
//   - I8: memory that a half has handed out stays that half's until it is
//     committed or discarded, whoever closes what meanwhile. It is neither
//     overwritten nor unmapped. While the half is pinned, a commit or discard of
//     a part of it leaves the rest so.
//
// They rest on Go's memory model, in which the operations of sync/atomic are
// sequentially consistent (https://go.dev/ref/mem#atomic). The halves' cursors
// that only grow and the cached limits are those of the crates bytering and
// rtrb in Rust, and older than both: Lamport's queue of 1983, and FastForward
// and MCRingBuffer after it.
package bytering
