package async_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

type partWriter func(ctx context.Context, part *async.Part) error

func (f partWriter) WritePart(ctx context.Context, part *async.Part) error { return f(ctx, part) }

// drainParts writes b into a ring and returns the results of DrainParts.
func drainParts(t *testing.T, capacity int, b []byte, end error, w partWriter, opts ...async.Option) (async.Stats, error) {
	t.Helper()
	p, c := pair(t, capacity)
	p.Write(b[:min(7, len(b))]) // makes parts wrap
	c.Discard(min(7, len(b)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Write(b)
		p.CloseWithError(end)
	}()
	s, err := async.DrainParts(t.Context(), c, w, opts...)
	c.Close()
	<-done
	return s, err
}

// A multipart collects the parts written to it.
type multipart struct {
	mu    sync.Mutex
	parts map[int][]byte
	last  int
	bad   error
}

func (m *multipart) put(p *async.Part, b []byte, block int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.parts == nil {
		m.parts, m.last = map[int][]byte{}, -1
	}
	if int64(len(b)) != p.Len || p.Offset != int64(p.Index*block) || m.parts[p.Index] != nil || len(b) != block && !p.Last {
		m.bad = fmt.Errorf("part %+v has %d bytes", *p, len(b))
	}
	m.parts[p.Index] = b
	if p.Last {
		m.last = p.Index
	}
}

func (m *multipart) bytes() (b []byte) {
	for i := range len(m.parts) {
		b = append(b, m.parts[i]...)
	}
	return b
}

// Parts are numbered. All have the same size except the last, which is marked as
// the last. They may wrap.
func TestParts(t *testing.T) {
	for n := range 350 {
		for _, depth := range []int{1, 3} {
			var m multipart
			s, err := drainParts(t, 415, data(n), nil, func(_ context.Context, p *async.Part) error {
				r := p.Open()
				defer r.Close()
				b, err := io.ReadAll(r)
				m.put(p, b, 100)
				return err
			}, async.Block(100), async.Depth(depth))
			if last := (n+99)/100 - 1; err != nil || m.bad != nil || s.Safe != int64(n) || len(m.parts) != last+1 || n > 0 && m.last != last {
				t.Fatalf("%d bytes: %v, %v, %+v, %d parts, the last %d", n, err, m.bad, s, len(m.parts), m.last)
			}
			same(t, "parts", m.bytes(), data(n))
		}
	}
}

// With a length, the part that reaches it is the last.
func TestPartsOfALength(t *testing.T) {
	for _, length := range []int64{100, 150, 200} {
		var m multipart
		s, err := drainParts(t, 415, data(1000), nil, func(_ context.Context, p *async.Part) error {
			r := p.Open()
			defer r.Close()
			b, err := io.ReadAll(r)
			m.put(p, b, 100)
			return err
		}, async.Block(100), async.Length(length))
		if err != nil || m.bad != nil || s.Safe != length || m.last != int(length+99)/100-1 {
			t.Errorf("%d bytes: %v, %v, %+v, the last is %d", length, err, m.bad, s, m.last)
		}
	}
}

// A part's reader keeps all contracts of package io, over the wrap as well.
func TestPartReader(t *testing.T) {
	for n := 93; n <= 100; n++ { // from 8 bytes before the wrap to the wrap itself
		want := data(100)
		p, c := pair(t, 200)
		p.Write(make([]byte, n+50))
		c.Discard(n + 50)
		p.Write(want)
		p.Close()
		_, err := async.DrainParts(t.Context(), c, partWriter(func(_ context.Context, p *async.Part) error {
			r := p.Open()
			defer r.Close()
			if err := iotest.TestReader(r, want); err != nil {
				return err
			}
			r.Seek(40, io.SeekStart)
			var b bytes.Buffer
			if n, err := r.WriteTo(&b); n != 60 || err != nil || r.Len() != 0 {
				return fmt.Errorf("WriteTo: %d, %v", n, err)
			}
			same(t, "WriteTo", b.Bytes(), want[40:])
			r.Seek(0, io.SeekStart)
			if n, err := r.WriteTo(iotest.TruncateWriter(io.Discard, 0)); n != 100 || err != nil {
				return fmt.Errorf("WriteTo: %d, %v", n, err)
			}
			for _, bad := range []func() error{
				func() error { _, err := r.Seek(-1, io.SeekStart); return err },
				func() error { _, err := r.Seek(0, 3); return err },
				func() error { _, err := r.ReadAt(nil, -1); return err },
			} {
				if bad() == nil {
					return errors.New("no error from an invalid Seek or ReadAt")
				}
			}
			r.Close()
			if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, async.ErrReleased) || !errors.Is(err, fs.ErrClosed) {
				return fmt.Errorf("Read after Close: %d, %v", n, err)
			}
			if n, err := r.WriteTo(io.Discard); n != 0 || !errors.Is(err, async.ErrReleased) {
				return fmt.Errorf("WriteTo after Close: %d, %v", n, err)
			}
			return r.Close()
		}), async.Block(100))
		if err != nil {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

type wrongWriter struct {
	n   int
	err error
}

func (w wrongWriter) Write([]byte) (int, error) { return w.n, w.err }

func TestPartWriteToFails(t *testing.T) {
	_, err := drainParts(t, 300, data(100), nil, func(_ context.Context, p *async.Part) error {
		for w, want := range map[wrongWriter]error{
			{-1, nil}: bytering.ErrInvalidCount, {101, nil}: bytering.ErrInvalidCount, {5, nil}: io.ErrShortWrite, {5, errTest}: errTest,
		} {
			r := p.Open()
			n, err := r.WriteTo(w)
			if r.Close(); !errors.Is(err, want) || n != int64(max(0, w.n)) && want != bytering.ErrInvalidCount {
				t.Errorf("%+v: %d, %v", w, n, err)
			}
		}
		return nil
	}, async.Block(100))
	must(err)
}

// The memory of a part is held until WritePart has returned and every reader is
// closed. DrainParts returns no earlier.
func TestPartHeldByReaders(t *testing.T) {
	for _, depth := range []int{1, 2} {
		for _, fails := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				p, c := pair(t, 300)
				want := data(250)
				p.Write(want)
				var kept *async.Part
				began := time.Now()
				go func() {
					time.Sleep(time.Second)
					p.Write(make([]byte, 50)) // fills the ring
					p.TryWrite(make([]byte, 300))
				}()
				s, err := async.DrainParts(t.Context(), c, partWriter(func(_ context.Context, p *async.Part) error {
					kept = p
					r, q := p.Open(), p.Open()
					go func() {
						time.Sleep(time.Minute)
						q.Close()
						b, err := io.ReadAll(r)
						must(err)
						same(t, "after the return", b, want[:100])
						r.Close()
					}()
					if fails {
						return errTest
					}
					return nil
				}), async.Block(100), async.Depth(depth), async.Length(100))
				if d := time.Since(began); d != time.Minute {
					t.Errorf("DrainParts returned after %v", d)
				}
				if safe := map[bool]int64{false: 100}[fails]; errors.Is(err, errTest) != fails || s.Safe != safe {
					t.Errorf("%v, %+v", err, s)
				}
				if _, err := kept.Open().Read(make([]byte, 1)); !errors.Is(err, async.ErrReleased) {
					t.Errorf("a reader that is opened too late: %v", err)
				}
			})
		}
	}
}

