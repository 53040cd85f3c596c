package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/minio/minio-go/v7"
)

// An Upload is a stream on its way into an object.
type Upload struct {
	c      *client
	plan   Plan
	listed map[int]minio.ObjectPart // parts of before, by number
	order  []int                    // their numbers

	gate chan struct{} // held while the upload is begun

	mu        sync.Mutex
	id        string // or "" while there is none
	sums      sums
	condition bool // the object must not be there, and the server knows how to be told
	parts     []digest
	confirmed int           // parts
	sent      int64         // bytes of bodies, those of requests that failed too
	agreed    int           // how many of order are the stream's, up to the first that is not known to be
	news      chan struct{} // closed when that grows
}

// Create returns an upload of a new object, named s3://BUCKET/KEY. It asks for
// the object: one that exists is an error that wraps [ErrExists], unless
// o.Overwrite is set. Nothing is written before [Upload.Drain].
func Create(ctx context.Context, object string, o Options) (*Upload, error) {
	u, err := newUpload(object, o)
	if err != nil {
		return nil, err
	}
	if err := u.vacant(ctx); err != nil {
		return nil, u.c.fail(err, 0, "")
	}
	return u, u.planFor(0)
}

func newUpload(object string, o Options) (*Upload, error) {
	c, err := dial(object, o)
	if err != nil {
		return nil, err
	}
	s, err := c.Options.sums()
	return &Upload{c: c, sums: s, condition: !o.Overwrite, gate: make(chan struct{}, 1), news: make(chan struct{})}, err
}

// planFor makes the plan, for parts of a size that is given unless it is 0, and
// says how long the stream may be.
func (u *Upload) planFor(part int64) (err error) {
	l := u.c.layout()
	l.part = part
	if u.plan, err = l.plan(); err != nil {
		return err
	}
	if u.c.Size == 0 || u.c.Size > u.plan.Limit() {
		u.c.log("%s: at most %s: give --size or -m", u.c.name, size(u.plan.Limit()))
	}
	return nil
}

// vacant returns an error if the key has an object that must not be replaced.
// Without leave to list the bucket the server does not say.
func (u *Upload) vacant(ctx context.Context) error {
	f, err := u.c.look(ctx)
	switch {
	case status(err) == http.StatusForbidden:
		return nil
	case err != nil:
		return err
	case f.exists && !u.c.Overwrite:
		return fmt.Errorf("%w: -f replaces it", ErrExists)
	}
	return nil
}

// Plan returns how the stream is cut.
func (u *Upload) Plan() Plan { return u.plan }

// Drain sends what comes out of the ring of c, and completes the object when the
// stream has ended without an error. The ring needs the capacity of Plan().Ring();
// with less, fewer parts are in flight. It does not close c.
//
// Any error is an [*Error]. Then the object is not there, unless it wraps
// [ErrUnknown], and what was sent of a stream of several parts is left under the
// Error's UploadID, or aborted.
//
// Drain returns when no request uses the ring's memory any more. If ctx ends while
// the last request is under way, that has ten seconds to end. It is called once.
func (u *Upload) Drain(ctx context.Context, c *bytering.Consumer) (Summary, error) {
	safe, verified, err := u.drain(ctx, c)
	s := Summary{
		Name:     u.c.name.String(),
		Bytes:    safe,
		Sent:     u.sent,
		Parts:    len(u.parts),
		Part:     u.plan.Part,
		Retries:  u.c.retries.Load(),
		Verified: verified,
	}
	if err == nil {
		return s, nil
	}
	id := u.id
	if id != "" && u.c.Abort {
		if failed := u.abort(ctx); failed != nil {
			err = errors.Join(err, fmt.Errorf("it is not aborted: %w", failed))
		} else {
			safe, id = 0, ""
		}
	}
	return s, u.c.fail(err, safe, id)
}

