package s3

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	// lastGrace is how long the request that makes the object may continue after
	// the context of the call has ended.
	lastGrace = 10 * time.Second
	// abortGrace is how long to try to abort an upload.
	abortGrace = 30 * time.Second
)

// errWrong is for an object that was made from other bytes.
var errWrong = fmt.Errorf("%w of the object", ErrChecksum)

// put sends the bytes of a and b as the object, in one request.
func (u *Upload) put(ctx context.Context, a, b []byte) (verified string, err error) {
	m := &memory{a: a, b: b}
	defer m.users.Wait()
	n := int64(len(a) + len(b))
	u.parts = []digest{{size: n}}
	both := u.mode()
	both.md5 = true // the ETag may confirm what the sum does not
	d, err := both.digest(m.open)
	if err != nil {
		return "", err
	}
	want := identity{size: n, kind: both.kind, sum: d.sum, mode: fullObject, etag: hex.EncodeToString(d.md5), ours: true}
	return u.last(ctx, want, true, func(ctx context.Context) (minio.UploadInfo, error) {
		s := u.mode()
		put, err := u.c.Options.put()
		if err != nil {
			return minio.UploadInfo{}, err
		}
		sum := ""
		if s.md5 {
			sum = base64Of(d.md5)
		}
		if s.kind != 0 {
			put.UserMetadata[s.kind.Key()] = d.sum
		}
		u.exclusive(&put)
		u.count(n)
		var info minio.UploadInfo
		_, err = u.c.do(ctx, m.open(), func(ctx context.Context) (err error) {
			info, err = u.c.core.PutObject(ctx, u.c.bucket, u.c.key, http.NoBody, n, sum, "", put)
			return err
		})
		return info, err
	})
}

// complete makes the object from the parts.
func (u *Upload) complete(ctx context.Context) (verified string, err error) {
	s := u.mode()
	want := s.identify(u.parts)
	parts := make([]minio.CompletePart, len(u.parts))
	for i, d := range u.parts {
		p := d.minioPart(i+1, s.kind)
		parts[i] = minio.CompletePart{
			PartNumber: p.PartNumber, ETag: p.ETag,
			ChecksumCRC64NVME: p.ChecksumCRC64NVME, ChecksumCRC32C: p.ChecksumCRC32C, ChecksumCRC32: p.ChecksumCRC32,
			ChecksumSHA256: p.ChecksumSHA256, ChecksumSHA1: p.ChecksumSHA1,
		}
	}
	// A server may ignore the condition, and the upload may have taken hours.
	if time.Since(u.again.began) > u.c.fresh {
		u.again.end()
		u.again = u.looks(ctx)
	}
	if err := u.again.wait(ctx); err != nil {
		return "", err
	}
	verified, err = u.last(ctx, want, false, func(ctx context.Context) (minio.UploadInfo, error) {
		put := minio.PutObjectOptions{UserMetadata: map[string]string{}}
		if want.sum != "" && whole(s.kind) {
			put.UserMetadata[s.kind.Key()] = want.sum
			put.UserMetadata["x-amz-checksum-type"] = want.mode
		}
		u.exclusive(&put)
		var info minio.UploadInfo
		_, err := u.c.do(ctx, nil, func(ctx context.Context) (err error) {
			info, err = u.c.core.CompleteMultipartUpload(ctx, u.c.bucket, u.c.key, u.id, parts, put)
			return err
		})
		return info, err
	})
	if err == nil && verified == "" && u.confirmed == len(u.parts) {
		verified = s.String() + " of each part"
	}
	if err == nil || errors.Is(err, errWrong) {
		u.id = "" // nothing is left of the upload
	}
	return verified, err
}

// exclusive adds the condition that no object exists.
func (u *Upload) exclusive(put *minio.PutObjectOptions) {
	if u.condition {
		put.SetMatchETagExcept("*")
	}
}

