// Package async moves a stream through a ring with many reads or writes in flight at
// once, in order and in memory that does not grow.
//
//	p, c, err := bytering.New(17 * 256 << 10)
//	go func() {
//		_, err := async.Fill(ctx, p, object, async.Depth(16))
//		p.CloseWithError(err)
//	}()
//	_, err = c.WriteTo(os.Stdout)
//
// A source with latency, such as an object store, SFTP or a network disk, is slow if
// each operation waits for the one before it. [Fill] keeps [Depth] reads of [Block]
// bytes in flight, each into its own place in the ring, and commits the prefix of the
// stream that is complete. [Drain] is the mirror image for a sink that takes bytes at
// any offset. [DrainParts] is for a sink that takes numbered parts, such as a multipart
// upload.
//
// A slow operation at the head delays the commits. Meanwhile others finish, and more
// are begun, until the ring is full; so the ring bounds how many bytes can be out of
// order. No operation has a buffer of its own. In the long run Fill and Drain allocate
// nothing for a block, apart from what the source or sink allocates. The ring's memory
// is pinned while operations use it, even after a Close: see [bytering.Producer.Pin].
//
// If the capacity of a new ring is a multiple of Block, no block is cut in two where
// the ring wraps. Otherwise such a block takes two operations, one after the other,
// unless the ring is mirrored.
//
// The calls block. They run their operations on goroutines of their own, which have
// ended when the call returns.
package async
