package httprange

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Errors of this package. They are wrapped: test with [errors.Is].
var (
	// ErrNoRange is for a response with the whole object to a range request, and for
	// ReadAt of an object that has no ranges.
	ErrNoRange = errors.New("httprange: no ranges")
	// ErrChanged is for an object that differs from the one that was opened.
	ErrChanged = errors.New("httprange: the object has changed")
	// ErrInvalidRange is for a response that is not the range that was asked for.
	ErrInvalidRange = errors.New("httprange: invalid range")
	// ErrRedirect is for a redirect that is not followed.
	ErrRedirect = errors.New("httprange: redirect not followed")
	// ErrInvalidURL is for a URL that does not parse, or is not http or https.
	ErrInvalidURL = errors.New("httprange: invalid URL")
)

// A StatusError is a response that has no bytes of the object.
type StatusError struct {
	Code int
	// RetryAfter is how long the server asks the client to wait, or 0.
	RetryAfter time.Duration
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("httprange: status %d %s", e.Code, http.StatusText(e.Code))
}

// statusError returns the error of a response.
func statusError(resp *http.Response) error {
	e := &StatusError{Code: resp.StatusCode}
	after := resp.Header.Get("Retry-After")
	if s, err := strconv.ParseInt(after, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		e.RetryAfter = max(0, time.Duration(s)*time.Second)
	} else if t, err := http.ParseTime(after); err == nil {
		e.RetryAfter = max(0, time.Until(t))
	}
	return e
}

// Retry returns a function for [async.Retry] and [StreamRetry]. It retries up to n times
// in a row after failures that may be temporary: errors of the connection, stalls, and
// the statuses 408, 429 and from 500 on. It waits for 0.1 s and doubles that each time,
// or for as long as the server asks if that is longer, but at most for a minute.
func Retry(n int) func(err error, attempt int) (wait time.Duration, again bool) {
	const least, most = 100 * time.Millisecond, time.Minute
	return func(err error, attempt int) (time.Duration, bool) {
		for _, final := range []error{ErrNoRange, ErrChanged, ErrInvalidRange, ErrRedirect, ErrInvalidURL} {
			if errors.Is(err, final) {
				return 0, false
			}
		}
		wait := min(least<<min(attempt-1, 20), most)
		var status *StatusError
		if errors.As(err, &status) {
			if c := status.Code; c != http.StatusRequestTimeout && c != http.StatusTooManyRequests && c < 500 {
				return 0, false
			}
			wait = min(max(wait, status.RetryAfter), most)
		}
		return wait, attempt <= n
	}
}
