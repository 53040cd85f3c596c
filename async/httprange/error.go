package httprange

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Errors that say what a server did. They are wrapped: test with [errors.Is].
var (
	// ErrNoRange is for a whole object where a range was asked for, and for ReadAt
	// of what has no ranges.
	ErrNoRange = errors.New("httprange: no ranges")
	// ErrChanged is for an object that is not the one that was opened.
	ErrChanged = errors.New("httprange: the object has changed")
	// ErrInvalidRange is for an answer that is not the range that was asked for.
	ErrInvalidRange = errors.New("httprange: invalid range")
	// ErrRedirect is for a redirect that is not followed.
	ErrRedirect = errors.New("httprange: redirect not followed")
	// ErrInvalidURL is for a URL that does not parse, or is not http or https.
	ErrInvalidURL = errors.New("httprange: invalid URL")
)

// A StatusError is an answer that has no bytes of the object.
type StatusError struct {
	Code int
	// RetryAfter is how long the server asks to wait, or 0.
	RetryAfter time.Duration
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("httprange: status %d %s", e.Code, http.StatusText(e.Code))
}

// statusError returns the error of an answer.
func statusError(resp *http.Response) error {
	e := &StatusError{Code: resp.StatusCode}
	after := resp.Header.Get("Retry-After")
	if s, err := strconv.ParseInt(after, 10, 32); err == nil {
		e.RetryAfter = max(0, time.Duration(s)*time.Second)
	} else if t, err := http.ParseTime(after); err == nil {
		e.RetryAfter = max(0, time.Until(t))
	}
	return e
}

// Retry is for [async.Retry], and for [StreamRetry]: it tries up to n times in a
// row what may be better next time. These are breaks of the connection, stalls,
// and the status 408, 429 and those from 500 on. It waits for as long as the
// server asks for, but at most a minute, and otherwise for 0.1 s, and twice as
// long each time.
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
