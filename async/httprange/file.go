package httprange

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/bytering/bytering/async"
)

// A File is an object at a URL. Its methods may be called by several goroutines at once.
type File struct {
	transport *http.Transport
	header    http.Header
	sign      func(*http.Request) error
	retry     func(err error, attempt int) (time.Duration, bool)
	first     *url.URL
	object    *object // nil until the first response
	ranges    bool
	resumes   bool   // a stream can continue with a range
	head      []byte // the object's first bytes
	ahead     *ahead // or nil

	mu     sync.Mutex
	target *url.URL       // of redirects
	rest   *http.Response // the first response, until a stream takes it
	has    int64          // the bytes of its body, or -1
}

// Open requests the first bytes of the object at rawURL. ctx is for that request. If the
// server has no ranges, or [First] is 0, ctx is also for the first [Stream], which reads
// the rest of the response. With [Ahead] ctx matters to a stream only if there are no
// ranges. The error wraps one of this package's errors, a
// [StatusError], or the error of the connection.
func Open(ctx context.Context, rawURL string, opts ...Option) (*File, error) {
	c := configure(opts)
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("%w: it does not parse", ErrInvalidURL)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%w: %s is not of http or https", ErrInvalidURL, shown(u))
	}
	f := &File{transport: transport(c), header: c.header.Clone(), sign: c.sign, retry: c.retry, first: u, target: u}
	if f.header == nil {
		f.header = http.Header{}
	}
	if u.User != nil && f.header.Get("Authorization") == "" {
		password, _ := u.User.Password()
		f.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	u.User, u.Fragment = nil, ""
	open := f.open
	if c.block > 0 {
		open = func(ctx context.Context, last int64) error { return f.openAhead(ctx, last, c) }
	}
	if err := open(ctx, int64(c.first)-1); err != nil {
		f.transport.CloseIdleConnections()
		return nil, err
	}
	return f, nil
}

func transport(c config) *http.Transport {
	t := c.transport.Clone()
	t.DisableCompression = true
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.TLSNextProto = nil // what the original has set up for HTTP/2
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = nil
	}
	t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, c.depth+1)
	if t.MaxIdleConns > 0 {
		t.MaxIdleConns = max(t.MaxIdleConns, t.MaxIdleConnsPerHost)
	}
	return t
}

// open makes the first request, for the bytes up to last, or with a last of -1 for
// all.
func (f *File) open(ctx context.Context, last int64) error {
	byteRange := "0-"
	if last >= 0 {
		byteRange += strconv.FormatInt(last, 10)
	}
	resp, from, err := f.get(ctx, f.first, byteRange)
	if err != nil {
		return err
	}
	f.target = from
	switch resp.StatusCode {
	case http.StatusOK:
		f.object = objectOf(resp, resp.ContentLength)
		f.resumes = resp.Header.Get("Accept-Ranges") == "bytes"
		f.rest, f.has = resp, resp.ContentLength
		return nil
	case http.StatusRequestedRangeNotSatisfiable:
		// A range that begins with the first byte is outside of an empty object only.
		discard(resp)
		if text := resp.Header.Get("Content-Range"); text != "" && text != "bytes */0" {
			return fmt.Errorf("%w: none from byte 0 on, with Content-Range %q", ErrInvalidRange, text)
		}
		f.object, f.ranges = objectOf(resp, 0), true
		return nil
	}
	n, err := f.check(resp, 0, last)
	if err != nil {
		resp.Body.Close()
		return err
	}
	_, _, size, _ := contentRange(resp)
	if last < 0 {
		f.object, f.ranges, f.resumes = objectOf(resp, size), size >= 0, true
		f.rest, f.has = resp, n
		return nil
	}
	if want := min(last+1, size); size >= 0 && n != want {
		resp.Body.Close()
		return fmt.Errorf("%w: %d bytes, not %d", ErrInvalidRange, n, want)
	}
	f.head = make([]byte, n)
	if _, err := body(ctx, resp, f.head, 0); err != nil {
		return fmt.Errorf("httprange: %s: %w", shown(from), err)
	}
	f.object, f.ranges, f.resumes = objectOf(resp, size), size >= 0, true
	return nil
}

