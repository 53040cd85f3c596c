// Package pump moves a stream from a source to a sink through a ring, reading
// and writing at the same time: what io.Copy does by turns.
//
//	stats, err := pump.Copy(ctx, dst, src)
//
// While the source is slow the sink works off what was read, and the other way
// round. Both ends use readv and writev where package vectored has them for
// their type, straight into and out of the ring. A [context.Context] ends it,
// and an [Error] says which side failed, where, and how many bytes are safe.
//
// [Copy] moves one stream, [Relay] both streams between two connections, with
// half-close. A [Meter] looks on while they run.
//
// # Interruption
//
// A call that waits in the source or the sink is ended by a deadline in the
// past, so they can be interrupted if they have SetReadDeadline or
// SetWriteDeadline and those work: connections, and pipes and terminals that
// package os has opened itself in non-blocking mode. Deadlines that were set
// before are cleared by that. An end that is in no call when it is stopped keeps
// its own. What a connection of TLS can't do after a write that timed out, it
// can't do after one that was interrupted: write.
//
// Files, and an inherited standard input or output, can't be interrupted. When
// the other side has failed or the context has ended, such a call gets a quarter
// of a second to come back by itself, as those of files do. Then it is left
// behind on its goroutine. What a read that was left behind still takes from the
// source is discarded; what a write still puts into the sink is in
// [Error].Pending. A deadline that it does not obey is cleared once it is back,
// and a panic in it ends the process.
//
// # Direct I/O
//
// With [Direct] what moves whole blocks of a file does so with O_DIRECT, past
// the page cache. Offset, length and the address of the memory must then be
// multiples of the file's block: what the system says it is, as of Linux 6.1
// and for most file systems, else 4096 bytes. An end that is a regular file or a
// block device, as an [os.File], is direct from its offset on, or from its end if
// it was opened for appending:
//
//   - The way to the next block, where the offset is within one, and the end of
//     the stream behind the last whole block are buffered: the flag is cleared
//     for them.
//   - Writes wait for a whole block, so that a trickle arrives block by block.
//   - The ring's memory is in step with one file. A second one whose offset is
//     elsewhere in its block, as after another file of odd size was written to it,
//     runs buffered.
//   - Where the file system refuses the flag, or later a call with it, that end
//     runs buffered from there on, and nothing is lost.
//
// A ring that is given with [Ring] must be empty, have one consumer, and hold at
// least two blocks, in a multiple of them; make it with [bytering.Align] of a
// block, and 64 KiB is one of all devices. Its halves' Position is moved on by
// less than a block before the first byte. Else both ends run buffered.
//
// The flag belongs to all who share the descriptor, as the processes of a
// shell's redirection do: one at a time should use Direct on it. It is as it was
// when Copy returns, but for a call that was left behind: then it is when that is
// back.
package pump
