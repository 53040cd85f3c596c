// Package async moves a stream with many reads or writes in flight at once, over
// one ring: in order, and in memory that does not grow.
//
//	p, c, err := bytering.New(17 * 256 << 10)
//	go func() {
//		_, err := async.Fill(ctx, p, object, async.Depth(16))
//		p.CloseWithError(err)
//	}()
//	_, err = c.WriteTo(os.Stdout)
//
// A source with latency, such as an object store, SFTP or a network disk, is slow
// if one operation waits for the one before it. [Fill] keeps [Depth] reads of
// [Block] bytes in flight, each into its own place in the ring, and commits what
// is complete from the beginning on. [Drain] is its mirror image for a sink that
// takes bytes at any offset, and [DrainParts] for one that takes numbered parts,
// such as a multipart upload.
//
// A slow operation at the head holds the commits back. Meanwhile others finish,
// and more are begun, until the ring is full: that is the bound. No operation has
// a buffer of its own, and in the long run Fill and Drain allocate nothing for a
// block, except for what the source or sink does. The ring's memory is pinned
// while operations use it (see [bytering.Producer.Pin]), whoever closes what.
//
// A ring of a capacity that is a multiple of [Block], from its beginning on, never
// cuts a block in two at the wrap. Otherwise such a block takes two operations,
// one after the other, unless the ring is mirrored.
//
// The calls block. They run their operations on goroutines of their own, which
// have ended when the call returns.
package async
