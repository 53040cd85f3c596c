package s3

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bytering/bytering/async/httprange"
)

func TestObject(t *testing.T) {
	s := serve(t)
	for _, n := range append(sizes, 40*testPart) {
		want := random(n)
		o := s.options()
		o.Overwrite = true
		if _, err := drain(t.Context(), t, create(t, "k", o), want, nil); err != nil {
			t.Fatal(err)
		}
		ob, err := Open(t.Context(), Scheme+testBucket+"/k", s.options())
		if err != nil {
			t.Fatal(err)
		}
		got, sum, err := fill(t.Context(), t, ob)
		if err != nil || !bytes.Equal(got, want) || sum.Bytes != int64(n) || ob.Size() != int64(n) {
			t.Errorf("%d bytes: %d, %+v, %v", n, len(got), sum, err)
		}
		// This store keeps the checksum of an object of one PUT.
		if (sum.Verified != "") != (n <= testPart) {
			t.Errorf("%d bytes: verified by %q", n, sum.Verified)
		}
	}
}

// lie has the HEAD of every object say what header has.
func lie(s *server, header map[string]string) {
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) != "head" {
			return false
		}
		for k, v := range header {
			w.Header().Set(k, v)
		}
		s.fake.ServeHTTP(&keeping{w, header}, r)
		return true
	})
}

// A keeping has headers that stay.
type keeping struct {
	http.ResponseWriter
	header map[string]string
}

func (k *keeping) WriteHeader(status int) {
	for name, v := range k.header {
		k.Header().Set(name, v)
	}
	k.ResponseWriter.WriteHeader(status)
}

func TestObjectWithAnotherChecksum(t *testing.T) {
	s := serve(t)
	data := random(9 * testPart)
	s.plant("k", data)
	for kind, right := range map[string]bool{"CRC64NVME": true, "CRC32C": true, "CRC32": true} {
		k := kinds[strings.ToLower(kind)]
		h := k.Hasher()
		h.Write(data)
		for _, wrong := range []bool{false, true} {
			if wrong {
				h.Write([]byte{1})
			}
			lie(s, map[string]string{k.Key(): base64Of(h.Sum(nil)), "x-amz-checksum-type": fullObject})
			ob, err := Open(t.Context(), Scheme+testBucket+"/k", s.options())
			if err != nil {
				t.Fatal(err)
			}
			got, sum, err := fill(t.Context(), t, ob)
			if !bytes.Equal(got, data) || wrong != errors.Is(err, ErrChecksum) || !wrong && (err != nil || !strings.HasPrefix(sum.Verified, kind)) {
				t.Errorf("%s, wrong %v: %d bytes, %+v, %v", kind, wrong, len(got), sum, err)
			}
		}
		_ = right
	}
}

// A replaced object is not read on.
func TestObjectIsPinned(t *testing.T) {
	s := serve(t)
	s.plant("k", random(9*testPart))
	s.fault(s.slowly)
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", s.options())
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "get" && asked.Add(1) == 1 {
			s.plant("k", random(9*testPart+1))
		}
		return false
	})
	_, sum, err := fill(t.Context(), t, ob)
	var failed *Error
	if !errors.Is(err, httprange.ErrChanged) || !errors.As(err, &failed) || sum.Retries != 0 {
		t.Error(sum, err)
	}
}

// The checksum is not that of an object which came meanwhile.
func TestObjectReplacedWhileItIsOpened(t *testing.T) {
	s := serve(t)
	s.plant("k", random(100))
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "head" {
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.Header().Set("Etag", `"another"`)
			return true
		}
		return false
	})
	if _, err := Open(t.Context(), Scheme+testBucket+"/k", s.options()); !errors.Is(err, httprange.ErrChanged) {
		t.Error(err)
	}
}

