package s3

import (
	"bytes"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

var both = []int{10, 3 * testPart} // one PUT, and several parts

func TestExists(t *testing.T) {
	s := serve(t)
	theirs := []byte("theirs")
	s.plant("k", theirs)
	for _, f := range []func() (*Upload, error){
		func() (*Upload, error) { return Create(t.Context(), Scheme+testBucket+"/k", s.options()) },
		func() (*Upload, error) { return Resume(t.Context(), Scheme+testBucket+"/k", "", s.options()) },
	} {
		if _, err := f(); !errors.Is(err, ErrExists) {
			t.Error(err)
		}
	}
	if s.count("put")+s.count("create") > 0 || !bytes.Equal(s.object("k"), theirs) {
		t.Error(s.requests)
	}
}

// An object that comes into being meanwhile stays. The condition tells, and where
// the server ignores that, a look before the last request of an upload of parts.
func TestComesIntoBeing(t *testing.T) {
	for _, n := range both {
		for _, ignores := range []bool{false, true} {
			if ignores && n <= testPart {
				continue // there is nothing between the look and the request
			}
			s := serve(t)
			u := create(t, "k", s.options())
			theirs := []byte("theirs")
			s.plant("k", theirs)
			var asked atomic.Bool
			s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("If-None-Match") == "*" {
					asked.Store(true)
				}
				return false
			})
			if !ignores && n > testPart {
				// The look finds nothing.
				s.fault(func(w http.ResponseWriter, r *http.Request) bool {
					if kind(r) == "head" {
						w.WriteHeader(http.StatusNotFound)
						return true
					}
					if r.Header.Get("If-None-Match") == "*" {
						asked.Store(true)
					}
					return false
				})
			}
			if _, err := drain(t.Context(), t, u, random(n), nil); !errors.Is(err, ErrExists) {
				t.Errorf("%d bytes: %v", n, err)
			}
			if !bytes.Equal(s.object("k"), theirs) || asked.Load() == ignores {
				t.Errorf("%d bytes, ignores %v: asked %v, %d bytes", n, ignores, asked.Load(), len(s.object("k")))
			}
		}
	}
}

func TestOverwrite(t *testing.T) {
	s := serve(t)
	for _, n := range both {
		s.plant("k", []byte("theirs"))
		o := s.options()
		o.Overwrite = true
		s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("If-None-Match") != "" {
				t.Error("asked not to replace it")
			}
			return false
		})
		want := random(n)
		if _, err := drain(t.Context(), t, create(t, "k", o), want, nil); err != nil || !bytes.Equal(s.object("k"), want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// A server that refuses the condition is told of, and looked at instead.
func TestRefusedCondition(t *testing.T) {
	for _, n := range both {
		for _, appears := range []bool{false, true} {
			s := serve(t)
			u := create(t, "k", s.options())
			s.fault(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("If-None-Match") == "" {
					return false
				}
				answerError(w, http.StatusNotImplemented, "NotImplemented")
				if appears {
					s.plant("k", []byte("theirs"))
				}
				return true
			})
			want := random(n)
			_, err := drain(t.Context(), t, u, want, nil)
			if appears {
				want = []byte("theirs")
			}
			if errors.Is(err, ErrExists) != appears || (err == nil) == appears || !bytes.Equal(s.object("k"), want) || !s.said("refuses If-None-Match") {
				t.Errorf("%d bytes, appears %v: %v, %q", n, appears, err, s.lines)
			}
		}
	}
}

// The exact byte up to which a stream that is too long is safe is told.
func TestLimit(t *testing.T) {
	s := serve(t)
	for _, over := range []int{0, 1} {
		o := s.options()
		o.MaxParts, o.Overwrite = 3, true
		_, err := drain(t.Context(), t, create(t, "k", o), random(3*testPart+over), nil)
		var failed *Error
		if over == 0 {
			if err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, ErrLimit) || !errors.As(err, &failed) || failed.Safe != 3*testPart || failed.UploadID == "" {
			t.Errorf("%+v", err)
		}
	}
}

func TestOptions(t *testing.T) {
	s := serve(t)
	for what, change := range map[string]func(*Options){
		"checksum":   func(o *Options) { o.Checksum = "xxh3" },
		"metadata":   func(o *Options) { o.Metadata = map[string]string{"a b": "c"} },
		"value":      func(o *Options) { o.Metadata = map[string]string{"a": "b\nc"} },
		"encryption": func(o *Options) { o.Encryption = "rot13" },
		"KMS key":    func(o *Options) { o.KMSKey = "k" },
		"lock":       func(o *Options) { o.LockMode = "FOREVER" },
		"until":      func(o *Options) { o.LockMode = "GOVERNANCE" },
		"stall":      func(o *Options) { o.Stall = -1 },
		"memory":     func(o *Options) { o.Memory = 1 },
	} {
		o := s.options()
		change(&o)
		if _, err := Create(t.Context(), Scheme+testBucket+"/k", o); !errors.Is(err, ErrOption) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if s.count("put")+s.count("create") > 0 {
		t.Error(s.requests)
	}
}

// What the object is to have goes with the request that makes it.
func TestHeaders(t *testing.T) {
	for _, n := range both {
		s := serve(t)
		o := s.options()
		o.StorageClass, o.ContentType, o.Encryption, o.KMSKey, o.LegalHold = "GLACIER", "text/x", "aws:kms", "key", true
		o.Metadata = map[string]string{"Colour": "blue"}
		o.LockMode, o.LockUntil = "GOVERNANCE", time.Now().AddDate(1, 0, 0)
		o.ContentMD5 = true
		u := create(t, "k", o)
		want := map[string]string{
			"X-Amz-Storage-Class": "GLACIER", "Content-Type": "text/x", "X-Amz-Server-Side-Encryption": "aws:kms",
			"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "key", "X-Amz-Object-Lock-Legal-Hold": "ON",
			"X-Amz-Object-Lock-Mode": "GOVERNANCE", "X-Amz-Meta-Colour": "blue",
		}
		var seen atomic.Bool
		var md5s atomic.Int32
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if k := kind(r); k == "part" || k == "put" {
				if r.Header.Get("Content-Md5") != "" && r.Header.Get("X-Amz-Checksum-Crc64nvme") != "" {
					md5s.Add(1)
				}
			}
			if k := kind(r); k == "create" || k == "put" {
				seen.Store(true)
				for name, v := range want {
					if r.Header.Get(name) != v {
						t.Errorf("%d bytes: %s is %q", n, name, r.Header.Get(name))
					}
				}
				answerError(w, 403, "AccessDenied") // this store has none of it
				return true
			}
			return false
		})
		drain(t.Context(), t, u, random(n), nil)
		if !seen.Load() || n <= testPart && md5s.Load() != 1 {
			t.Errorf("%d bytes: seen %v, %d with MD5", n, seen.Load(), md5s.Load())
		}
	}
}
