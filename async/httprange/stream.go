package httprange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Stream reads the object from an offset on with one request. If that breaks off, it can
// continue with another. It may be used by one goroutine at a time.
type Stream struct {
	f    *File
	ctx  context.Context
	at   int64
	body io.ReadCloser // nil if none is open
	left int64         // bytes of the body, or -1 if not known
	err  error         // of all further calls
}

// Stream returns a stream that begins at offset off. ctx is for its requests.
func (f *File) Stream(ctx context.Context, off int64) *Stream {
	s := &Stream{f: f, ctx: ctx, at: off}
	if off < 0 {
		s.err = errors.New("httprange: stream from a negative offset")
	}
	return s
}

// Read implements io.Reader. If a body ends before the object does, and [StreamRetry] does
// not make the stream continue, or the server has no ranges for that, the error is
// io.ErrUnexpectedEOF.
func (s *Stream) Read(b []byte) (n int, err error) {
	for attempt := 1; s.err == nil && len(b) > 0; attempt++ {
		n, err = s.read(b)
		s.at += int64(n)
		switch {
		case err == io.EOF:
			s.err = err
		case err != nil && !s.again(err, attempt):
			s.err = err
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, s.err
}

// Close ends the request that is running.
func (s *Stream) Close() error {
	s.drop()
	if s.err == nil {
		s.err = errors.New("httprange: read of a closed stream")
	}
	return nil
}

func (s *Stream) drop() {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
}

// again reports whether the stream should continue after err. It waits before that.
func (s *Stream) again(err error, attempt int) bool {
	if s.f.retry == nil || s.ctx.Err() != nil || s.at > 0 && !s.f.resumes {
		return false
	}
	wait, again := s.f.retry(err, attempt)
	if !again {
		return false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// read makes one read, of the bytes in memory or of a body, which it opens first if none
// is open. If the length is not known, a body may end before the object does.
func (s *Stream) read(b []byte) (n int, err error) {
	if s.body != nil && s.left == 0 {
		err := ended(s.body, s.at)
		s.drop()
		if err != nil {
			return 0, err
		}
	}
	size := s.f.object.size
	switch {
	case size >= 0 && s.at >= size:
		return 0, io.EOF
	case s.body == nil && s.at < int64(len(s.f.head)):
		return copy(b, s.f.head[s.at:]), nil
	case s.body == nil:
		if err := s.open(); err != nil {
			return 0, err
		}
	}
	if s.left >= 0 {
		b = b[:min(int64(len(b)), s.left)]
	}
	n, err = s.body.Read(b)
	if s.left >= 0 {
		s.left -= int64(n)
	}
	switch {
	case s.left == 0:
		return n, nil // the next read finds the end, or opens another range
	case err == io.EOF && s.left < 0 && size < 0:
		s.drop()
		return n, io.EOF
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		s.drop()
	}
	return n, err
}

// open opens a body at the present offset.
func (s *Stream) open() error {
	f := s.f
	if s.at == 0 {
		f.mu.Lock()
		first := f.rest
		f.rest = nil
		f.mu.Unlock()
		if first != nil {
			s.body, s.left = first.Body, f.has
			return nil
		}
	}
	if s.at == 0 && !f.resumes {
		return s.openWhole()
	}
	if !f.resumes {
		return fmt.Errorf("%w: nothing from byte %d on", ErrNoRange, s.at)
	}
	resp, err := f.ask(s.ctx, fmt.Sprintf("%d-", s.at))
	if err != nil {
		return err
	}
	if f.object.size < 0 && resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		discard(resp)
		return io.EOF // the object ends where the last range did
	}
	left, err := f.check(resp, s.at, -1)
	if err != nil {
		resp.Body.Close()
		return err
	}
	s.body, s.left = resp.Body, left
	return nil
}

// openWhole requests the whole object again.
func (s *Stream) openWhole() error {
	f := s.f
	resp, err := f.ask(s.ctx, "")
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		discard(resp)
		return statusError(resp)
	}
	if why := objectOf(resp, resp.ContentLength).differs(f.object); why != "" {
		resp.Body.Close()
		return fmt.Errorf("%w: %s", ErrChanged, why)
	}
	s.body, s.left = resp.Body, f.object.size
	return nil
}
