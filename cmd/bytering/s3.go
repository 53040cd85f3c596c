//go:build !nos3

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/s3"
)

// An s3Store is what speaks S3, with what the command line says.
type s3Store struct {
	s3.Options
	objects
}

func (s *stream) store() (store, error) {
	o := s.objects
	st := &s3Store{objects: o, Options: s3.Options{
		Memory: int64(s.memory.bytes), Depth: s.depth, MaxParts: o.maxParts,
		Overwrite: s.force, LookLater: s.startsAtOnce(), Abort: o.abort, Probe: o.probe,
		Checksum: o.checksum, ContentMD5: o.contentMD5,
		StorageClass: o.storageClass, ContentType: o.contentType, Metadata: o.metadata,
		Encryption: o.encryption, KMSKey: o.kmsKey,
		LockMode: o.lockMode, LockUntil: o.lockUntil, LegalHold: o.legalHold,
		Timeout: s.timeout,
		Log: func(line string) {
			if !s.show.quiet {
				s.voice.tell(sayWarnings, line)
			}
		},
	}}
	if s.anyMemory {
		st.Memory = 0
	}
	return st, nil
}

func (st *s3Store) source(ctx context.Context, name string) (*stored, error) {
	ob, err := s3.Open(ctx, name, st.Options)
	if err != nil {
		return nil, storeFailure(err)
	}
	o := &stored{size: ob.Size(), ring: ob.Plan().Ring()}
	o.fill = func(ctx context.Context, p *bytering.Producer) (int64, error) {
		summary, err := ob.Fill(ctx, p)
		if err != nil {
			return summary.Bytes, storeFailure(err)
		}
		o.summary = summary.String()
		return summary.Bytes, nil
	}
	return o, nil
}

func (st *s3Store) sink(ctx context.Context, name string, size int64) (*stored, error) {
	opts := st.Options
	opts.Size = max(size, 0)
	var up *s3.Upload
	var err error
	if st.resume {
		up, err = s3.Resume(ctx, name, st.uploadID, opts)
	} else {
		up, err = s3.Create(ctx, name, opts)
	}
	if err != nil {
		return nil, storeFailure(err)
	}
	o := &stored{ring: up.Plan().Ring()}
	o.drain = func(ctx context.Context, c *bytering.Consumer) (int64, error) {
		summary, err := up.Drain(ctx, c)
		if err == nil {
			o.summary = summary.String()
			return summary.Bytes, nil
		}
		var failed *s3.Error
		if errors.As(err, &failed) && failed.UploadID != "" {
			o.left = failed.UploadID
		}
		return summary.Bytes, storeFailure(err)
	}
	return o, nil
}

// goOn says how to go on with the upload of that ID. Of URLs it has no more than other
// messages have.
func goOn(id string) error {
	how, args := "go on with", s3.ResumeArgs(os.Args, id)
	for i, a := range args {
		for at := range a {
			if isWeb(a[at:]) {
				args[i] = a[:at] + shown(a[at:])
				break
			}
		}
		if args[i] != a {
			how = "go on with, and with the URL as it was"
		}
	}
	return fmt.Errorf("%s: %s", how, s3.Quote(args))
}

// storeFailure returns the failure for an error of package s3.
func storeFailure(err error) error {
	code := exitRefused
	named := (*s3.Error)(nil)
	errors.As(err, &named)
	switch {
	case errors.Is(err, s3.ErrDiffers):
		code = exitDiffers
	case errors.Is(err, s3.ErrStalled):
		code = exitTimeout
	case named != nil && named.Op == "read":
		code = exitSource
	case named != nil && named.Op == "write":
		code = exitSink
	}
	return &failure{code, storeError{err}}
}

// A storeError is an error of package s3 as messages have it: with what was done to
// the object, if it names one, and without the name of the package.
type storeError struct{ error }

func (e storeError) Error() string {
	text := strings.ReplaceAll(strings.TrimPrefix(e.error.Error(), "s3: "), ": s3: ", ": ")
	if named := (*s3.Error)(nil); errors.As(e.error, &named) {
		text = named.Op + " " + text
	}
	return text
}

func (e storeError) Unwrap() error { return e.error }