func TestObjectWithoutRanges(t *testing.T) {
	s := serve(t)
	want := random(9 * testPart)
	s.plant("k", want)
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "get" {
			w.Write(want)
			return true
		}
		return false
	})
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", s.options())
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := fill(t.Context(), t, ob); err != nil || !bytes.Equal(got, want) {
		t.Error(len(got), err)
	}
}

// Ranges that fail for a while are asked for again, from the byte where they broke
// off.
func TestObjectFaults(t *testing.T) {
	for name, fault := range map[string]func(s *server, w http.ResponseWriter, r *http.Request){
		"503":   func(_ *server, w http.ResponseWriter, _ *http.Request) { answerError(w, 503, "SlowDown") },
		"reset": func(_ *server, w http.ResponseWriter, _ *http.Request) { reset(w) },
		"half": func(s *server, w http.ResponseWriter, r *http.Request) {
			rec := s.swallow(r)
			rec.Body.Truncate(rec.Body.Len() / 2)
			replay(w, rec)
		},
		"nothing": func(_ *server, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		for _, ranges := range []bool{true, false} {
			s := serve(t)
			want := random(30 * testPart)
			s.plant("k", want)
			// Package net/http itself repeats a request that meets a reset on a connection
			// which was idle.
			hit := times(6, "get")
			o := s.options()
			o.Stall = 100 * time.Millisecond
			s.fault(func(w http.ResponseWriter, r *http.Request) bool {
				if kind(r) == "get" && s.count("get") > 1 && hit(r) {
					fault(s, w, r)
					return true
				}
				if kind(r) == "get" && !ranges && s.count("get") == 1 {
					w.Header().Set("Accept-Ranges", "bytes")
					w.Header().Set("Etag", s.swallow(r).Header().Get("Etag"))
					w.Header().Set("Last-Modified", s.swallow(r).Header().Get("Last-Modified"))
					w.Header().Set("Content-Length", strconv.Itoa(len(want)))
					w.Write(want[:len(want)/2])
					reset(w)
					return true
				}
				return kind(r) == "get" && s.slowly(w, r)
			})
			ob, err := Open(t.Context(), Scheme+testBucket+"/k", o)
			if err != nil {
				t.Fatal(err)
			}
			got, sum, err := fill(t.Context(), t, ob)
			if err != nil || !bytes.Equal(got, want) || sum.Retries == 0 {
				t.Errorf("%s, ranges %v: %d of %d bytes, %+v, %v", name, ranges, len(got), len(want), sum, err)
			}
		}
	}
}

func TestNoObject(t *testing.T) {
	s := serve(t)
	if _, err := Open(t.Context(), Scheme+testBucket+"/k", s.options()); err == nil || !strings.Contains(err.Error(), "no such object") {
		t.Error(err)
	}
}

// What the object is and its bytes are asked for at the same time, and once.
func TestObjectIsTwoRequests(t *testing.T) {
	s := serve(t)
	want := random(9 * testPart)
	s.plant("k", want)
	s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
		soon(t, "HEAD", func() bool { return s.count("head") == 1 })
		soon(t, "GET", func() bool { return s.count("get") == 1 })
		time.Sleep(100 * time.Millisecond) // more than all bytes take
		return false
	})
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", s.options())
	if err != nil {
		t.Fatal(err)
	}
	if got, sum, err := fill(t.Context(), t, ob); err != nil || !bytes.Equal(got, want) || sum.Retries > 0 || len(s.requests) != 2 {
		t.Error(len(got), sum, err, s.requests)
	}
}

// A server may finish one response before it gives the next, and begin with the bytes.
func TestObjectHoldsNothingUp(t *testing.T) {
	s := serve(t)
	want := random(20 << 20) // more than a connection takes that is not read
	s.plant("k", want)
	var one sync.Mutex
	begun := make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "head" {
			<-begun
		}
		one.Lock()
		defer one.Unlock()
		begin()
		s.fake.ServeHTTP(w, r)
		return true
	})
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := fill(t.Context(), t, ob); err != nil || !bytes.Equal(got, want) {
		t.Error(len(got), err)
	}
}
