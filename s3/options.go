package s3

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"golang.org/x/net/http/httpguts"
)

// Options change how a call works. The zero value is useful.
type Options struct {
	// Memory is how many bytes the ring may have. If it is 0, that is 64 MiB,
	// or more if Size needs more.
	Memory int64
	// Size is a hint: how long the stream will be, or 0.
	Size int64
	// Depth is the largest number of parts or ranges in flight at once; 0 means
	// 4.
	Depth int
	// MaxParts is how many parts the server allows an upload; 0 means 10,000.
	MaxParts int

	// Overwrite lets an upload replace an object.
	Overwrite bool
	// LookLater makes [Create] return before it is known whether the key has an
	// object. [Upload.Drain] finds out while it waits for the first part and begins
	// the upload, and sends nothing of the stream before. If there is an object,
	// an upload that was begun is aborted.
	LookLater bool
	// Probe makes [Create] and [Resume] find out first whether the server heeds
	// If-None-Match, which keeps an upload from replacing an object, and tell Log if
	// it does not. This takes some ten requests: an object of at most one byte, whose
	// key is KEY.probe- and some letters and digits, is made several times and
	// deleted. A bucket that keeps versions keeps them. With Overwrite there is no
	// probe.
	Probe bool
	// Abort makes [Upload.Drain] abort an upload that fails. Otherwise the
	// upload is left for [Resume].
	Abort bool

	// Checksum is crc64nvme, crc32c, crc32, sha256, sha1 or md5. If the server
	// refuses it, the call fails. Empty means crc64nvme, or md5 if the server
	// refuses that.
	Checksum string
	// ContentMD5 adds Content-MD5 to each part. A bucket with object lock may
	// require that.
	ContentMD5 bool

	// The following are properties of the object. The server chooses those that
	// are empty.
	StorageClass string
	ContentType  string
	Metadata     map[string]string
	// Encryption is AES256 for keys of the server, or aws:kms, with an optional
	// KMSKey that names the key.
	Encryption string
	KMSKey     string
	// LockMode is GOVERNANCE or COMPLIANCE, until LockUntil.
	LockMode  string
	LockUntil time.Time
	LegalHold bool

	// Retries is how many times a failed request is retried; 0 means 8, and a
	// negative number means none.
	Retries int
	// Stall is how long a connection may move nothing before it is closed and its
	// request retried; 0 means a minute.
	Stall time.Duration
	// Timeout, if it is not 0, is used instead of Stall. If no other connection has
	// moved anything for so long either, the request is not retried, and the call
	// fails with [ErrStalled].
	Timeout time.Duration
	// Log is called with messages for the user, each a line without a newline.
	// Any goroutine may call it. If it is nil the messages are dropped.
	Log func(line string)

	unit    int64         // what parts are multiples of; 0 is 1 MiB
	backoff time.Duration // the first wait before a retry; 0 is 0.2 s
	fresh   time.Duration // how long a look for the object counts before the last request; 0 is 10 s
	page    int           // how many entries a listing is asked for at once; 0 is 1000
}

// withDefaults returns o with its zeros replaced by the defaults.
func (o Options) withDefaults() (Options, error) {
	if o.Retries == 0 {
		o.Retries = 8
	}
	if o.Stall == 0 {
		o.Stall = time.Minute
	}
	if o.Timeout != 0 {
		o.Stall = o.Timeout
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	if o.unit == 0 {
		o.unit = mebibyte
	}
	if o.backoff == 0 {
		o.backoff = 200 * time.Millisecond
	}
	if o.fresh == 0 {
		o.fresh = 10 * time.Second
	}
	if o.page == 0 {
		o.page = 1000
	}
	if o.Stall < 0 {
		return o, fmt.Errorf("%w: a stall of %v", ErrOption, o.Stall)
	}
	if _, err := o.sums(); err != nil {
		return o, err
	}
	_, err := o.put()
	return o, err
}

func (o Options) layout() layout {
	return layout{memory: o.Memory, size: o.Size, depth: o.Depth, maxParts: o.MaxParts, unit: o.unit}
}

// put returns the options of a request that begins an upload or is one.
func (o Options) put() (minio.PutObjectOptions, error) {
	put := minio.PutObjectOptions{
		StorageClass:    o.StorageClass,
		ContentType:     o.ContentType,
		UserMetadata:    map[string]string{},
		RetainUntilDate: o.LockUntil,
		// The sums and TLS protect the bytes.
		DisableContentSha256: true,
	}
	for _, k := range slices.Sorted(maps.Keys(o.Metadata)) {
		if !httpguts.ValidHeaderFieldName(k) || !httpguts.ValidHeaderFieldValue(o.Metadata[k]) {
			return put, fmt.Errorf("%w: metadata %q can't be sent in a header", ErrOption, k)
		}
		put.UserMetadata["x-amz-meta-"+k] = o.Metadata[k]
	}
	var err error
	switch o.Encryption {
	case "":
	case "AES256":
		put.ServerSideEncryption = encrypt.NewSSE()
	case "aws:kms":
		put.ServerSideEncryption, err = encrypt.NewSSEKMS(o.KMSKey, nil)
	default:
		err = fmt.Errorf("%w: encryption %q is not AES256 or aws:kms", ErrOption, o.Encryption)
	}
	if err == nil && o.KMSKey != "" && o.Encryption != "aws:kms" {
		err = fmt.Errorf("%w: a KMS key without aws:kms", ErrOption)
	}
	if o.LockMode != "" {
		put.Mode = minio.RetentionMode(o.LockMode)
		if !put.Mode.IsValid() {
			err = fmt.Errorf("%w: object lock %q is not GOVERNANCE or COMPLIANCE", ErrOption, o.LockMode)
		}
	}
	if (o.LockMode == "") != o.LockUntil.IsZero() {
		err = fmt.Errorf("%w: object lock takes a mode and a time", ErrOption)
	}
	if o.LegalHold {
		put.LegalHold = minio.LegalHoldEnabled
	}
	return put, err
}