// openAhead is open for [Ahead]. If the object has ranges, ctx is for the first response
// only until it comes.
func (f *File) openAhead(ctx context.Context, last int64, c config) error {
	first, cancel := context.WithCancel(context.WithoutCancel(ctx))
	settled := context.AfterFunc(ctx, cancel)
	asked := time.Now()
	if err := f.open(first, last); err != nil {
		cancel()
		return err
	}
	if f.ranges {
		settled()
		f.ahead = newAhead(first, cancel, f, c, time.Since(asked))
	}
	return nil
}

// Size returns the length of the object, and whether it is known.
func (f *File) Size() (n int64, known bool) { return max(0, f.object.size), f.object.size >= 0 }

// ETag returns the ETag of the object as the server gave it, or "" if there is none.
func (f *File) ETag() string { return f.object.etag }

// Ranges reports whether ReadAt works: the server has ranges and has given the length.
func (f *File) Ranges() bool { return f.ranges }

// Close closes idle connections, and the first response if no [Stream] has taken it.
// Requests in flight continue, but those of [Ahead] end.
func (f *File) Close() error {
	if f.ahead != nil {
		f.ahead.close()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rest != nil {
		f.rest.Body.Close()
		f.rest = nil
	}
	f.transport.CloseIdleConnections()
	return nil
}

// ReadAt is ReadAtContext without a context, and always reads len(b) bytes unless it
// fails.
func (f *File) ReadAt(b []byte, off int64) (n int, err error) {
	for first := true; first || n < len(b) && err == nil; first = false {
		var m int
		m, err = f.ReadAtContext(context.Background(), b[n:], off+int64(n))
		n += m
	}
	return n, err
}

// ReadAtContext reads len(b) bytes from off on, with one request unless the first response
// had them. If it returns fewer, the error is io.EOF at the end of the object, or one of
// those in the package documentation. With [Ahead] it may return fewer with a nil error.
func (f *File) ReadAtContext(ctx context.Context, b []byte, off int64) (n int, err error) {
	switch {
	case !f.ranges:
		return 0, fmt.Errorf("%w: read it as a Stream", ErrNoRange)
	case off < 0:
		return 0, errors.New("httprange: read at a negative offset")
	case off >= f.object.size:
		return 0, io.EOF
	}
	want := int(min(int64(len(b)), f.object.size-off))
	if off < int64(len(f.head)) {
		n = copy(b[:want], f.head[off:])
	}
	if n < want {
		read := f.readRange
		if f.ahead != nil {
			read = f.ahead.read
		}
		var m int
		m, err = read(ctx, b[n:want], off+int64(n))
		n += m
	}
	if err == nil && n == want && n < len(b) {
		err = io.EOF
	}
	return n, err
}

// readRange reads a range with one request.
func (f *File) readRange(ctx context.Context, b []byte, off int64) (int, error) {
	last := off + int64(len(b)) - 1
	resp, err := f.ask(ctx, fmt.Sprintf("%d-%d", off, last))
	if err != nil {
		return 0, err
	}
	if _, err := f.check(resp, off, last); err != nil {
		resp.Body.Close()
		return 0, err
	}
	return body(ctx, resp, b, off)
}

// ask requests a range from the target of earlier redirects. If that refuses, because a
// signature has expired for example, ask starts again at the first URL.
func (f *File) ask(ctx context.Context, byteRange string) (*http.Response, error) {
	f.mu.Lock()
	target := f.target
	f.mu.Unlock()
	resp, from, err := f.get(ctx, target, byteRange)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusGone:
		if *target == *f.first {
			return resp, nil
		}
		discard(resp)
		if resp, from, err = f.get(ctx, f.first, byteRange); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	f.target = from
	f.mu.Unlock()
	return resp, nil
}

// body reads the body of a response, which must have len(b) bytes from off on, and
// closes it.
func body(ctx context.Context, resp *http.Response, b []byte, off int64) (n int, err error) {
	defer resp.Body.Close()
	if n, err = readFull(ctx, resp.Body, b); err != nil {
		return n, err
	}
	return n, ended(resp.Body, off+int64(n))
}

// readFull reads len(b) bytes.
func readFull(ctx context.Context, r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
		async.Progress(ctx)
	}
	switch {
	case n == len(b):
		err = nil
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// ended reads the end of a body whose range ends before the offset at. A connection
// can be reused only after that.
func ended(body io.Reader, at int64) error {
	if n, _ := io.ReadFull(body, make([]byte, 1)); n > 0 {
		return fmt.Errorf("%w: the body goes on from byte %d, where its range ends", ErrInvalidRange, at)
	}
	return nil
}
