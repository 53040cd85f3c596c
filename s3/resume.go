package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Resume returns an upload that continues the one with the ID id. If id is empty,
// it continues the only upload of the key. If the key has no upload, Resume logs
// that and returns a new upload, as [Create] does.
//
// The stream must come again from its beginning. Parts that the server has are
// compared with it by their checksums, and are not sent. If one differs,
// [Upload.Drain] returns an error that wraps [ErrDiffers], and nothing is
// overwritten. The parts keep the size that the upload began with.
//
// If the key has several uploads and id is empty, the error wraps [ErrSeveral] and
// lists them. If a part has no checksum, the error wraps [ErrNotComparable].
func Resume(ctx context.Context, object, id string, o Options) (*Upload, error) {
	u, err := newUpload(object, o)
	if err != nil {
		return nil, err
	}
	u.probe(ctx)
	u.first = u.looks(ctx)
	if err := u.resume(ctx, id); err != nil {
		u.first.end()
		return nil, u.c.fail(opOpen, err, 0, id)
	}
	return u, nil
}

func (u *Upload) resume(ctx context.Context, id string) error {
	if err := u.first.wait(ctx); err != nil {
		return err
	}
	if id == "" {
		all, err := u.c.uploads(ctx)
		switch {
		case err != nil:
			return err
		case len(all) == 0:
			u.c.log("%s: there is no upload to resume: it begins anew", u.c.name)
			return u.planFor(0)
		case len(all) > 1:
			lines := make([]string, len(all))
			for i, m := range all {
				lines[i] = fmt.Sprintf("--resume=%s of %s", m.UploadID, m.Initiated.Format(time.DateTime))
			}
			return fmt.Errorf("%w: %s", ErrSeveral, strings.Join(lines, ", "))
		}
		id = all[0].UploadID
	}
	l, err := u.c.parts(ctx, id)
	if err != nil {
		return err
	}
	u.id, u.listed = id, map[int]minio.ObjectPart{}
	for _, p := range l.parts {
		if p.PartNumber < 1 || p.Size < 1 {
			return fmt.Errorf("the upload %s has a part %d of %d bytes", id, p.PartNumber, p.Size)
		}
		if u.sumsOf(p) == (sums{}) {
			return fmt.Errorf("%w: part %d of the upload %s has the ETag %s and no checksum", ErrNotComparable, p.PartNumber, id, p.ETag)
		}
		u.listed[p.PartNumber] = p
		u.order = append(u.order, p.PartNumber)
	}
	u.sums = l.sums
	if l.sums.kind != 0 {
		u.sums.md5 = u.c.ContentMD5
	}
	return u.planFor(u.c.partSize(l.parts))
}

// uploads lists the uploads of the key.
func (c *client) uploads(ctx context.Context) (all []minio.ObjectMultipartInfo, err error) {
	for keyMarker, idMarker := "", ""; ; {
		var page minio.ListMultipartUploadsResult
		err := c.try(ctx, func(ctx context.Context) error {
			_, err := c.do(ctx, nil, func(ctx context.Context) (err error) {
				page, err = c.core.ListMultipartUploads(ctx, c.bucket, c.key, keyMarker, idMarker, "", c.page)
				if err == nil && page.Bucket != c.bucket {
					err = errNoAnswer
				}
				return err
			})
			return err
		})
		if code(err) == "NoSuchUpload" { // some servers answer this if there are none
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, m := range page.Uploads {
			if m.Key == c.key {
				all = append(all, m)
			}
		}
		if !page.IsTruncated || page.NextKeyMarker == keyMarker && page.NextUploadIDMarker == idMarker {
			return all, nil
		}
		keyMarker, idMarker = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

// A listing is the parts of an upload, and the sums that it began with.
type listing struct {
	parts []minio.ObjectPart // by number
	sums  sums
}

// parts lists the parts of an upload, in pages.
func (c *client) parts(ctx context.Context, id string) (l listing, err error) {
	l.sums = sums{md5: true}
	for marker := 0; ; {
		var page minio.ListObjectPartsResult
		err := c.try(ctx, func(ctx context.Context) error {
			_, err := c.do(ctx, nil, func(ctx context.Context) (err error) {
				page, err = c.core.ListObjectParts(ctx, c.bucket, c.key, id, marker, c.page)
				if err == nil && page.UploadID != id {
					err = errNoAnswer
				}
				return err
			})
			return err
		})
		if err != nil {
			return l, err
		}
		for _, p := range page.ObjectParts {
			p.ETag = strings.Trim(p.ETag, `"`)
			l.parts = append(l.parts, p)
		}
		if kind, ok := kinds[strings.ToLower(page.ChecksumAlgorithm)]; ok {
			if page.ChecksumType == composite {
				kind = kind.Base()
			}
			l.sums = sums{kind: kind}
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= marker {
			slices.SortFunc(l.parts, func(a, b minio.ObjectPart) int { return a.PartNumber - b.PartNumber })
			return l, nil
		}
		marker = page.NextPartNumberMarker
	}
}

// partSize returns the size of the parts of an upload, or 0 if the parts do not show
// it. It is the size of the largest part. But the last part is smaller, and so is a
// part of a request that was late, so a single part of an odd size shows nothing.
func (c *client) partSize(parts []minio.ObjectPart) (n int64) {
	times := 0
	for _, p := range parts {
		switch {
		case p.Size > n:
			n, times = p.Size, 1
		case p.Size == n:
			times++
		}
	}
	if times == 1 && n%c.unit != 0 {
		return 0
	}
	return n
}

// sumsOf returns the sums that a part can be compared by.
func (u *Upload) sumsOf(p minio.ObjectPart) sums {
	for _, kind := range kinds {
		if p.Checksum(kind) != "" {
			return sums{kind: kind.Base()}
		}
	}
	return sums{md5: md5Of(p.ETag) != nil}
}

// recognise compares an earlier part with the n bytes that now come in its place.
// It reports whether the server already has them. If an earlier source broke off,
// its last part is shorter; it is sent again if it is the beginning of this one.
func (u *Upload) recognise(old minio.ObjectPart, open func() io.ReadCloser, n int64) (d digest, there bool, err error) {
	by := u.sumsOf(old)
	if n < old.Size {
		return d, false, fmt.Errorf("%w with part %d of %d bytes", errShort, old.PartNumber, old.Size)
	}
	cut := func() io.ReadCloser {
		r := open()
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r, old.Size), r}
	}
	if d, err = by.digest(cut); err != nil {
		return d, false, err
	}
	if by.kind != 0 && d.sum == old.Checksum(by.kind) || by.kind == 0 && bytes.Equal(d.md5, md5Of(old.ETag)) {
		if old.Size < n {
			return d, false, nil
		}
		// The sum of the whole is of the kind that the upload began with.
		if s := u.mode(); s != by {
			if d, err = s.digest(open); err != nil {
				return d, false, err
			}
		}
		d.etag = old.ETag
		return d, true, nil
	}
	return d, false, fmt.Errorf("%w in part %d, of %d bytes", ErrDiffers, old.PartNumber, old.Size)
}

// errShort is for a stream that has ended before the upload does.
var errShort = fmt.Errorf("%w: it has ended, and the upload goes on", ErrDiffers)

// beyond returns an error if the upload has parts after the first n, which are
// all that the stream has.
func (u *Upload) beyond(n int) error {
	for number, p := range u.listed {
		if number > n {
			return fmt.Errorf("%w with part %d of %d bytes", errShort, number, p.Size)
		}
	}
	return nil
}