func (u *Upload) drain(ctx context.Context, c *bytering.Consumer) (safe int64, verified string, err error) {
	defer u.c.transport.CloseIdleConnections()
	if u.id == "" {
		err := c.Wait(ctx, int(u.plan.Part)+1)
		if ctx.Err() != nil {
			return 0, "", context.Cause(ctx)
		}
		if err != nil {
			return u.small(ctx, c, err)
		}
	}
	stats, err := async.DrainParts(ctx, c, partWriter{u},
		async.Block(int(u.plan.Part)), async.Depth(u.plan.Depth), async.Retry(u.c.again))
	if errors.Is(err, errShort) {
		// Has the source failed, or is this all of the stream?
		if why := end(c); why != io.EOF {
			return stats.Safe, "", why
		}
	}
	if err == nil {
		err = u.beyond(len(u.parts))
	}
	if err == nil && len(u.parts) == 0 {
		// A multipart upload has at least one part.
		if verified, err = u.put(ctx, nil, nil); err == nil {
			err = u.abort(ctx)
		}
		return 0, verified, err
	}
	if err == nil {
		verified, err = u.complete(ctx)
	}
	return stats.Safe, verified, err
}

// small sends what is left of a stream of at most one part as one PUT. Why is what
// a wait for more has returned.
func (u *Upload) small(ctx context.Context, c *bytering.Consumer, why error) (safe int64, verified string, err error) {
	if why != io.EOF && why != io.ErrUnexpectedEOF {
		return 0, "", why
	}
	// Only an empty ring tells whether the source has failed. The producer is
	// closed, so the bytes stay where they are.
	c.Pin()
	defer c.Unpin()
	a, b := c.Slices()
	if err := end(c); err != io.EOF {
		return 0, "", err
	}
	verified, err = u.put(ctx, a, b)
	if err != nil {
		return 0, "", err
	}
	return int64(len(a) + len(b)), verified, nil
}

// end returns why the stream has ended: io.EOF or an error. It discards what is
// left.
func end(c *bytering.Consumer) error {
	a, b := c.Slices()
	if err := c.Discard(len(a) + len(b)); err != nil {
		return err
	}
	return c.Err()
}

// partWriter keeps WritePart out of the methods of Upload.
type partWriter struct{ u *Upload }

// WritePart sends a part, unless it was sent before.
func (w partWriter) WritePart(ctx context.Context, p *async.Part) error {
	u, number := w.u, p.Index+1
	if number > u.plan.MaxParts {
		return fmt.Errorf("%w: %d of %s are %s: give --size or -m", ErrLimit, u.plan.MaxParts, size(u.plan.Part), size(u.plan.Limit()))
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
	if err := u.begin(ctx); err != nil {
		return err
	}
	return u.send(ctx, number, p.Len, open)
}

// begin begins a multipart upload, unless there is one. If ctx ends meanwhile, the
// answer is waited for a little, so that the upload has a name.
func (u *Upload) begin(ctx context.Context) error {
	select {
	case u.gate <- struct{}{}:
		defer func() { <-u.gate }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if u.id != "" {
		return nil
	}
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
			return errors.New("the server gave the upload no ID")
		case err == nil:
			u.mu.Lock()
			u.id = id
			u.mu.Unlock()
			return nil
		case !refused(err) || !u.simplify(s):
			return err
		}
	}
}

// mode returns the sums that are sent.
func (u *Upload) mode() sums {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sums
}

// simplify has Content-MD5 sent instead of s, which the server has refused, and
// reports whether there is another try.
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
	u.c.log("%s: the server refuses %v: sent is Content-MD5", u.c.name, s)
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
			return errNoETag
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

// keep notes that the server has a part.
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

// agree waits until the parts of before that come before a number are known to be
// the stream's. Nothing of a stream that differs from them is sent.
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

// count counts the bytes of a body.
func (u *Upload) count(n int64) {
	u.mu.Lock()
	u.sent += n
	u.mu.Unlock()
}

// refused reports whether a server has answered that it does not take a header.
func refused(err error) bool {
	s := status(err)
	return (s == http.StatusBadRequest || s == http.StatusNotImplemented) &&
		(slices.Contains([]string{"NotImplemented", "InvalidRequest", "InvalidArgument", "UnsupportedArgument", "InvalidHeader", "BadRequest"}, code(err)) ||
			code(err) == fmt.Sprintf("%d %s", s, http.StatusText(s)))
}

// A memory is bytes of the ring in two pieces. It counts who reads them.
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
