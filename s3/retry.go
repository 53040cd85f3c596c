package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"
)

// longestWait is the longest wait before a retry.
const longestWait = 30 * time.Second

// An answer is an error response of a server.
type answer struct {
	minio.ErrorResponse
	after time.Duration // that it asks to wait, or 0
}

func (a *answer) Error() string {
	text := a.ErrorResponse.Error()
	if a.Code != "" && a.Code != text {
		text = fmt.Sprintf("%s (%s)", text, a.Code)
	}
	if a.StatusCode == 0 {
		return "the server's answer can't be read: " + text
	}
	return fmt.Sprintf("the server answered %d: %s", a.StatusCode, text)
}

// errNoAnswer is for a response that reports success and lacks something that it
// must have, such as an ETag. It may contain an error.
var errNoAnswer = errors.New("the server answered success, and nothing else")

// status returns the status of an answer, or 0 if err is not one.
func status(err error) int {
	var a *answer
	if errors.As(err, &a) {
		return a.StatusCode
	}
	return 0
}

// code returns the code of an answer, or "".
func code(err error) string {
	var a *answer
	if errors.As(err, &a) {
		return a.Code
	}
	return ""
}

// retryAfter returns the time of a Retry-After header, or 0.
func retryAfter(h http.Header) time.Duration {
	after := h.Get("Retry-After")
	if s, err := strconv.ParseInt(after, 10, 32); err == nil {
		return max(0, time.Duration(s)*time.Second)
	}
	if t, err := http.ParseTime(after); err == nil {
		return max(0, time.Until(t))
	}
	return 0
}

// transient reports whether a request that failed may succeed if it is repeated.
func transient(err error) bool {
	if errors.Is(err, ErrStalled) {
		return false
	}
	var a *answer
	if errors.As(err, &a) {
		switch a.Code {
		case "SlowDown", "SlowDownRead", "SlowDownWrite", "InternalError", "ServiceUnavailable",
			"RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestThrottled",
			"OperationAborted", "ConditionalRequestConflict", "ExpiredToken", "ExpiredTokenException",
			"BadDigest", "IncompleteBody", "XAmzContentChecksumMismatch":
			return true
		case "AuthorizationHeaderMalformed", "InvalidRegion", "AccessDenied":
			// The client knows the region of the bucket now.
			return a.Region != ""
		}
		switch a.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, 499, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 520:
			return true
		}
		return false
	}
	if errors.Is(err, errNoAnswer) {
		return true
	}
	if errors.Is(err, ErrChecksum) {
		return !errors.Is(err, errWrong) // a part can be sent again
	}
	var (
		unknown   x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		notTLS    tls.RecordHeaderError
		nameError *net.DNSError
	)
	switch {
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &notTLS):
		return false
	case errors.As(err, &nameError):
		return !nameError.IsNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return true // of one attempt: that of the call was checked before
	}
	var request *url.Error
	var network net.Error
	return errors.As(err, &request) || errors.As(err, &network)
}

// again decides for [async.Retry] what is retried.
func (c *client) again(err error, attempt int) (wait time.Duration, again bool) {
	if attempt > c.Retries || !transient(err) {
		return 0, false
	}
	c.retries.Add(1)
	wait = min(c.backoff<<min(attempt-1, 10), longestWait)
	wait = wait/2 + rand.N(wait/2+1)
	var a *answer
	if errors.As(err, &a) {
		wait = min(max(wait, a.after), longestWait)
	}
	return wait, true
}

// try calls f until it succeeds, or fails with an error that is not transient.
// All requests other than those of parts use it.
func (c *client) try(ctx context.Context, f func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		wait, again := c.again(err, attempt)
		if !again {
			return err
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
}

// grace returns a context that ends some time after ctx has, so that the
// outcome of what was begun under ctx can be found out.
func grace(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(d, cancel)
		context.AfterFunc(longer, func() { t.Stop() })
	})
	return longer, func() { stop(); cancel() }
}
