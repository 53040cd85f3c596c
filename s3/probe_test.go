package s3

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rclone/gofakes3"
)

// TestProbe checks that a server that ignores or refuses the condition is told of, for
// each request, and that nothing is left.
func TestProbe(t *testing.T) {
	const (
		heeds = iota
		ignores
		refuses
	)
	for put := heeds; put <= refuses; put++ {
		for completion := heeds; completion <= refuses; completion++ {
			s := serve(t)
			s.fake = gofakes3.New(s.backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server() // without signatures
			s.fault(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("If-None-Match") == "" {
					return false
				}
				does := put
				if kind(r) == "complete" {
					does = completion
				}
				switch does {
				case ignores:
					r.Header.Del("If-None-Match")
				case refuses:
					answerError(w, http.StatusNotImplemented, "NotImplemented")
				}
				return does == refuses
			})
			o := s.options()
			o.Probe = true
			create(t, "k", o)
			var want []string
			for i, does := range []int{put, completion} {
				switch name := []string{"PUT", "completion"}[i]; does {
				case ignores:
					want = append(want, "s3://bucket/k: the server ignores If-None-Match on "+name)
				case refuses:
					want = append(want, "s3://bucket/k.probe-")
				}
			}
			got := slices.DeleteFunc(slices.Clone(s.lines), func(line string) bool { return !strings.Contains(line, "If-None-Match") })
			if len(got) != len(want) || !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Errorf("PUT %d, completion %d: %q, want %q", put, completion, got, want)
			}
			s.empty(completion != heeds)
		}
	}
}

// TestProbeFails checks that a probe that fails is told of, with the object that may be
// left, and that the upload goes on.
func TestProbeFails(t *testing.T) {
	for _, denied := range []string{"put", "create", "part", "complete", "delete"} {
		s := serve(t)
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, ".probe-") || kind(r) != denied {
				return false
			}
			answerError(w, http.StatusForbidden, "AccessDenied")
			return true
		})
		o := s.options()
		o.Probe = true
		want := random(3 * testPart)
		if _, err := drain(t.Context(), t, create(t, "k", o), want, nil); err != nil || !bytes.Equal(s.object("k"), want) {
			t.Errorf("%s denied: %v", denied, err)
		}
		if !s.said("was not found out") || s.said("may be left") != (denied == "delete") {
			t.Errorf("%s denied: %q", denied, s.lines)
		}
		if denied != "delete" {
			s.backend.DeleteObject(t.Context(), testBucket, "k")
			s.empty(denied != "part" && denied != "complete")
		}
	}
}

// TestProbeRetries checks that a server that is busy once is asked again, for each
// request, also for a key that is long and not of ASCII.
func TestProbeRetries(t *testing.T) {
	s := serve(t)
	busy := map[string]bool{}
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		k := kind(r)
		if busy[k] {
			return false
		}
		busy[k] = true
		answerError(w, http.StatusServiceUnavailable, "SlowDown")
		return true
	})
	o := s.options()
	o.Probe = true
	create(t, "k"+strings.Repeat("é", 500), o)
	if s.said("If-None-Match") || !busy["part"] || !busy["complete"] || !busy["delete"] {
		t.Errorf("%v, %q", busy, s.lines)
	}
	s.empty(false)
}

// TestProbeIsAsked checks that only an upload that is told to makes a probe, and only if
// it may not replace the object. A lock is not the probe's.
func TestProbeIsAsked(t *testing.T) {
	for _, tc := range []struct {
		probe, overwrite, want bool
	}{{false, false, false}, {true, true, false}, {true, false, true}} {
		s := serve(t)
		probed := false
		s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, ".probe-") {
				probed = true
				if r.Header.Get("X-Amz-Object-Lock-Mode")+r.Header.Get("X-Amz-Object-Lock-Legal-Hold") != "" {
					t.Error("the probe's object is locked")
				}
			}
			return false
		})
		o := s.options()
		o.Probe, o.Overwrite = tc.probe, tc.overwrite
		o.LockMode, o.LockUntil, o.LegalHold = "COMPLIANCE", time.Now().Add(time.Hour), true
		create(t, "k", o)
		if probed != tc.want {
			t.Errorf("%+v: probed %v", tc, probed)
		}
		if _, err := Resume(t.Context(), Scheme+testBucket+"/k", "", o); err != nil || (s.count("delete") == 2) != tc.want {
			t.Errorf("%+v: Resume: %v, %v", tc, err, s.requests)
		}
	}
}

// empty fails the test unless the bucket has no object, and an upload that was not
// completed is aborted.
func (s *server) empty(completed bool) {
	s.t.Helper()
	objects, err := s.backend.ListBucket(s.t.Context(), testBucket, nil, gofakes3.ListBucketPage{})
	if err != nil || len(objects.Contents) > 0 {
		s.t.Errorf("%d objects are left, error %v", len(objects.Contents), err)
	}
	if (s.count("abort") == 0) != completed {
		s.t.Errorf("completed %v: %v", completed, s.requests)
	}
}
