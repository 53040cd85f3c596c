package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
)

// A web has the settings for inputs that are URLs.
type web struct {
	header http.Header    // of each request
	roots  *x509.CertPool // instead of the system's, or nil
}

const (
	// webRetries is how many times in a row a request that brought nothing is
	// repeated.
	webRetries = 5
	// webStall is how long a request for a range may bring nothing before it is
	// repeated, without -W.
	webStall = time.Minute
)

// A remote is an input at a URL.
type remote struct {
	*httprange.File
	from int64 // where it is read from

	stream *httprange.Stream // that Read uses
	cancel context.CancelFunc
	over   atomic.Bool // cancel was called
	ctx    context.Context
}

// openWeb requests the object at the URL of a place.
func (s *stream) openWeb(ctx context.Context, p place) (*end, error) {
	name := shown(p.name)
	header, err := s.webHeader(p.name)
	if err != nil {
		return nil, err
	}
	r := new(remote)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	defer context.AfterFunc(ctx, r.cancel)()
	// One request is enough for the whole object, except at depth and if a part
	// is skipped.
	first := httprange.First(0)
	switch {
	case s.deep():
		first = httprange.First(webFirst)
	case s.skip > 0:
		first = httprange.First(1)
	}
	retry := s.webRetry()
	for attempt := 1; ; attempt++ {
		r.File, err = httprange.Open(r.ctx, p.name, first, httprange.Transport(s.transport()), httprange.Header(header),
			httprange.Depth(s.depth), httprange.StreamRetry(retry))
		if err == nil {
			break
		}
		var status *httprange.StatusError
		if wait, again := retry(err, attempt); again && errors.As(err, &status) {
			select {
			case <-time.After(wait):
				continue
			case <-ctx.Done():
			}
		}
		r.cancel()
		return nil, fail(exitRefused, "open %s: %w", name, webCause(err, name))
	}
	size, known := r.Size()
	if !known {
		size = -1
	}
	return &end{remote: r, name: name, size: size}, nil
}

// webFirst is how many bytes the first request asks for at depth. Its response
// also gives the size of the object.
const webFirst = 64 << 10

// webRetry returns the function that decides which requests are repeated. With
// -W, a request that has brought nothing for that time is not.
func (s *stream) webRetry() func(err error, attempt int) (time.Duration, bool) {
	retry := httprange.Retry(webRetries)
	if s.timeout == 0 {
		return retry
	}
	return func(err error, attempt int) (time.Duration, bool) {
		wait, again := retry(err, attempt)
		return wait, again && wait < s.timeout && !errors.Is(err, async.ErrStalled)
	}
}

// transport returns the transport for requests. It uses the proxies of the
// environment, and looks names up as for TCP.
func (s *stream) transport() *http.Transport {
	dialer := net.Dialer{Resolver: resolver, KeepAliveConfig: keepAlive, Timeout: 30 * time.Second}
	t := &http.Transport{
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second,
		Proxy:               http.ProxyFromEnvironment,
	}
	if s.web.roots != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: s.web.roots}
	}
	return t
}

// webHeader returns the header of each request for a URL.
func (s *stream) webHeader(rawURL string) (http.Header, error) {
	h := http.Header{"User-Agent": {"bytering/" + version()}}
	for name, values := range s.web.header {
		h[name] = values
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return h, nil // Open says it
	}
	_, known := u.User.Password()
	if h.Get("Authorization") != "" || known {
		return h, nil
	}
	user, password, err := netrc(u.Hostname(), u.User.Username())
	if err != nil {
		return nil, err
	}
	if password != "" {
		r := http.Request{Header: h}
		r.SetBasicAuth(user, password)
	}
	return h, nil
}

// isWeb reports whether text is an http or https URL.
func isWeb(text string) bool {
	for _, scheme := range []string{"http://", "https://"} {
		if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

// shown returns a URL without its user and its query, which may be secret. It
// returns any other text as it is.
func shown(text string) string {
	if !isWeb(text) {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		scheme, _, _ := strings.Cut(text, ":")
		return scheme + "://..."
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// webCause is cause for a URL: it removes the name, which the message has
// anyway.
func webCause(err error, name string) error {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "httprange: "), name+": ")
	return errors.New(text)
}

// seek skips n bytes at the beginning, and reports whether it could.
func (r *remote) seek(n int64) bool {
	if r.Ranges() {
		r.from = n
	}
	return r.Ranges()
}

// Read reads the object with one request.
func (r *remote) Read(b []byte) (int, error) {
	if r.stream == nil {
		r.stream = r.Stream(r.ctx, r.from)
	}
	n, err := r.stream.Read(b)
	if err != nil && err != io.EOF && r.over.Load() {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// SetReadDeadline interrupts a read. The remote can't be read after that.
func (r *remote) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		time.AfterFunc(time.Until(t), func() {
			r.over.Store(true)
			r.cancel()
		})
	}
	return nil
}

func (r *remote) Close() error {
	r.cancel()
	return r.File.Close()
}

// webFailure returns the failure for a read that failed.
func webFailure(name string, err error, offset int64, safe string) error {
	code, why := exitSource, webCause(err, name)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		code, why = exitEarly, errors.New("it ended before the length that the server said")
	}
	return fail(code, "read %s: %w at byte %d; %s", name, why, offset, safe)
}
