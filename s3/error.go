package s3

import (
	"errors"
	"fmt"
)

// Errors of this package. They are wrapped: test with [errors.Is].
var (
	// ErrOption is for an invalid option. Nothing was moved.
	ErrOption = errors.New("s3: invalid option")
	// ErrName is for a name that is not of the form s3://BUCKET/KEY. Nothing was
	// moved.
	ErrName = errors.New("s3: invalid name")
	// ErrExists is for a key that has an object, which is left as it is.
	ErrExists = errors.New("s3: the object exists")
	// ErrSeveral is for a key with several uploads. Nothing was moved.
	ErrSeveral = errors.New("s3: several uploads of the key")
	// ErrNotComparable is for an upload whose parts can't be compared with the
	// stream. Nothing was moved.
	ErrNotComparable = errors.New("s3: no comparable checksum")
	// ErrDiffers is for a stream that differs from the parts of the upload. They
	// are left as they are.
	ErrDiffers = errors.New("s3: the stream differs from the upload")
	// ErrLimit is for a stream that is longer than [Plan.Limit].
	ErrLimit = errors.New("s3: no more parts")
	// ErrStalled is for a server with which nothing has moved for [Options.Timeout].
	ErrStalled = errors.New("s3: nothing moved")
	// ErrChecksum is for bytes that differ after the transfer.
	ErrChecksum = errors.New("s3: checksum mismatch")
	// ErrUnknown is for an upload that may or may not be complete: the response
	// of the server was lost, and no later request has shown what the object is.
	ErrUnknown = errors.New("s3: it is unknown whether the object is complete")
)

// An Error says what failed, and what was moved.
type Error struct {
	// Name is the name of the object, s3://BUCKET/KEY.
	Name string
	// Safe is how many bytes of the stream the server has, from the first on. For
	// an object that is read it is how many bytes were committed.
	Safe int64
	// Op is what failed: "open", "read" or "write". An upload that fails to open
	// has sent nothing of the stream.
	Op string
	// UploadID is the ID of the upload that was left, for [Resume], or empty.
	UploadID string
	// Err is the cause: an error of this package, of the server or of the
	// producer, the cause of the context, or an [async.Error].
	Err error

	text string
}

const (
	opOpen  = "open"
	opRead  = "read"
	opWrite = "write"
)

// Error returns a text without secrets, in one line.
func (e *Error) Error() string { return e.text }

func (e *Error) Unwrap() error { return e.Err }

// fail returns the Error for err.
func (c *client) fail(op string, err error, safe int64, id string) error {
	text := c.redact(fmt.Sprintf("s3: %s: %v", c.name, err))
	return &Error{Op: op, Name: c.name.String(), Safe: safe, UploadID: id, Err: err, text: text}
}
