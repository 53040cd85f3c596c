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
// before are cleared by that; while nothing interrupts, none is touched. What a
// connection of TLS can't do after a write that timed out, it can't do after one
// that was interrupted: write.
//
// Files, and an inherited standard input or output, can't be interrupted. When
// the other side has failed or the context has ended, such a call gets a quarter
// of a second to come back by itself, as those of files do. Then it is left
// behind on its goroutine. What a read that was left behind still takes from the
// source is discarded; what a write still puts into the sink is in
// [Error].Pending. A deadline that it does not obey is cleared once it is back,
// and a panic in it ends the process.
package pump