// A part that is tried again has a reader of its own while the reader of the first
// attempt is still in use.
func TestPartRetry(t *testing.T) {
	var m multipart
	var attempts [10]atomic.Int32
	var lingering sync.WaitGroup
	want := data(1000)
	s, err := drainParts(t, 415, want, nil, func(_ context.Context, p *async.Part) error {
		r := p.Open()
		if attempts[p.Index].Add(1) < 3 {
			lingering.Go(func() {
				defer r.Close()
				b, err := io.ReadAll(iotest.OneByteReader(r))
				must(err)
				same(t, "an attempt that failed", b, want[p.Offset:p.Offset+p.Len])
			})
			return errTest
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		m.put(p, b, 100)
		return err
	}, async.Block(100), async.Retry(func(err error, attempt int) (time.Duration, bool) { return 0, err == errTest && attempt < 3 }))
	lingering.Wait()
	if err != nil || m.bad != nil || s.Retries != 20 {
		t.Errorf("%v, %v, %+v", err, m.bad, s)
	}
	same(t, "parts", m.bytes(), want)
}

// A part that fails interrupts the parts after it, not those before it.
func TestPartFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s, err := drainParts(t, 1000, data(1000), nil, func(ctx context.Context, p *async.Part) error {
			switch p.Index {
			case 0:
				time.Sleep(time.Minute)
			case 1:
				time.Sleep(time.Second)
				return errTest
			default:
				<-ctx.Done()
				if time.Since(began) != time.Second {
					t.Errorf("part %d was interrupted after %v", p.Index, time.Since(began))
				}
				return ctx.Err()
			}
			return nil
		}, async.Block(100))
		var e *async.Error
		if !errors.As(err, &e) || e.Op != "part" || e.Offset != 100 || e.Err != errTest || s.Safe != 100 {
			t.Errorf("%v, %+v", err, s)
		}
	})
}

