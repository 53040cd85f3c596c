package s3

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
)

// sizes are lengths of streams around those of parts.
var sizes = []int{0, 1, testPart - 1, testPart, testPart + 1, 2 * testPart, 7*testPart + 11}

func TestUpload(t *testing.T) {
	s := serve(t)
	for _, sum := range []string{"", "crc64nvme", "crc32c", "crc32", "sha256", "sha1", "md5"} {
		for _, n := range sizes {
			o := s.options()
			o.Checksum, o.Overwrite = sum, true
			want := random(n)
			got, err := drain(t.Context(), t, create(t, "k", o), want, nil)
			if err != nil {
				t.Fatalf("%q, %d bytes: %v", sum, n, err)
			}
			if !bytes.Equal(s.object("k"), want) || got.Bytes != int64(n) || got.Sent != int64(n) || got.Parts != max(1, (n+testPart-1)/testPart) {
				t.Errorf("%q, %d bytes: %+v", sum, n, got)
			}
			// The store compares the sums of one PUT, and of parts the MD5 is the
			// ETag.
			if confirmed := n <= testPart || sum == "md5"; (got.Verified != "") != confirmed {
				t.Errorf("%q, %d bytes: verified by %q", sum, n, got.Verified)
			}
		}
	}
}

func TestUploadOfOnePartIsOneRequest(t *testing.T) {
	s := serve(t)
	o := s.options()
	o.Overwrite = true
	if _, err := drain(t.Context(), t, create(t, "k", o), random(100), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.requests, []string{"put"}) {
		t.Error(s.requests)
	}
}

func TestSourceThatFailsCompletesNothing(t *testing.T) {
	s := serve(t)
	broken := errors.New("planted")
	for _, n := range sizes {
		for _, end := range []error{broken, io.ErrUnexpectedEOF, http.ErrBodyReadAfterClose} {
			u := create(t, "k", s.options())
			sum, err := drain(t.Context(), t, u, random(n), end)
			var failed *Error
			if !errors.Is(err, end) || !errors.As(err, &failed) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			want := int64(n)
			if n <= testPart {
				want = 0
			}
			if failed.Safe != want || sum.Bytes != want || (failed.UploadID != "") != (want > 0) || s.object("k") != nil {
				t.Errorf("%d bytes: %+v, %v", n, failed, s.object("k"))
			}
		}
	}
}