// last sends the request that makes the object, and repeats it until the outcome is
// known. If the response is lost, or is an error although the object was made, last
// looks for the object. It returns the name of the checksum that confirms the
// bytes, or "".
func (u *Upload) last(ctx context.Context, want identity, small bool, request func(context.Context) (minio.UploadInfo, error)) (verified string, err error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	ctx, cancel := grace(ctx, lastGrace)
	defer cancel()
	maybe, unknown := false, false // a request may have taken effect; the last look did not tell
	err = u.c.try(ctx, func(ctx context.Context) error {
		for {
			s := u.mode()
			info, err := request(ctx)
			if err == nil && info.ETag == "" {
				err = errNoAnswer
			}
			if err == nil {
				v, by := want.compare(answered(info, want.size))
				if v == other {
					return fmt.Errorf("%w: the server has %s", errWrong, checksum(info, want.kind))
				}
				if by != "" {
					verified = by
					return nil
				}
				verified, err = u.confirm(ctx, want)
				return err
			}
			if refused(err) {
				switch {
				case small && u.simplify(s):
					continue
				case u.condition:
					u.condition = false
					u.c.log("%s: the server refuses If-None-Match: an object that is made meanwhile is replaced", u.c.name)
					if err := u.vacant(ctx); err != nil {
						return err
					}
					continue
				}
			}
			exists := status(err) == http.StatusPreconditionFailed
			lost := transient(err) || errors.Is(err, ErrStalled) || code(err) == "NoSuchUpload"
			if exists && !maybe {
				return fmt.Errorf("%w: it was made meanwhile", ErrExists)
			}
			if !exists && !lost {
				return err
			}
			maybe = true
			f, failed := u.c.look(ctx)
			v, by := want.compare(f)
			switch unknown = failed != nil || v == unclear; {
			case unknown:
				return err
			case v == same:
				verified = by
				return nil
			case exists:
				return fmt.Errorf("%w: it was made meanwhile", ErrExists)
			}
			return err
		}
	})
	if err != nil && unknown {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return verified, err
}

// confirm compares an object that the server says it has made, without a checksum that
// shows it.
func (u *Upload) confirm(ctx context.Context, want identity) (verified string, err error) {
	f, err := u.c.look(ctx)
	if err != nil {
		return "", nil // the credentials may allow writes and no reads
	}
	v, by := want.compare(f)
	switch {
	case v == other && !f.exists:
		return "", fmt.Errorf("%w: the server confirmed the object, but does not have it", ErrUnknown)
	case v == other:
		return "", fmt.Errorf("%w: it has %d bytes with %s, sent were %d with %s", errWrong, f.Size, f.Checksum(want.kind), want.size, want.sum)
	}
	return by, nil
}

// answered returns what a response reports of an object.
func answered(i minio.UploadInfo, size int64) found {
	return found{exists: true, ObjectInfo: minio.ObjectInfo{
		Size: size, ETag: i.ETag, ChecksumMode: i.ChecksumMode,
		ChecksumCRC64NVME: i.ChecksumCRC64NVME, ChecksumCRC32C: i.ChecksumCRC32C, ChecksumCRC32: i.ChecksumCRC32,
		ChecksumSHA256: i.ChecksumSHA256, ChecksumSHA1: i.ChecksumSHA1,
	}}
}

// checksum returns the checksum of the kind in a response.
func checksum(i minio.UploadInfo, kind minio.ChecksumType) string {
	return answered(i, 0).Checksum(kind)
}

// abort aborts the upload. Parts in flight may arrive after an abort, so it is
// repeated until the server does not know the upload any more.
func (u *Upload) abort(ctx context.Context) error {
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortGrace)
	defer cancel()
	for range 5 {
		err := u.c.try(ctx, func(ctx context.Context) error {
			_, err := u.c.do(ctx, nil, func(ctx context.Context) error {
				return u.c.core.AbortMultipartUpload(ctx, u.c.bucket, u.c.key, u.id)
			})
			if gone(err) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		if _, err := u.c.parts(ctx, u.id); gone(err) {
			u.id = ""
			return nil
		}
	}
	return fmt.Errorf("the server still has the upload %s", u.id)
}

// gone reports whether err is a response that there is no such upload.
func gone(err error) bool {
	return code(err) == "NoSuchUpload" || status(err) == http.StatusNotFound
}
