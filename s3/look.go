package s3

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A look finds out, while other requests run, whether the key has an object that must
// not be replaced.
type look struct {
	began time.Time
	stop  context.CancelFunc
	over  chan struct{} // closed when err is set
	err   error
}

// looks begins a look. Its caller calls end, or wait with a context that ends.
func (u *Upload) looks(ctx context.Context) *look {
	l := &look{began: time.Now(), over: make(chan struct{})}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(l.over)
		l.err = u.vacant(ctx)
	}()
	return l
}

// wait waits for the result, or for the end of ctx, which ends the look.
func (l *look) wait(ctx context.Context) error {
	select {
	case <-l.over:
		return l.err
	case <-ctx.Done():
		l.end()
		return context.Cause(ctx)
	}
}

// failed returns the error of the look, or nil if it has none or is not over.
func (l *look) failed() error {
	select {
	case <-l.over:
		return l.err
	default:
		return nil
	}
}

// end ends the look.
func (l *look) end() {
	l.stop()
	<-l.over
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
