package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/bytering/bytering/async"
	"github.com/minio/minio-go/v7"
)

// partWriter has WritePart, so that it is not an exported method of Upload.
type partWriter struct{ u *Upload }

// WritePart sends a part, unless it was sent before.
func (w partWriter) WritePart(ctx context.Context, p *async.Part) error {
	u, number := w.u, p.Index+1
	if number > u.plan.MaxParts {
		return fmt.Errorf("%w: %d of %s are %s: give --size or -m", ErrLimit, u.plan.MaxParts, size(u.plan.Part), size(u.plan.Limit()))
	}
	if p.Last && u.again == nil {
		u.again = u.looks(ctx)
	}
	open := func() io.ReadCloser { return p.Open() }
	if old, ok := u.listed[number]; ok {
		d, there, err := u.recognise(old, open, p.Len)
		if err != nil {
			return err
		}
		if there {
			u.keep(number, d, true)
			return nil
		}
	}
	if err := u.agree(ctx, number); err != nil {
		return err
	}
	return u.send(ctx, number, p.Len, open)
}

// begin begins a multipart upload. If ctx ends meanwhile, begin waits a little for the
// response, so that the ID of the upload is known.
func (u *Upload) begin(ctx context.Context) error {
	longer, cancel := grace(ctx, 5*time.Second)
	defer cancel()
	for {
		s := u.mode()
		put, err := u.c.Options.put()
		if err != nil {
			return err
		}
		if s.kind != 0 {
			put.UserMetadata["x-amz-checksum-algorithm"] = s.kind.String()
			put.UserMetadata["x-amz-checksum-type"] = mode(s.kind)
		}
		var id string
		_, err = u.c.do(longer, nil, func(ctx context.Context) (err error) {
			id, err = u.c.core.NewMultipartUpload(ctx, u.c.bucket, u.c.key, put)
			return err
		})
		switch {
		case err == nil && id == "":
			return errNoAnswer
		case err == nil:
			u.id = id
			return nil
		case !refused(err) || !u.simplify(s):
			return err
		}
	}
}

// mode returns which sums are sent.
func (u *Upload) mode() sums {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sums
}

// simplify switches to Content-MD5, because the server has refused s. It
// reports whether to try again.
func (u *Upload) simplify(s sums) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sums != s {
		return true // another part was refused before
	}
	if s.kind == 0 || u.c.Checksum != "" {
		return false
	}
	u.sums = sums{md5: true}
	u.c.log("%s: the server refuses %v: Content-MD5 is sent instead", u.c.name, s)
	return true
}

// send sends a part.
func (u *Upload) send(ctx context.Context, number int, n int64, open func() io.ReadCloser) error {
	for {
		s := u.mode()
		d, err := s.digest(open)
		if err != nil {
			return err
		}
		opts := minio.PutObjectPartOptions{
			DisableContentSha256: true,
			CustomHeader:         http.Header{},
			Md5Base64:            base64Of(d.md5),
		}
		if s.kind != 0 {
			opts.CustomHeader.Set(s.kind.Key(), d.sum)
		}
		u.count(n)
		var p minio.ObjectPart
		_, err = u.c.do(ctx, open(), func(ctx context.Context) (err error) {
			p, err = u.c.core.PutObjectPart(ctx, u.c.bucket, u.c.key, u.id, number, http.NoBody, n, opts)
			return err
		})
		if refused(err) && u.simplify(s) {
			continue
		}
		if err != nil {
			return err
		}
		if p.ETag == "" {
			return errNoAnswer
		}
		d.etag = p.ETag
		confirmed, err := d.check(p.Checksum(s.kind))
		if err != nil {
			return err
		}
		u.keep(number, d, confirmed)
		return nil
	}
}

// keep records that the server has a part.
func (u *Upload) keep(number int, d digest, confirmed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if missing := number - len(u.parts); missing > 0 {
		u.parts = append(u.parts, make([]digest, missing)...)
	}
	d.there = true
	u.parts[number-1] = d
	if confirmed {
		u.confirmed++
	}
	if u.agreed == len(u.order) {
		return
	}
	for u.agreed < len(u.order) && u.order[u.agreed] <= len(u.parts) && u.parts[u.order[u.agreed]-1].there {
		u.agreed++
	}
	close(u.news)
	u.news = make(chan struct{})
}

// agree waits until all earlier parts of a resumed upload are known to be those
// of the stream. So nothing is sent of a stream that differs.
func (u *Upload) agree(ctx context.Context, number int) error {
	for {
		u.mu.Lock()
		ok, news := u.agreed == len(u.order) || u.order[u.agreed] >= number, u.news
		u.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// count adds the bytes of a body to sent.
func (u *Upload) count(n int64) {
	u.mu.Lock()
	u.sent += n
	u.mu.Unlock()
}

// refused reports whether err is a response that a header is not supported.
func refused(err error) bool {
	s := status(err)
	return (s == http.StatusBadRequest || s == http.StatusNotImplemented) &&
		(slices.Contains([]string{"NotImplemented", "InvalidRequest", "InvalidArgument", "UnsupportedArgument", "InvalidHeader", "BadRequest"}, code(err)) ||
			code(err) == fmt.Sprintf("%d %s", s, http.StatusText(s)))
}

// A memory is bytes of the ring in two pieces, with a count of the readers.
type memory struct {
	a, b  []byte
	users sync.WaitGroup
}

func (m *memory) open() io.ReadCloser {
	m.users.Add(1)
	return &memoryReader{io.MultiReader(bytes.NewReader(m.a), bytes.NewReader(m.b)), sync.OnceFunc(m.users.Done)}
}

type memoryReader struct {
	io.Reader
	done func()
}

func (r *memoryReader) Close() error { r.done(); return nil }
