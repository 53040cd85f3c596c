package httprange

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxRedirects is the number that package net/http follows.
const maxRedirects = 10

// get requests a range from a URL and follows redirects. It returns the response and the
// URL that it came from. An empty range is the whole object. Once the object is known
// the requests carry a condition.
func (f *File) get(ctx context.Context, from *url.URL, byteRange string) (*http.Response, *url.URL, error) {
	for range maxRedirects + 1 {
		r := f.request(ctx, from, byteRange)
		if f.sign != nil && f.own(from) {
			u := *from
			r.URL = &u // for f to change
			if err := f.sign(r); err != nil {
				return nil, nil, fmt.Errorf("httprange: %s: %w", shown(from), err)
			}
		}
		resp, err := f.transport.RoundTrip(r)
		if err != nil {
			return nil, nil, fmt.Errorf("httprange: %s: %w", shown(from), err)
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return resp, from, nil
		}
		to, err := resp.Location()
		discard(resp)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("%w: %s leads to no URL", ErrRedirect, shown(from))
		case to.Scheme != "http" && to.Scheme != "https" || to.Host == "":
			return nil, nil, fmt.Errorf("%w: %s leads to a URL that is not http or https", ErrRedirect, shown(from))
		case from.Scheme == "https" && to.Scheme == "http":
			return nil, nil, fmt.Errorf("%w: from https to http, by %s", ErrRedirect, shown(from))
		}
		to.User, to.Fragment = nil, ""
		from = to
	}
	return nil, nil, fmt.Errorf("%w: more than %d, the last by %s", ErrRedirect, maxRedirects, shown(from))
}

func (f *File) request(ctx context.Context, to *url.URL, byteRange string) *http.Request {
	r := (&http.Request{Method: http.MethodGet, URL: to, Host: to.Host, Header: f.header.Clone()}).WithContext(ctx)
	if !f.own(to) {
		for _, secret := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			r.Header.Del(secret)
		}
	}
	r.Header.Set("Accept-Encoding", "identity")
	if byteRange != "" {
		r.Header.Set("Range", "bytes="+byteRange)
	}
	switch {
	case f.object == nil:
	case f.object.etag != "" && !strings.HasPrefix(f.object.etag, "W/"):
		r.Header.Set("If-Match", f.object.etag)
	case f.object.modified != "":
		r.Header.Set("If-Unmodified-Since", f.object.modified)
	}
	return r
}

// own reports whether u has the scheme and host of the first URL.
func (f *File) own(u *url.URL) bool { return u.Scheme == f.first.Scheme && u.Host == f.first.Host }

// shown returns what an error may show of u.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// discard closes a response whose body is not needed. It reads a short body, so that the
// connection can be reused.
func discard(resp *http.Response) {
	io.CopyN(io.Discard, resp.Body, 16<<10)
	resp.Body.Close()
}

// An object is what the first response says of it, and later ones must repeat.
type object struct {
	etag, modified, encoding string
	size                     int64 // or -1
}

func objectOf(resp *http.Response, size int64) *object {
	h := resp.Header
	return &object{h.Get("Etag"), h.Get("Last-Modified"), h.Get("Content-Encoding"), size}
}

// differs returns how a later response differs from the first, or the empty string. The
// length counts only if the first response gave it.
func (o *object) differs(from *object) string {
	switch {
	case o.etag != from.etag:
		return fmt.Sprintf("the ETag is %q, and was %q", o.etag, from.etag)
	case o.modified != from.modified:
		return fmt.Sprintf("it was modified %q, and before %q", o.modified, from.modified)
	case o.encoding != from.encoding:
		return fmt.Sprintf("the encoding is %q, and was %q", o.encoding, from.encoding)
	case from.size >= 0 && o.size != from.size:
		return fmt.Sprintf("its length is %d, and was %d", o.size, from.size)
	}
	return ""
}

// check compares a response with its request, which was for the bytes from first to last,
// or if last is -1 for all from first on. It returns how many bytes the body has.
func (f *File) check(resp *http.Response, first, last int64) (n int64, err error) {
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK:
		return 0, fmt.Errorf("%w: the whole object for the bytes from %d on", ErrNoRange, first)
	case http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return 0, fmt.Errorf("%w: status %d for the bytes from %d on", ErrChanged, resp.StatusCode, first)
	default:
		return 0, statusError(resp)
	}
	from, to, size, err := contentRange(resp)
	if err != nil {
		return 0, err
	}
	if f.object != nil {
		if why := objectOf(resp, size).differs(f.object); why != "" {
			return 0, fmt.Errorf("%w: %s", ErrChanged, why)
		}
	}
	n = to - from + 1
	switch {
	case from != first:
		return 0, fmt.Errorf("%w: the bytes from %d on, not from %d", ErrInvalidRange, from, first)
	case last >= 0 && to > last, f.object != nil && size >= 0 && last >= 0 && to != last:
		return 0, fmt.Errorf("%w: the bytes up to %d, not %d", ErrInvalidRange, to, last)
	case resp.ContentLength >= 0 && resp.ContentLength != n:
		return 0, fmt.Errorf("%w: %d bytes for a range of %d", ErrInvalidRange, resp.ContentLength, n)
	}
	return n, nil
}

// contentRange returns the offsets of the first and the last byte of a 206, and the
// length of the object, or -1 if the response does not give it.
func contentRange(resp *http.Response) (from, to, size int64, err error) {
	bad := func(why string) (int64, int64, int64, error) {
		return 0, 0, 0, fmt.Errorf("%w: %s", ErrInvalidRange, why)
	}
	if strings.HasPrefix(strings.ToLower(resp.Header.Get("Content-Type")), "multipart/byteranges") {
		return bad("several ranges (multipart/byteranges)")
	}
	text := resp.Header.Get("Content-Range")
	span, total, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	first, last, ok2 := strings.Cut(span, "-")
	if !ok || !ok2 || !strings.HasPrefix(text, "bytes ") {
		return bad(fmt.Sprintf("Content-Range is %q", text))
	}
	from, to, size = number(first), number(last), number(total)
	if total == "*" {
		size = -1
	} else if size < 0 || to >= size {
		return bad(fmt.Sprintf("Content-Range is %q", text))
	}
	if from < 0 || to < from {
		return bad(fmt.Sprintf("Content-Range is %q", text))
	}
	return from, to, size, nil
}

// number returns the number in s, or -1.
func number(s string) int64 {
	n, err := strconv.ParseUint(s, 10, 62)
	if err != nil {
		return -1
	}
	return int64(n)
}
