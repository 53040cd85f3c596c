package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// newTransport returns a transport of HTTP/1.1 with one connection for each
// request in flight. A whole request has no deadline, because it may be a part of
// 5 GiB. A connection fails if it moves nothing for the time of stall. If final is
// set, and no other connection moves anything either, it fails with [ErrStalled].
func newTransport(depth int, stall time.Duration, final bool) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.TLSNextProto = nil
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = depth + 1
	t.TLSHandshakeTimeout = 0 // it may stall as the rest may
	// A request must not find a connection that has stalled while it was idle.
	t.IdleConnTimeout = min(t.IdleConnTimeout, stall/2)
	p := &peer{stall: stall, final: final}
	p.touch()
	dialer := &net.Dialer{Timeout: stall, KeepAlive: 30 * time.Second}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil && ctx.Err() == nil {
			err = p.why(err)
		}
		if err != nil {
			return nil, err
		}
		return &stallConn{Conn: c, peer: p}, nil
	}
	if file := os.Getenv("AWS_CA_BUNDLE"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%w: AWS_CA_BUNDLE: %w", ErrOption, err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: AWS_CA_BUNDLE: %s has no certificate", ErrOption, file)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return t, nil
}

// A peer is what the connections of a transport share.
type peer struct {
	stall time.Duration // that a connection may move nothing
	final bool          // all of them may not do so either
	moved atomic.Pointer[time.Time]
}

// touch records that something has moved.
func (p *peer) touch() {
	now := time.Now()
	p.moved.Store(&now)
}

// why returns the error for the err of a connection: an [ErrStalled] if it has
// stalled, as all others have, and that is final.
func (p *peer) why(err error) error {
	stalled := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
	if !p.final || !stalled || time.Since(*p.moved.Load()) < p.stall {
		return err
	}
	return fmt.Errorf("%w for %v", ErrStalled, p.stall)
}

// A stallConn fails if neither a read nor a write moves anything for a time. A
// write also postpones the deadline of reads, because the transport reads the
// response while it still writes the request.
type stallConn struct {
	net.Conn
	peer *peer

	mu      sync.Mutex // for the deadline of reads
	writing bool
}

// awaitRead sets the deadline of reads. While a write is blocked, its own deadline
// comes first.
func (c *stallConn) awaitRead(writing bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = writing
	return c.postpone()
}

func (c *stallConn) postpone() error {
	stall := c.peer.stall
	if c.writing {
		stall *= 2
	}
	return c.SetReadDeadline(time.Now().Add(stall))
}

func (c *stallConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	err := c.postpone()
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.peer.touch()
	}
	if err != nil {
		err = c.peer.why(err)
	}
	return n, err
}

func (c *stallConn) Write(b []byte) (n int, err error) {
	for {
		if err := errors.Join(c.SetWriteDeadline(time.Now().Add(c.peer.stall)), c.awaitRead(true)); err != nil {
			return n, err
		}
		m, err := c.Conn.Write(b[n:])
		if n += m; m > 0 {
			c.peer.touch()
		}
		switch {
		case err == nil:
			return n, c.awaitRead(false)
		case m == 0 || !errors.Is(err, os.ErrDeadlineExceeded):
			return n, c.peer.why(err)
		}
		// A part of it has moved.
	}
}

// An exchange has additional arguments and results of a call of the client. It
// is in the context of the request.
type exchange struct {
	// body is sent instead of the body of the request, which the client wraps so
	// that nothing closes it. The transport closes this one after its last read,
	// which may be after the response.
	body  io.ReadCloser
	taken bool

	// With dry a HEAD is not sent, because only its URL is needed. dry ends the
	// context, in which the client would wait before another try.
	dry context.CancelFunc
	url *url.URL

	header http.Header // of the answer
}

type exchangeKey struct{}

var errDry = errors.New("s3: nothing was sent")

// exchanges is the transport of the client.
type exchanges struct{ *http.Transport }

func (t exchanges) RoundTrip(req *http.Request) (*http.Response, error) {
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return t.Transport.RoundTrip(req)
	}
	if req.Body != nil && x.body != nil {
		req = req.WithContext(req.Context()) // a copy
		req.Body, x.taken = x.body, true
	}
	if x.dry != nil && req.Method == http.MethodHead {
		x.url = req.URL
		x.dry()
		return nil, errDry
	}
	resp, err := t.Transport.RoundTrip(req)
	if resp != nil {
		x.header = resp.Header
	}
	return resp, err
}
