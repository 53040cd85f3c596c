// Package httprange reads the object at a URL with many range requests at once. It is a
// source for [async.Fill].
//
//	f, err := httprange.Open(ctx, "https://example.com/large")
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	if f.Ranges() {
//		_, err = async.Fill(ctx, p, f, async.Depth(16), async.Retry(httprange.Retry(5)))
//	} else {
//		_, err = p.ReadFrom(f.Stream(ctx, 0))
//	}
//
// The first request is a GET of the first bytes. It is never a HEAD, because presigned
// URLs are signed for GET. Its response gives the length of the object and its
// validator, an ETag or a modification time. Later requests carry a condition: If-Match
// if the ETag is strong, otherwise If-Unmodified-Since. They never carry If-Range,
// because a changed object would then be sent whole. Each response is compared with the
// first. An object without a validator is identified by its length alone.
//
// Without [Ahead] a range is requested when it is read, so that each read waits for a
// response. With it the responses of a source that is read in order come before that.
//
// Connections use HTTP/1.1, so each request in flight has a connection of its own. The
// bytes are those that the server sends; nothing is decompressed.
//
// # Results
//
// The responses of a server have these results:
//
//   - 206 to the first request: the object has ranges if the response gives its
//     length. Otherwise it is read as one stream.
//   - 200 to the first request: the object has no ranges and is read as one stream.
//   - 416 to the first request: the object is empty.
//   - 200 to a later request: [ErrNoRange]. The body is not read.
//   - 412 or 416 to a later request, or a 206 whose validator, length of the object or
//     Content-Encoding differs from the first: [ErrChanged].
//   - A 206 with a range that was not asked for, without a range or with several
//     (multipart/byteranges), or with a body that is longer than its range:
//     [ErrInvalidRange].
//   - A body that is shorter than its range or breaks off: io.ErrUnexpectedEOF or the
//     error of the connection, with the bytes that came. Another attempt continues at
//     the next byte.
//   - 401, 403 or 410 from the target of a redirect: the first URL is requested again,
//     once for each request, and must lead to the same object.
//   - Any other status: a [StatusError] with the time of Retry-After. [Retry] waits for
//     that time, and tries 408, 429 and statuses from 500 on again.
//   - A slow body: it is waited for. Each read of it is an [async.Progress], so
//     [async.Stall] ends a body that pauses for long, but not one that trickles.
//   - Redirects: up to 10 are followed, but none from https to http. Later requests go
//     to the target. Authorization, Cookie and the user of the URL are sent only to the
//     host of the first URL.
//   - Content-Encoding: the bytes are the encoded ones.
//
// No error contains the query or the user of a URL.
package httprange
