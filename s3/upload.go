package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/minio/minio-go/v7"
)

// An Upload moves a stream into an object.
type Upload struct {
	c      *client
	plan   Plan
	listed map[int]minio.ObjectPart // parts of an earlier call, by number
	order  []int                    // their numbers

	gate chan struct{} // held while begin runs

	mu        sync.Mutex
	id        string // or "" while there is none
	sums      sums
	condition bool // the object must not exist, and the server supports the condition
	parts     []digest
	confirmed int           // parts
	sent      int64         // bytes of bodies, including those of failed requests
	agreed    int           // how many of order are the stream's, up to the first that is not known to be
	news      chan struct{} // closed when that grows
}

// Create returns an upload of a new object, named s3://BUCKET/KEY. Unless
// o.Overwrite is set it looks for the object, and returns an error that wraps
// [ErrExists] if there is one. Nothing is written before [Upload.Drain].
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

// planFor makes the plan, for parts of the given size unless it is 0, and logs
// how long the stream may be.
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
// The server tells only a client that may list the bucket.
func (u *Upload) vacant(ctx context.Context) error {
	if u.c.Overwrite {
		return nil
	}
	f, err := u.c.look(ctx)
	switch {
	case status(err) == http.StatusForbidden:
		return nil
	case err != nil:
		return err
	case f.exists:
		return fmt.Errorf("%w: -f replaces it", ErrExists)
	}
	return nil
}

// Plan returns how the stream is cut into parts.
func (u *Upload) Plan() Plan { return u.plan }

// Drain sends the stream in the ring of c, and completes the object when the
// stream has ended without an error. The ring should have a capacity of
// Plan().Ring(); with less, fewer parts are in flight. Drain does not close c.
//
// Any error is an [*Error]. The object was then not made, unless the error wraps
// [ErrUnknown]. The parts that were sent stay in the upload UploadID of the
// Error, or are aborted.
//
// Drain returns when no request uses the ring's memory any more. If ctx ends
// during the last request, that request has ten seconds to finish. Drain may be
// called once.
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
		safe, s.Bytes = 0, 0
		if failed := u.abort(ctx); failed != nil {
			err = fmt.Errorf("%w; whether it is aborted is unknown: %w", err, failed)
		}
		id = u.id
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

// small sends the rest of a stream of at most one part, with one PUT. why is the
// error of a wait for more bytes.
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

// end returns why the stream has ended: io.EOF or an error. It discards the
// bytes that are left.
func end(c *bytering.Consumer) error {
	a, b := c.Slices()
	if err := c.Discard(len(a) + len(b)); err != nil {
		return err
	}
	return c.Err()
}
