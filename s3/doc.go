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
// The ring is the buffer of the parts, and what is read again if a request
// fails: nothing else holds the stream. The size of a part follows from the memory
// and is the same for all of an upload: see [Plan]. A stream of at most one part
// is one PUT. A larger one is a multipart upload, whose parts are sent several at
// once by [async.DrainParts].
//
// An object is read by ranges, several at once: see [Open].
//
// # An upload is complete or it is not there
//
// Only a stream that has ended without an error is completed. After anything else
// the upload stays, with the parts that it has, for [Resume]; or it is aborted if
// [Options] says so. The [Error] names it. The object that had the key before is
// there until the new one is complete, and without [Options.Overwrite] it is not
// replaced at all.
//
// An answer to the last request may be lost, or be an error where the object has
// come into being. Then the package looks for the object, compares its size and
// its checksum, and decides by that. If it cannot, the error wraps [ErrUnknown].
//
// # Checksums
//
// Each part is sent with a checksum, CRC64NVME unless [Options.Checksum] says
// otherwise, and so is that of the whole object. A server that refuses them gets
// Content-MD5. What a server answers is compared. A server may confirm nothing:
// [Summary.Verified] says so.
//
// # Settings
//
// Credentials, the region and the endpoint are those of the environment, as the
// SDKs of Amazon have them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN; the files in ~/.aws, with AWS_PROFILE, AWS_CONFIG_FILE and
// AWS_SHARED_CREDENTIALS_FILE; web identities; containers; and at last the
// metadata of the instance, which has one second to answer. AWS_ENDPOINT_URL_S3,
// AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION and AWS_CA_BUNDLE are read too,
// and proxies as by package net/http.
//
// No error and no line has a secret in it.
package s3
