// Package httprange reads what an HTTP server has at a URL with many requests for
// ranges at once: it is a source for [async.Fill].
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
// The first request is a GET of the first bytes, never a HEAD, because a URL that
// is signed is signed for GET. Its answer says what the object is: its length,
// and its validator, an ETag or a time of modification. Later requests are made
// on the condition that it is the same, by If-Match if the ETag is strong, and
// otherwise by If-Unmodified-Since; never by If-Range, whose answer to a change
// is a whole other object. What each of them returns is held against the first.
//
// An object without a validator is known by its length alone.
//
// Connections are those of HTTP/1.1, one for each request at once, and the bytes
// are as the server sends them: nothing is decompressed.
//
// # Results
//
// What a server may answer, and what comes of it:
//
//   - 206 to the first request: ranges, if it says the length. Otherwise the
//     object is read as one stream.
//   - 200 to the first request: no ranges. The object is read as one stream.
//   - 416 to the first request: an empty object.
//   - 200 to a later request: [ErrNoRange]. Its body is not read.
//   - 412 or 416 to a later request, or a 206 with another validator, length of the
//     object or Content-Encoding than the first: [ErrChanged].
//   - a 206 with another range than was asked for, without a range, or of several
//     (multipart/byteranges), and a body that is longer than its range:
//     [ErrInvalidRange].
//   - a body that is shorter, or breaks off: io.ErrUnexpectedEOF or what the
//     connection returned, with the bytes that came. Another attempt goes on at
//     the next byte.
//   - 401, 403 or 410 from where a redirect led: the first URL is asked again,
//     once for each request, and must lead to the same object.
//   - any other status: a [StatusError], with what Retry-After says. [Retry] waits
//     for so long, and tries 408, 429 and those from 500 on again.
//   - a body that comes slowly is waited for. Each of its reads is [async.Progress]:
//     [async.Stall] does not end a byte a second, and does end a second of nothing.
//   - redirects: up to 10 are followed, none from https to http. Later requests go
//     where they led. Authorization, Cookie and a user in the URL are for the host
//     of the first URL only.
//   - Content-Encoding: the bytes are those of the encoding.
//
// No error has the query of a URL in it, or its user.
package httprange
