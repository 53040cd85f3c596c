// Package s3 moves a stream of unknown length into an object store that speaks
// the S3 protocol, and an object out of one, in the memory of one ring.
//
//	up, err := s3.Create(ctx, "s3://bucket/key", s3.Options{Memory: 256 << 20})
//	if err != nil {
//		return err
//	}
//	p, c, err := bytering.New(int(up.Plan().Ring()))
//	if err != nil {
//		return err
//	}
//	go func() {
//		_, err := p.ReadFrom(source)
//		p.CloseWithError(err)
//	}()
//	sum, err := up.Drain(ctx, c)
//
// Only the ring holds the stream. Parts are sent from its memory, and read from it
// again if a request fails. The size of a part depends on the memory and is the
// same for all parts of an upload: see [Plan]. A stream of at most one part is
// sent with one PUT. A larger one is a multipart upload, for which
// [async.DrainParts] sends several parts at once.
//
// An object is read with one request, or in ranges, several at once, if its bytes come
// sooner that way: see [Open].
//
// # An upload is complete or it is not there
//
// An upload is completed only if its stream has ended without an error. Otherwise
// the upload stays, with the parts that it has, for [Resume]; with
// [Options.Abort] it is aborted. The [Error] names it. An object that had the key
// before stays until the new one is complete. Without [Options.Overwrite] it is
// not replaced at all.
//
// The response to the last request may be lost, or may be an error although the
// object was made, or may not have its checksum. Then the package looks for the
// object, and compares its size and its checksum. If that does not decide it, the error wraps [ErrUnknown].
//
// # Checksums
//
// Each part is sent with a checksum, CRC64NVME unless [Options.Checksum] selects
// another one. The checksum of the whole object is sent too. A server that
// refuses them gets Content-MD5. The checksums that the server returns are
// compared. If it returns none, [Summary.Verified] is empty.
//
// # Settings
//
// Credentials, the region and the endpoint come from the environment, as with the
// SDKs of Amazon: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN;
// the files in ~/.aws, with AWS_PROFILE, AWS_CONFIG_FILE and
// AWS_SHARED_CREDENTIALS_FILE, also for roles; web identities; containers; and
// finally the metadata of the instance, which must answer within a second.
// AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, AWS_REGION,
// AWS_DEFAULT_REGION and AWS_CA_BUNDLE are read too, and proxies as by package
// net/http. What a profile asks for, and can't be had, is an error.
//
// No error and no logged line contains a secret.
package s3
