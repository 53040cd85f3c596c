// Package pump moves a stream from a source to a sink through a ring, reading and
// writing at the same time, where io.Copy alternates between the two.
//
//	stats, err := pump.Copy(ctx, dst, src)
//
// While the source is slow, the sink writes what was read before. While the sink
// is slow, the source reads ahead. Both ends use readv and writev where package
// vectored supports their type, directly into and out of the ring. A
// [context.Context] can stop the copy. An [Error] says which side failed, where,
// and how many bytes are safe.
//
// [Copy] moves one stream. [Relay] moves the two streams between two connections,
// with half-close, and has a short way for messages. A [Meter] shows their progress
// while they run.
//
// # Memory
//
// While nothing flows a copy has no ring, and one goroutine in addition to its
// caller's: an idle Relay takes three goroutines, and about 20 KiB of heap and
// stack. A connection, or another source that can report that it would block, waits
// without a buffer. Any other source waits in a read of up to 512 bytes. When bytes
// come, the copy takes a ring from a [Pool]. It gives the ring back when all bytes
// are written and the source waits again. A stream begins in a ring of 64 KiB. It
// continues in a larger one, up to [Capacity], while the source fills what it is
// offered, or while the sink is behind.
//
// Copies share a Pool, by default one without a limit. With [WithPool] and
// [NewPool] a program limits the memory of all its rings. At the limit a stream
// moves through 512 bytes of its own until there is a ring.
//
// A copy keeps one ring from its beginning to its end in these cases: the ring
// is given with [Ring]; with [Direct]; with [Splice] between two pipes; and if the
// source has messages or records (see BoundaryOf of package vectored), unless it is a
// pipe.
//
// The memory of a Pool's rings is not cleared between copies. A source is offered
// memory that may hold bytes of another stream, which a correct source does not
// use: see [Pool].
//
// # Interruption
//
// A call that blocks in the source or the sink is interrupted by a deadline in
// the past. This works for ends that have SetReadDeadline or SetWriteDeadline and
// support it: connections, and pipes and terminals that package os itself opened
// in non-blocking mode. Copy clears a deadline that it has set, and so it removes
// one that was set before. An end that is not in a call when it is stopped keeps
// its deadline. A TLS connection whose
// write was interrupted can't be written to again, as after any write that timed
// out.
//
// Files can't be interrupted, nor can an inherited standard input or output. When
// the other side has failed or the context has ended, such a call gets a quarter
// of a second to return by itself, as calls on files do. After that it is left
// behind on its goroutine. What a read that was left behind still takes from the
// source is discarded. What a write that was left behind may still put into the
// sink is counted in [Error].Pending. If a call left behind did not obey its
// deadline, the deadline is removed once the call returns. If it panics, the
// process ends.
//
// # Direct I/O
//
// With [Direct], whole blocks of a file are moved with O_DIRECT, bypassing the
// page cache. Offset, length and memory address must then be multiples of the
// file's block: the size that the system reports, as Linux does since 6.1 for
// most file systems, or otherwise 4096 bytes. An end that is a regular file or a
// block device, as an [os.File], is direct from its offset on, or from its end if
// it was opened for appending:
//
//   - What lies before the first whole block, if the offset is within a block,
//     and what follows the last whole block are buffered: the flag is cleared for
//     them.
//   - Writes wait for a whole block, so slow input arrives block by block.
//   - The ring's memory is aligned with one file. If the other file's offset is
//     elsewhere in its block, as after another file of odd size was written to
//     it, that end runs buffered.
//   - If the file system refuses the flag, or later a call with it, that end runs
//     buffered from there on. Nothing is lost.
//
// A ring that is given with [Ring] must be empty, have one consumer, and have a
// capacity that is a multiple of the block and at least two blocks. Make it with
// [bytering.Align] of a block; 64 KiB suits all devices. The Position of its
// halves advances by less than a block before the first byte. If the ring does
// not qualify, both ends run buffered.
//
// The flag is shared by all processes and goroutines that use the same open file,
// such as the processes of a shell's redirection. Only one of them at a time
// should use Direct on it. When Copy returns the flag is as it was before, except
// for a call that was left behind: then it is restored when that call returns.
package pump
