package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// once reports true the first n times for a request of a kind.
func times(n int32, what string) func(*http.Request) bool {
	var seen atomic.Int32
	return func(r *http.Request) bool { return kind(r) == what && seen.Add(1) <= n }
}

// reset breaks the connection off.
func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}

// swallow serves a request, and gives its answer away.
func (s *server) swallow(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	s.fake.ServeHTTP(rec, r)
	return rec
}

// replay answers what was recorded.
func replay(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

// Each fault is met by every kind of request that makes an object, and the object
// is right in the end.
func TestFaultsThatPass(t *testing.T) {
	faults := map[string]func(s *server, w http.ResponseWriter, r *http.Request){
		"503 before the body is read": func(_ *server, w http.ResponseWriter, _ *http.Request) { answerError(w, 503, "SlowDown") },
		"500 after the body": func(_ *server, w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			answerError(w, 500, "InternalError")
		},
		"reset before the body is read": func(_ *server, w http.ResponseWriter, _ *http.Request) { reset(w) },
		"reset in the middle": func(_ *server, w http.ResponseWriter, r *http.Request) {
			io.CopyN(io.Discard, r.Body, testPart/2)
			reset(w)
		},
		"reset instead of the answer": func(s *server, w http.ResponseWriter, r *http.Request) {
			s.swallow(r)
			reset(w)
		},
		"an error instead of the answer": func(s *server, w http.ResponseWriter, r *http.Request) {
			s.swallow(r)
			answerError(w, 503, "ServiceUnavailable")
		},
		"nothing for too long": func(_ *server, _ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"an answer twice": func(s *server, w http.ResponseWriter, r *http.Request) {
			rec := s.swallow(r)
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			resp := rec.Result()
			resp.ProtoMajor, resp.ProtoMinor, resp.ContentLength = 1, 1, int64(rec.Body.Len())
			body := rec.Body.Bytes()
			for range 2 {
				resp.Body = io.NopCloser(bytes.NewReader(body))
				resp.Write(c)
			}
			time.Sleep(10 * time.Millisecond)
			c.Close()
		},
		"a broken digest": func(_ *server, w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			answerError(w, 400, "BadDigest")
		},
	}
	for name, fault := range faults {
		for _, what := range []string{"create", "part", "complete", "put", "head"} {
			if what == "head" && (name == "an answer twice" || name == "a broken digest") {
				continue // it has no body
			}
			t.Run(strings.ReplaceAll(name+"/"+what, " ", "_"), func(t *testing.T) {
				s := serve(t)
				o := s.options()
				o.Stall = 50 * time.Millisecond
				u := create(t, "k", o)
				hit := times(2, what)
				s.fault(func(w http.ResponseWriter, r *http.Request) bool {
					if hit(r) {
						fault(s, w, r)
						return true
					}
					return false
				})
				n := 7*testPart + 5
				if what == "put" {
					n = testPart - 3
				}
				want := random(n)
				sum, err := drain(t.Context(), t, u, want, nil)
				if name == "an answer twice" && err != nil {
					// The second one may have been taken for that of the next request.
					var failed *Error
					if errors.As(err, &failed) && s.object("k") == nil {
						return
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(s.object("k"), want) || sum.Bytes != int64(n) {
					t.Errorf("%+v", sum)
				}
				if left, err := u.c.uploads(t.Context()); what != "create" && (err != nil || len(left) != 0) {
					t.Errorf("left: %v, %v", left, err)
				}
			})
		}
	}
}

// A fault that stays ends the upload, at once if it is no use to try again.
func TestFaultsThatStay(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		tries  int
	}{{403, "AccessDenied", 1}, {400, "EntityTooLarge", 1}, {503, "SlowDown", 4}} {
		for _, what := range []string{"create", "part", "complete", "put"} {
			for _, abort := range []bool{false, true} {
				s := serve(t)
				o := s.options()
				o.Retries, o.Abort, o.Depth = 3, abort, 1
				u := create(t, "k", o)
				s.fault(func(w http.ResponseWriter, r *http.Request) bool {
					if kind(r) == what {
						answerError(w, c.status, c.code)
						return true
					}
					return false
				})
				n := 3 * testPart
				if what == "put" {
					n = 5
				}
				_, err := drain(t.Context(), t, u, random(n), nil)
				var failed *Error
				if !errors.As(err, &failed) || code(err) != c.code || s.object("k") != nil {
					t.Fatalf("%s %s: %v", what, c.code, err)
				}
				if got := s.count(what); got != c.tries {
					t.Errorf("%s %s: %d tries", what, c.code, got)
				}
				left, err := u.c.uploads(t.Context())
				if err != nil || (len(left) == 1) != (failed.UploadID != "") || len(left) > 1 {
					t.Errorf("%s: left %v, named %q, %v", what, left, failed.UploadID, err)
				}
				if want := what == "part" || what == "complete"; (failed.UploadID != "") != (want && !abort) {
					t.Errorf("%s, abort %v: %q", what, abort, failed.UploadID)
				}
			}
		}
	}
}

// A Complete that answers 200 may have an error inside, whether it took effect or
// not.
func TestCompleteWithAnErrorInside(t *testing.T) {
	for _, effect := range []bool{false, true} {
		s := serve(t)
		u := create(t, "k", s.options())
		want := random(3 * testPart)
		hit := times(1, "complete")
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if kind(r) == "head" {
				h := minio.ChecksumCRC64NVME.Hasher()
				h.Write(want)
				w.Header().Set(minio.ChecksumCRC64NVME.Key(), base64Of(h.Sum(nil)))
				return false
			}
			if !hit(r) {
				return false
			}
			if effect {
				s.swallow(r)
			}
			w.WriteHeader(200)
			io.WriteString(w, "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>planted</Message></Error>")
			return true
		})
		if _, err := drain(t.Context(), t, u, want, nil); err != nil || !bytes.Equal(s.object("k"), want) {
			t.Errorf("effect %v: %v", effect, err)
		}
		if effect && s.count("complete") != 1 {
			t.Error("completed again without a look")
		}
	}
}

// A Complete that lies is found out.
func TestCompleteThatLies(t *testing.T) {
	ok := func(w http.ResponseWriter, sum string) {
		fmt.Fprintf(w, `<?xml version="1.0"?><CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>k</Key><ETag>"x-3"</ETag>%s</CompleteMultipartUploadResult>`, testBucket, sum)
	}
	wrong := base64.StdEncoding.EncodeToString(make([]byte, 8))
	for name, c := range map[string]struct {
		complete func(s *server, w http.ResponseWriter, r *http.Request)
		want     error
	}{
		"no object": {func(_ *server, w http.ResponseWriter, _ *http.Request) { ok(w, "") }, ErrUnknown},
		"a shorter object": {func(s *server, w http.ResponseWriter, r *http.Request) {
			s.plant("k", random(5))
			ok(w, "")
		}, ErrChecksum},
		"another sum": {func(s *server, w http.ResponseWriter, r *http.Request) {
			s.swallow(r)
			ok(w, "<ChecksumCRC64NVME>"+wrong+"</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>")
		}, ErrChecksum},
	} {
		s := serve(t)
		u := create(t, "k", s.options())
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if kind(r) == "complete" {
				c.complete(s, w, r)
				return true
			}
			return false
		})
		if _, err := drain(t.Context(), t, u, random(3*testPart), nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if s.count("complete") != 1 {
			t.Errorf("%s: completed %d times", name, s.count("complete"))
		}
	}
}

