package s3

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
)

// startPiece is the most that one read of a start returns, so that the consumer need
// not wait for all of the range.
const startPiece = 256 << 10

// startPatience is how long an answer may wait to be read. A server that has one answer
// at a time gives no other one meanwhile.
const startPatience = 2 * time.Second

// A start is the first range of an object, asked for together with what the object is:
// so its bytes come a round trip sooner. It only saves time. If its request fails, or
// is for another object, the range is asked for again as all others are.
type start struct {
	c      *client
	ctx    context.Context // of the request
	cancel context.CancelFunc
	limit  int64        // the length of the range
	at     atomic.Int64 // the offset of the next byte, or -1 if none is left

	answered chan struct{} // closed when the following are set
	body     io.ReadCloser // or nil
	etag     string
	unused   *time.Timer // gives the connection back if nothing is read
}

// newStart asks for the first n bytes. Only until settled is called does the end of ctx
// end the request.
func (c *client) newStart(ctx context.Context, n int64) (s *start, settled func() bool) {
	s = &start{c: c, limit: n, answered: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(s.answered)
		var opts minio.GetObjectOptions
		if opts.SetRange(0, n-1) != nil {
			return
		}
		c.do(s.ctx, nil, func(ctx context.Context) error {
			body, _, header, err := c.core.GetObject(ctx, c.bucket, c.key, opts)
			if err != nil {
				return err
			}
			s.body, s.etag = body, header.Get("Etag")
			if !strings.HasPrefix(header.Get("Content-Range"), "bytes 0-") {
				s.etag = ""
			}
			s.unused = time.AfterFunc(min(c.Stall/2, startPatience), s.cancel)
			return nil
		})
	}()
	return s, context.AfterFunc(ctx, s.cancel)
}

// read reads bytes at off of the object with that ETag. It reports whether the start
// has them.
func (s *start) read(ctx context.Context, b []byte, off int64, etag string) (n int, ok bool, err error) {
	if off >= s.limit || s.at.Load() != off {
		return 0, false, nil
	}
	defer context.AfterFunc(ctx, s.cancel)()
	select {
	case <-s.answered:
	case <-ctx.Done():
		return 0, true, context.Cause(ctx)
	}
	if s.body == nil || etag == "" || s.etag != etag || !s.unused.Stop() && off == 0 {
		s.close()
		s.c.retries.Add(1)
		return 0, false, nil
	}
	n, err = io.ReadFull(s.body, b[:min(int64(len(b)), startPiece, s.limit-off)])
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if s.at.Store(off + int64(n)); err != nil || off+int64(n) == s.limit {
		s.close()
	}
	return n, true, err
}

// close gives the connection back.
func (s *start) close() {
	s.at.Store(-1)
	s.cancel()
	<-s.answered
	if s.body != nil {
		s.unused.Stop()
		s.body.Close()
	}
}