// A part that is read slowly does not stall. A part that is not read does.
func TestPartStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hung atomic.Bool
		s, err := drainParts(t, 415, data(300), nil, func(ctx context.Context, p *async.Part) error {
			r := p.Open()
			defer r.Close()
			if p.Index == 1 && hung.CompareAndSwap(false, true) {
				<-ctx.Done()
				return context.Cause(ctx)
			}
			for {
				time.Sleep(time.Second)
				if _, err := r.Read(make([]byte, 10)); err == io.EOF {
					return ctx.Err()
				}
			}
		}, async.Block(100), async.Stall(3*time.Second), async.Retry(func(err error, _ int) (time.Duration, bool) { return 0, errors.Is(err, async.ErrStalled) }))
		if err != nil || s.Retries != 1 || s.Safe != 300 {
			t.Errorf("%v, %+v", err, s)
		}
	})
}

func TestPartPanics(t *testing.T) {
	for _, depth := range []int{1, 3} {
		if v := recovered(func() {
			drainParts(t, 415, data(400), nil, func(ctx context.Context, p *async.Part) error {
				defer p.Open().Close()
				if p.Index == 1 {
					panic(errTest)
				}
				return nil
			}, async.Block(100), async.Depth(depth))
		}); v != errTest {
			t.Errorf("DrainParts panicked with %v", v)
		}
	}
}

// A server that answers before it has read a part leaves net/http reading the
// memory after the client has its answer, and the client tries again. The race
// detector then checks that the memory is neither given back nor overwritten.
func TestPartsOverHTTP(t *testing.T) {
	const block = 256 << 10
	var m multipart
	var early, failed atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if early.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var p async.Part
		fmt.Sscan(r.Header.Get("Part"), &p.Index, &p.Offset, &p.Len, &p.Last)
		m.put(&p, b, block)
	}))
	defer srv.Close()
	want := data(20*block + 5)
	s, err := drainParts(t, 6*block, want, nil, func(ctx context.Context, p *async.Part) error {
		req, err := http.NewRequestWithContext(ctx, "PUT", srv.URL, p.Open())
		if err != nil {
			return err
		}
		req.ContentLength = p.Len
		req.GetBody = func() (io.ReadCloser, error) { return p.Open(), nil }
		req.Header.Set("Part", fmt.Sprint(p.Index, p.Offset, p.Len, p.Last))
		resp, err := srv.Client().Do(req)
		if err != nil {
			failed.Add(1)
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != 200 {
			failed.Add(1)
			return errors.New(resp.Status)
		}
		return nil
	}, async.Block(block), async.Depth(4), async.Retry(func(_ error, attempt int) (time.Duration, bool) { return 0, attempt < 100 }))
	if err != nil || m.bad != nil || failed.Load() == 0 || s.Retries != int64(failed.Load()) {
		t.Errorf("%v, %v, %+v, %d failed", err, m.bad, s, failed.Load())
	}
	same(t, "parts", m.bytes(), want)
}
