package httprange

import (
	"net/http"
	"time"
)

const (
	defaultFirst = 64 << 10
	defaultDepth = 16
)

// An Option changes how [Open] and the [File] that it returns work.
type Option func(*config)

type config struct {
	transport *http.Transport
	header    http.Header
	sign      func(*http.Request) error
	first     int
	depth     int
	block     int64         // of Ahead, or 0
	patience  time.Duration // of Ahead
	retry     func(err error, attempt int) (time.Duration, bool)
}

func configure(opts []Option) config {
	c := config{transport: http.DefaultTransport.(*http.Transport), first: defaultFirst, depth: defaultDepth}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// Transport sets the transport that requests are made with, for its proxies and
// certificates. The default is http.DefaultTransport. It is copied; the copy
// speaks HTTP/1.1 and does not decompress.
func Transport(t *http.Transport) Option { return func(c *config) { c.transport = t } }

// Header adds h to every request, except that Authorization and Cookie go only to
// the host of the URL, not to hosts that it redirects to.
func Header(h http.Header) Option { return func(c *config) { c.header = h } }

// Sign makes f sign each request to the scheme and host of the URL, just before it
// is sent, when all its other headers are set. An error of f is the error of the
// request. Several goroutines may call f at once. A request that is redirected to
// another host is not signed.
func Sign(f func(*http.Request) error) Option { return func(c *config) { c.sign = f } }

// First sets how many bytes the first request asks for. The default is 64 KiB. The
// bytes are kept in memory, so that they are not requested again. With First(0) the
// first request asks for everything, and the first [Stream] that begins at 0 reads
// its response, so that one request is enough. ReadAt then makes requests for these
// bytes too.
func First(n int) Option { return func(c *config) { c.first = max(0, n) } }

// Ahead makes [File.ReadAtContext] ask for ranges before they are read, so that the time
// until a response comes is not lost. Use it for a File that is read in order with blocks
// of n bytes, as by [async.Fill]. At most [Depth] ranges are in flight. How long they are
// depends on how fast the responses and their bytes come. The first request asks for
// everything, as with First(0), and is cut off where another range begins. So a server
// may send a few MB more than is read.
//
// A response that has come may have to wait until its bytes are read. For patience it
// waits in any case. After that it is given up if nothing reads the first one, or if the
// response to an earlier range does not come meanwhile: a server may give one at a time.
// What is given up is requested again.
func Ahead(n int, patience time.Duration) Option {
	return func(c *config) {
		c.first, c.block, c.patience = 0, int64(max(1, n)), max(patience, time.Millisecond)
	}
}

// Depth sets how many requests may be in flight without opening a new connection
// for each. The default is 16. It should be that of [async.Depth].
func Depth(n int) Option { return func(c *config) { c.depth = n } }

// StreamRetry makes f decide whether a [Stream] that failed with err goes on with
// another request, and how long to wait before that. attempt is 1 for the first
// failure since the stream last read a byte. Without StreamRetry a failure is
// final.
func StreamRetry(f func(err error, attempt int) (wait time.Duration, again bool)) Option {
	return func(c *config) { c.retry = f }
}
