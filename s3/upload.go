package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
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

	first *look // before anything of the stream is sent
	again *look // before the object is made; nil until the last part begins

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
// [ErrExists] if there is one. With o.LookLater, [Upload.Drain] returns that error
// instead. Nothing is written before Drain.
func Create(ctx context.Context, object string, o Options) (*Upload, error) {
	u, err := newUpload(object, o)
	if err != nil {
		return nil, err
	}
	u.probe(ctx)
	u.first = u.looks(ctx)
	if !o.LookLater {
		if err := u.first.wait(ctx); err != nil {
			return nil, u.c.fail(opOpen, err, 0, "")
		}
	}
	if err := u.planFor(0); err != nil {
		u.first.end()
		return nil, err
	}
	return u, nil
}

func newUpload(object string, o Options) (*Upload, error) {
	c, err := dial(object, o)
	if err != nil {
		return nil, err
	}
	s, err := c.Options.sums()
	return &Upload{c: c, sums: s, condition: !o.Overwrite, news: make(chan struct{})}, err
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
	defer u.first.end()
	safe, verified, err := u.drain(ctx, c)
	if u.again != nil {
		u.again.end()
	}
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
	op, id := opWrite, u.id
	if failed := u.first.failed(); failed != nil && errors.Is(err, failed) {
		op = opOpen
	}
	if id != "" && (u.c.Abort || op == opOpen) {
		safe, s.Bytes = 0, 0
		if failed := u.abort(ctx); failed != nil {
			err = fmt.Errorf("%w; whether it is aborted is unknown: %w", err, failed)
		}
		id = u.id
	}
	return s, u.c.fail(op, err, safe, id)
}

func (u *Upload) drain(ctx context.Context, c *bytering.Consumer) (safe int64, verified string, err error) {
	defer u.c.transport.CloseIdleConnections()
	if u.id == "" {
		switch ended, err := u.open(ctx, c); {
		case err != nil:
			return 0, "", err
		case ended != nil:
			return u.small(ctx, c, ended)
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

// open waits until the stream has more than one part, and begins the upload then. If
// the stream ends before that, open returns why. It fails as soon as the first look does.
func (u *Upload) open(ctx context.Context, c *bytering.Consumer) (ended, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if <-u.first.over; u.first.err != nil {
			cancel(u.first.err)
		}
	}()
	ended = c.Wait(ctx, int(u.plan.Part)+1)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if ended == nil {
		if err := u.c.try(ctx, u.begin); err != nil {
			return nil, err
		}
	}
	return ended, u.first.wait(ctx)
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
