package s3

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// soon waits until ok, or fails.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("there was no %s", what)
			return
		}
	}
}

// later returns options with LookLater.
func (s *server) later() Options {
	o := s.options()
	o.LookLater = true
	return o
}

// The object is looked for while the upload begins. Nothing is left of an upload
// whose object exists, and nothing was sent.
func TestLookLater(t *testing.T) {
	for _, exists := range []bool{false, true} {
		s := serve(t)
		if exists {
			s.plant("k", []byte("theirs"))
		}
		first := times(1, "head")
		s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
			if first(r) {
				soon(t, "upload", func() bool { return s.count("create") == 1 })
			}
			return false
		})
		u := create(t, "k", s.later())
		want := random(3 * testPart)
		sum, err := drain(t.Context(), t, u, want, nil)
		if !exists {
			if err != nil || !bytes.Equal(s.object("k"), want) {
				t.Error(err)
			}
			continue
		}
		var failed *Error
		if !errors.Is(err, ErrExists) || !errors.As(err, &failed) || failed.Op != "open" || failed.UploadID != "" || sum.Sent != 0 {
			t.Errorf("%+v, %v", sum, err)
		}
		left, err := u.c.uploads(t.Context())
		if s.count("part") > 0 || len(left) > 0 || err != nil || string(s.object("k")) != "theirs" {
			t.Error(s.requests, left, err)
		}
	}
}

// One PUT waits for the look, because a server may ignore its condition.
func TestLookBeforeOnePut(t *testing.T) {
	s := serve(t)
	s.plant("k", []byte("theirs"))
	s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "head" {
			time.Sleep(50 * time.Millisecond)
		}
		r.Header.Del("If-None-Match")
		return false
	})
	if _, err := drain(t.Context(), t, create(t, "k", s.later()), random(10), nil); !errors.Is(err, ErrExists) || string(s.object("k")) != "theirs" {
		t.Error(err)
	}
}

// A source that has nothing yet is not waited for.
func TestLookEndsAWait(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		is     func(error) bool
	}{
		"exists": {200, func(err error) bool { return errors.Is(err, ErrExists) }},
		"503":    {503, func(err error) bool { return status(err) == 503 }},
	} {
		s := serve(t)
		s.plant("k", []byte("theirs"))
		s.fault(func(w http.ResponseWriter, _ *http.Request) bool {
			if c.status != 200 {
				w.WriteHeader(c.status)
			}
			return c.status != 200
		})
		o := s.later()
		o.Retries = 1
		u := create(t, "k", o)
		p, ring := newRing(t, int(u.Plan().Ring()))
		p.Write([]byte("a little"))
		ended := make(chan error, 1)
		go func() {
			_, err := u.Drain(t.Context(), ring)
			ended <- err
		}()
		select {
		case err := <-ended:
			if failed := (*Error)(nil); !c.is(err) || !errors.As(err, &failed) || failed.Op != "open" || failed.Safe != 0 {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: it waits for more", name)
		}
		if s.count("create")+s.count("put") > 0 {
			t.Error(s.requests)
		}
	}
}

// An upload that can't be aborted is named.
func TestLookLaterLeavesNothingUnnamed(t *testing.T) {
	s := serve(t)
	s.plant("k", []byte("theirs"))
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		switch kind(r) {
		case "head":
			soon(t, "upload", func() bool { return s.count("create") == 1 })
		case "abort":
			answerError(w, 403, "AccessDenied")
			return true
		}
		return false
	})
	u := create(t, "k", s.later())
	_, err := drain(t.Context(), t, u, random(3*testPart), nil)
	var failed *Error
	if !errors.Is(err, ErrExists) || !errors.As(err, &failed) || failed.UploadID == "" || !strings.Contains(err.Error(), "whether it is aborted is unknown") {
		t.Errorf("%+v", err)
	}
}

// The look before the last request runs beside the last part. If that takes long, it
// is repeated.
func TestLookBesideTheLastPart(t *testing.T) {
	for _, fresh := range []time.Duration{time.Hour, time.Nanosecond} {
		s := serve(t)
		o := s.options()
		o.fresh, o.Stall = fresh, time.Minute // so that no part is sent again
		u := create(t, "k", o)
		s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("partNumber") == "3" {
				soon(t, "look", func() bool { return s.count("head") == 2 })
			}
			return false
		})
		if _, err := drain(t.Context(), t, u, random(3*testPart), nil); err != nil {
			t.Error(err)
		}
		want := 3 // with the one that compares
		if fresh < time.Hour {
			want = 4
		}
		if n := s.count("head"); n != want {
			t.Errorf("%d looks, not %d", n, want)
		}
	}
}

// An object that the answer of Complete shows to be the right one is not looked at.
func TestCompleteThatShowsTheObject(t *testing.T) {
	want := random(3 * testPart)
	h := minio.ChecksumCRC64NVME.Hasher()
	h.Write(want)
	for sum, looks := range map[string]int{"<ChecksumCRC64NVME>" + base64Of(h.Sum(nil)) + "</ChecksumCRC64NVME>": 0, "": 1} {
		s := serve(t)
		o := s.options()
		o.Overwrite = true
		u := create(t, "k", o)
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if kind(r) != "complete" {
				return false
			}
			s.swallow(r)
			fmt.Fprintf(w, `<CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>k</Key><ETag>"x-3"</ETag>%s</CompleteMultipartUploadResult>`, testBucket, sum)
			return true
		})
		got, err := drain(t.Context(), t, u, want, nil)
		if n := s.count("head"); err != nil || n != looks || (looks == 0) != strings.HasPrefix(got.Verified, "CRC64NVME ") {
			t.Errorf("%q: %d looks, %+v, %v", sum, n, got, err)
		}
	}
}
