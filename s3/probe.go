package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// probe finds out whether the server heeds If-None-Match, if the options say so, and
// logs if it does not. The responses to one upload do not show it, so probe makes an
// object of its own, and makes it again.
func (u *Upload) probe(ctx context.Context) {
	if !u.c.Probe || u.c.Overwrite {
		return
	}
	c := u.c.beside()
	err := c.probe(ctx, u)
	if gone := c.remove(ctx); gone != nil {
		err = errors.Join(err, fmt.Errorf("%s may be left: %w", c.name, gone))
	}
	if err != nil {
		u.c.log("%s: whether the server heeds If-None-Match was not found out: %v", u.c.name, err)
	}
}

// beside returns a client for another object, named after that of c.
func (c *client) beside() *client {
	o, n := c.Options, c.name
	o.Overwrite = true // the looks for an object find nothing
	o.LockMode, o.LockUntil, o.LegalHold = "", time.Time{}, false
	n.key = strings.ToValidUTF8(c.key[:min(len(c.key), 900)], "") + ".probe-" + rand.Text()
	return &client{Options: o, name: n, core: c.core, transport: c.transport, chain: c.chain, creds: c.creds}
}

// probe makes the object of c three times: without the condition, and with it by each of
// the requests that can make one.
func (c *client) probe(ctx context.Context, u *Upload) error {
	sums := u.sums
	attempt := func(condition bool) *Upload {
		return &Upload{c: c, sums: sums, condition: condition, news: make(chan struct{})}
	}
	first := attempt(false)
	if _, err := first.put(ctx, nil, nil); err != nil {
		return err
	}
	sums = first.mode() // which the server takes
	// The bytes differ, so that none is taken for another.
	for _, way := range []struct {
		request string
		make    func(p *Upload) error
	}{
		{"PUT", func(p *Upload) error {
			_, err := p.put(ctx, []byte{1}, nil)
			return err
		}},
		{"completion", func(p *Upload) error {
			defer p.abort(ctx)
			if err := c.try(ctx, p.begin); err != nil {
				return err
			}
			part := &memory{a: []byte{2}}
			if err := c.try(ctx, func(ctx context.Context) error { return p.send(ctx, 1, 1, part.open) }); err != nil {
				return err
			}
			p.again = p.looks(ctx)
			defer p.again.end()
			_, err := p.complete(ctx)
			return err
		}},
	} {
		p := attempt(true)
		switch err := way.make(p); {
		case errors.Is(err, ErrExists):
		case err != nil:
			return fmt.Errorf("%s: %w", way.request, err)
		case p.condition: // otherwise it was refused, which is logged
			u.c.log("%s: the server ignores If-None-Match on %s: an object that is made meanwhile is replaced", u.c.name, way.request)
		}
	}
	return nil
}

// remove deletes the object of c.
func (c *client) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortGrace)
	defer cancel()
	return c.try(ctx, func(ctx context.Context) error {
		_, err := c.do(ctx, nil, func(ctx context.Context) error {
			return c.core.RemoveObject(ctx, c.bucket, c.key, minio.RemoveObjectOptions{})
		})
		return err
	})
}