// Whether a request that was lost has taken effect may be impossible to find out.
func TestUnknown(t *testing.T) {
	for _, n := range []int{10, 3 * testPart} {
		s := serve(t)
		o := s.options()
		o.Retries = 2
		u := create(t, "k", o)
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			switch kind(r) {
			case "complete", "put":
				s.swallow(r)
				reset(w)
				return true
			case "head":
				if s.count("complete")+s.count("put") > 0 {
					answerError(w, 403, "AccessDenied")
					return true
				}
			}
			return false
		})
		if _, err := drain(t.Context(), t, u, random(n), nil); !errors.Is(err, ErrUnknown) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// A part that the server has another sum of is sent again.
func TestPartWithAnotherSum(t *testing.T) {
	for _, tries := range []int32{2, 1000} {
		s := serve(t)
		o := s.options()
		o.Retries = 3
		u := create(t, "k", o)
		hit := times(tries, "part")
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if hit(r) {
				w.Header().Set(minio.ChecksumCRC64NVME.Key(), base64Of(make([]byte, 8)))
			}
			return false
		})
		want := random(3 * testPart)
		sum, err := drain(t.Context(), t, u, want, nil)
		if tries > 2 {
			if !errors.Is(err, ErrChecksum) || s.object("k") != nil {
				t.Error(err)
			}
		} else if err != nil || sum.Retries != int64(tries) || !bytes.Equal(s.object("k"), want) {
			t.Errorf("%+v, %v", sum, err)
		}
	}
}

