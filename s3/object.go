package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
	"github.com/minio/minio-go/v7/pkg/signer"
)

// largestBlock is the largest size of a block, in units. Ranges are longer if that is
// faster.
const largestBlock = 16

// An Object is an object to be read.
type Object struct {
	c     *client
	found found
	file  *httprange.File
	plan  Plan
}

// Open asks the server for the object named s3://BUCKET/KEY. If the object is
// replaced after that, [Object.Fill] fails. Fill should follow within two seconds: it
// reads the response to a request that Open has made, which is given up after that.
func Open(ctx context.Context, object string, o Options) (*Object, error) {
	c, err := dial(object, o)
	if err != nil {
		return nil, err
	}
	ob := &Object{c: c}
	if ob.plan, err = c.layout().plan(); err != nil {
		return nil, err
	}
	if ob.plan.Part > largestBlock*c.unit {
		ob.plan.Part = largestBlock * c.unit
	}
	if err := ob.open(ctx); err != nil {
		c.transport.CloseIdleConnections()
		return nil, c.fail(opOpen, err, 0, "")
	}
	return ob, nil
}

// patience is how long the response to one range may wait to be read before it is given
// up, if that may help others.
const patience = 2 * time.Second

// open asks what the object is, and for its bytes, at the same time.
func (ob *Object) open(ctx context.Context) (err error) {
	c := ob.c
	at, region, err := c.place(ctx)
	if err != nil {
		return err
	}
	var looked sync.WaitGroup
	var failed error
	looked.Go(func() { ob.found, failed = c.look(ctx) })
	err = c.try(ctx, func(ctx context.Context) error {
		ob.file, err = httprange.Open(ctx, at.String(), httprange.Transport(c.transport), httprange.Depth(ob.plan.Depth),
			httprange.Ahead(int(ob.plan.Part), min(c.Stall/2, patience)), httprange.StreamRetry(c.rangeAgain), httprange.Sign(func(r *http.Request) error { return c.sign(r, region) }))
		return asOurs(err)
	})
	looked.Wait()
	switch etag := ob.found.Headers.Get("Etag"); {
	case failed != nil:
		err = failed
	case !ob.found.exists:
		err = errors.New("there is no such object")
	case err == nil && etag != "" && ob.file.ETag() != "" && ob.file.ETag() != etag:
		err = fmt.Errorf("%w: the ETag is %q, and was %q", httprange.ErrChanged, ob.file.ETag(), etag)
	}
	if err != nil && ob.file != nil {
		ob.file.Close()
	}
	return err
}

// sign signs a request that has no body.
func (c *client) sign(r *http.Request, region string) error {
	v, err := c.creds.GetWithContext(c.core.CredContext())
	if err != nil || v.SignerType.IsAnonymous() {
		return err
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	r.Header.Set("X-Amz-Content-Sha256", empty)
	*r = *signer.SignV4(*r, v.AccessKeyID, v.SecretAccessKey, v.SessionToken, cmp.Or(region, "us-east-1"))
	return nil
}

// Plan returns how the object is read: Part is the size of a block, and the smallest
// of a range.
func (ob *Object) Plan() Plan { return ob.plan }

// Size returns the length of the object.
func (ob *Object) Size() int64 { return ob.found.ObjectInfo.Size }

// Fill reads the object into the ring of p, as [async.Fill] does. At the end it
// compares the checksum, if the object has one of all its bytes. Fill does not
// close p: close it with the error, so that the consumer gets it.
//
// Any error is an [*Error], whose Safe is how many bytes were committed. One that
// wraps httprange.ErrChanged is for an object that was replaced, and one that
// wraps [ErrChecksum] for bytes that are not the object's, all of which were
// committed.
func (ob *Object) Fill(ctx context.Context, p *bytering.Producer) (Summary, error) {
	c := ob.c
	defer c.transport.CloseIdleConnections()
	defer ob.file.Close()
	v := newVerifier(ob.found)
	var n int64
	var err error
	if ob.file.Ranges() {
		var stats async.Stats
		stats, err = async.Fill(ctx, p, &verifiedObject{ob, v}, async.Length(ob.Size()),
			async.Block(int(ob.plan.Part)), async.Depth(ob.plan.Depth), async.Retry(c.rangeAgain))
		n = stats.Safe
	} else {
		n, err = p.ReadFrom(&verifiedStream{r: ob.file.Stream(ctx, 0), v: v})
		if err == nil && n != ob.Size() {
			err = io.ErrUnexpectedEOF
		}
	}
	s := Summary{Name: c.name.String(), Bytes: n, Part: ob.plan.Part, Retries: c.retries.Load()}
	if err == nil {
		s.Verified, err = v.verdict(n)
	}
	if err != nil {
		return s, c.fail(opRead, err, n, "")
	}
	return s, nil
}

// asOurs returns an error of package httprange as one of this package, so that one
// rule decides what is retried.
func asOurs(err error) error {
	for _, final := range []error{httprange.ErrNoRange, httprange.ErrChanged, httprange.ErrInvalidRange, httprange.ErrRedirect, httprange.ErrInvalidURL} {
		if err == nil || errors.Is(err, final) {
			return err
		}
	}
	if s := (*httprange.StatusError)(nil); errors.As(err, &s) {
		a := &answer{after: s.RetryAfter}
		a.StatusCode, a.Message = s.Code, http.StatusText(s.Code)
		return a
	}
	// The connection has broken. Only the error of an http.Client would say so.
	return &url.Error{Op: http.MethodGet, URL: "the object", Err: err}
}

// rangeAgain is again for ranges.
func (c *client) rangeAgain(err error, attempt int) (wait time.Duration, again bool) {
	return c.again(asOurs(err), attempt)
}
