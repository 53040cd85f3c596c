package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// A client makes requests for one object.
type client struct {
	Options
	name
	core      *minio.Core
	transport *http.Transport
	chain     *chain
	creds     *credentials.Credentials
	retries   atomic.Int64 // requests that were made again
}

// dial returns a client. It makes no request.
func dial(object string, o Options) (*client, error) {
	n, err := parseName(object)
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	files, err := readShared()
	if err != nil {
		return nil, err
	}
	endpoint := cmp.Or(files.endpoint("s3"), "https://s3.amazonaws.com")
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%w: the endpoint is not a URL of http or https", ErrOption)
	case u.User != nil:
		return nil, fmt.Errorf("%w: the endpoint has a user: credentials are read from elsewhere", ErrOption)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "":
		return nil, fmt.Errorf("%w: the endpoint %s has more than a host", ErrOption, u.Host)
	}
	c := &client{Options: o, name: n}
	if c.chain, err = newChain(files); err != nil {
		return nil, err
	}
	if c.transport, err = newTransport(max(o.Depth, defaultDepth), o.Stall, o.Timeout > 0); err != nil {
		return nil, err
	}
	c.creds = credentials.New(c.chain)
	c.core, err = minio.NewCore(u.Host, &minio.Options{
		Creds:      c.creds,
		Secure:     u.Scheme == "https",
		Transport:  exchanges{c.transport},
		Region:     files.region(),
		MaxRetries: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: the endpoint %s: %v", ErrOption, u.Host, err)
	}
	if u.Scheme == "http" {
		c.log("%s is not encrypted: it is http", u.Host)
	}
	return c, nil
}

// log passes a line to the Log of the options.
func (c *client) log(format string, args ...any) {
	c.Log(c.redact(fmt.Sprintf(format, args...)))
}

// redact is [redact] with the secrets of the client.
func (c *client) redact(text string) string { return redact(text, c.chain.known()...) }

// do calls f, which makes one request with the context that it gets. If the
// error of f is a response of the server, do returns it as an answer. The body,
// if there is one, is closed after its last read.
func (c *client) do(ctx context.Context, body io.ReadCloser, f func(context.Context) error) (*exchange, error) {
	x := &exchange{body: body}
	err := f(context.WithValue(ctx, exchangeKey{}, x))
	if body != nil && !x.taken {
		body.Close()
	}
	if err == nil {
		return x, nil
	}
	var resp minio.ErrorResponse
	if !errors.As(err, &resp) {
		return x, err
	}
	if v, _ := c.creds.GetWithContext(nil); resp.StatusCode == http.StatusForbidden && v.SignerType.IsAnonymous() {
		return x, fmt.Errorf("%w; %w", &answer{resp, 0}, c.chain.why())
	}
	return x, &answer{resp, retryAfter(x.header)}
}

// A found is what the server reports of the object.
type found struct {
	minio.ObjectInfo
	exists bool
}

// place returns the URL of the object and the region of its bucket.
func (c *client) place(ctx context.Context) (at *url.URL, region string, err error) {
	err = c.try(ctx, func(ctx context.Context) error {
		_, err := c.do(ctx, nil, func(ctx context.Context) (err error) {
			region, err = c.core.GetBucketLocation(ctx, c.bucket)
			return err
		})
		return err
	})
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x := &exchange{dry: cancel}
	_, err = c.core.StatObject(context.WithValue(ctx, exchangeKey{}, x), c.bucket, c.key, minio.StatObjectOptions{})
	if x.url == nil {
		return nil, "", err
	}
	return x.url, region, nil
}

// look asks the server for the object. It is not an error if there is none.
func (c *client) look(ctx context.Context) (f found, err error) {
	err = c.try(ctx, func(ctx context.Context) error {
		opts := minio.StatObjectOptions{Checksum: true}
		_, err := c.do(ctx, nil, func(ctx context.Context) (err error) {
			f.ObjectInfo, err = c.core.StatObject(ctx, c.bucket, c.key, opts)
			return err
		})
		f.exists = err == nil
		if code(err) == "NoSuchKey" || status(err) == http.StatusNotFound && code(err) != "NoSuchBucket" {
			return nil
		}
		return err
	})
	return f, err
}