// Nothing that makes an object is sent when the context has ended.
func TestNothingAfterCancel(t *testing.T) {
	s := serve(t)
	u := create(t, "k", s.options())
	why := errors.New("planted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := u.put(ctx, []byte("x"), nil); !errors.Is(err, why) || s.count("put") > 0 {
		t.Error(err, s.requests)
	}
}

// A signal, before everything is sent, completes nothing.
func TestCancel(t *testing.T) {
	why := errors.New("planted")
	for _, n := range []int{0, 10, 9 * testPart} {
		s := serve(t)
		u := create(t, "k", s.options())
		ctx, cancel := context.WithCancelCause(t.Context())
		hit := times(3, "part")
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if hit(r) {
				cancel(why)
			}
			return false
		})
		if n <= testPart {
			cancel(why)
		}
		_, err := drain(ctx, t, u, random(n), nil)
		var failed *Error
		if !errors.As(err, &failed) || !errors.Is(err, why) || s.object("k") != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if (failed.UploadID != "") != (n > testPart) {
			t.Errorf("%d bytes: left %q", n, failed.UploadID)
		}
	}
}

// A server that refuses checksums gets Content-MD5.
func TestRefusedChecksum(t *testing.T) {
	for _, forced := range []bool{false, true} {
		for _, where := range []string{"create", "part", "put"} {
			s := serve(t)
			o := s.options()
			if forced {
				o.Checksum = "crc64nvme"
			}
			u := create(t, "k", o)
			md5s := new(atomic.Int32)
			s.fault(func(w http.ResponseWriter, r *http.Request) bool {
				asks := r.Header.Get("X-Amz-Checksum-Algorithm") != "" || r.Header.Get(minio.ChecksumCRC64NVME.Key()) != ""
				if kind(r) == where && asks {
					answerError(w, 501, "NotImplemented")
					return true
				}
				if r.Header.Get("Content-Md5") != "" {
					md5s.Add(1)
				}
				return false
			})
			n := 3 * testPart
			if where == "put" {
				n = testPart
			}
			sum, err := drain(t.Context(), t, u, random(n), nil)
			if forced {
				if status(err) != 501 || s.object("k") != nil {
					t.Errorf("%s, forced: %v", where, err)
				}
				continue
			}
			if err != nil || int(md5s.Load()) != sum.Parts || !strings.HasPrefix(sum.Verified, "MD5") || !s.said("refuses CRC64NVME") {
				t.Errorf("%s: %+v, %d with MD5, %v, %v", where, sum, md5s.Load(), err, s.lines)
			}
		}
	}
}
