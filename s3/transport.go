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
	"time"
)

// newTransport returns a transport of HTTP/1.1 with one connection for each
// request in flight. A whole request has no deadline, because it may be a part of
// 5 GiB. A connection fails if it moves nothing for the time of stall.
func newTransport(depth int, stall time.Duration) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.TLSNextProto = nil
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = depth + 1
	dialer := &net.Dialer{Timeout: min(stall, 30*time.Second), KeepAlive: 30 * time.Second}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &stallConn{c, stall}, nil
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

// A stallConn fails if neither a read nor a write moves anything for a time. A
// write also postpones the deadline of reads, because the transport reads the
// response while it still writes the request.
type stallConn struct {
	net.Conn
	stall time.Duration
}

func (c *stallConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c *stallConn) Write(b []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
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
