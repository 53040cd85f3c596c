package async_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/async"
)

func TestFillRetry(t *testing.T) {
	want := data(1000)
	for _, depth := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			var attempts [20]int // one goroutine at a time uses each
			began := time.Now()
			b, s, err := fill(t, 1000, readerAt(func(b []byte, off int64) (int, error) {
				if attempts[off/50]++; attempts[off/50] < 3 {
					return 0, errTest
				}
				n, err := bytes.NewReader(want).ReadAt(b[:min(50, len(b))], off)
				return n, err
			}), async.Block(100), async.Depth(depth), async.Length(1000), async.Retry(func(err error, attempt int) (time.Duration, bool) {
				return time.Duration(attempt) * time.Second, err == errTest && attempt < 3
			}))
			if d, most := time.Since(began), 3*20*time.Second; err != nil || s.Retries != 40 || depth == 1 && d != most || d > most {
				t.Errorf("error %v, %d retries in %v", err, s.Retries, d)
			}
			same(t, "retried", b, want)
		})
	}
	_, s, err := fill(t, 1000, readerAt(func([]byte, int64) (int, error) { return 0, errTest }), async.Retry(func(_ error, n int) (time.Duration, bool) { return 0, n < 4 }), async.Depth(1))
	if !errors.Is(err, errTest) || s.Retries != 3 {
		t.Errorf("error %v after %d retries", err, s.Retries)
	}
}

// The wait before another attempt ends with the context.
func TestFillRetryStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		p, _ := pair(t, 100)
		began := time.Now()
		_, err := async.Fill(ctx, p, readerAt(func([]byte, int64) (int, error) { return 0, io.ErrUnexpectedEOF }), async.Retry(func(error, int) (time.Duration, bool) { return time.Hour, true }))
		if d := time.Since(began); d != time.Second || err != errTest {
			t.Errorf("error %v after %v", err, d)
		}
	})
}

// An operation that moves nothing for too long fails and can be tried again. A slow
// one does not fail.
func TestFillStall(t *testing.T) {
	for _, depth := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			var hung atomic.Int32
			src := ctxReader(func(ctx context.Context, b []byte, off int64) (int, error) {
				for i := range b {
					if off == 200 && i == 50 && hung.Add(1) < 3 {
						<-ctx.Done()
						return i, context.Cause(ctx)
					}
					time.Sleep(time.Second)
					async.Progress(ctx)
				}
				return len(b), nil
			})
			var errs []error
			b, s, err := fill(t, 500, src, async.Block(100), async.Depth(depth), async.Length(400), async.Stall(10*time.Second),
				async.Retry(func(err error, attempt int) (time.Duration, bool) {
					errs = append(errs, err)
					return time.Minute, true
				}))
			if err != nil || len(b) != 400 || s.Retries != 1 || len(errs) != 1 || !errors.Is(errs[0], async.ErrStalled) {
				t.Errorf("got %d bytes, error %v, stats %+v, errors of the attempts %v", len(b), err, s, errs)
			}
			hung.Store(0)
			_, s, err = fill(t, 500, src, async.Block(100), async.Depth(depth), async.Stall(10*time.Second))
			var e *async.Error
			if !errors.As(err, &e) || !errors.Is(err, async.ErrStalled) || e.Offset != 250 {
				t.Errorf("without Retry: error %v, stats %+v", err, s)
			}
		})
	}
}
