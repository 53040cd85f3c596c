package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bytering/bytering/async"
	"github.com/minio/minio-go/v7"
)

func resume(t *testing.T, key, id string, o Options) (*Upload, error) {
	t.Helper()
	return Resume(t.Context(), Scheme+testBucket+"/"+key, id, o)
}

// leave begins an upload of data whose source fails after n bytes, and returns its
// ID.
func leave(t *testing.T, s *server, data []byte, n int) string {
	t.Helper()
	_, err := drain(t.Context(), t, create(t, "k", s.options()), data[:n], errors.New("planted"))
	var failed *Error
	if !errors.As(err, &failed) || failed.UploadID == "" {
		t.Fatal(err)
	}
	return failed.UploadID
}

func TestResume(t *testing.T) {
	data := random(9*testPart + 77)
	for _, n := range []int{testPart + 1, 2 * testPart, 5*testPart + 3, len(data)} {
		for _, named := range []bool{false, true} {
			s := serve(t)
			id := leave(t, s, data, n)
			if !named {
				id = ""
			}
			u, err := resume(t, "k", id, s.options())
			if err != nil {
				t.Fatal(err)
			}
			sum, err := drain(t.Context(), t, u, data, nil)
			if err != nil || !bytes.Equal(s.object("k"), data) || sum.Bytes != int64(len(data)) {
				t.Fatalf("%d bytes: %+v, %v", n, sum, err)
			}
			// What was whole is not sent again.
			if most := int64(len(data) - n/testPart*testPart); sum.Sent > most {
				t.Errorf("%d bytes: sent %d, not %d", n, sum.Sent, most)
			}
		}
	}
}

// The parts of another size are those of the upload.
func TestResumeKeepsTheSize(t *testing.T) {
	data := random(9 * testPart)
	s := serve(t)
	leave(t, s, data, 5*testPart)
	o := s.options()
	o.Memory = 50 * testPart
	u, err := resume(t, "k", "", o)
	if err != nil || u.Plan().Part != testPart {
		t.Fatal(u.Plan(), err)
	}
	if _, err := drain(t.Context(), t, u, data, nil); err != nil || !bytes.Equal(s.object("k"), data) {
		t.Error(err)
	}
}

// Another stream is refused, and nothing of the upload is overwritten.
func TestResumeDiffers(t *testing.T) {
	data := random(9 * testPart)
	for name, c := range map[string]func([]byte) []byte{
		"first byte":      func(b []byte) []byte { b[0]++; return b },
		"a byte later":    func(b []byte) []byte { b[4*testPart]++; return b },
		"shorter":         func(b []byte) []byte { return b[:3*testPart] },
		"in a part":       func(b []byte) []byte { return b[:3*testPart+100] },
		"one part":        func(b []byte) []byte { return b[:100] },
		"nothing":         func([]byte) []byte { return nil },
		"in a short part": func(b []byte) []byte { b[5*testPart+1]++; return b },
	} {
		s := serve(t)
		id := leave(t, s, data, 5*testPart+10)
		before, err := create(t, "x", s.options()).c.partsOf("k", id)
		if err != nil {
			t.Fatal(err)
		}
		u, err := resume(t, "k", id, s.options())
		if err != nil {
			t.Fatal(err)
		}
		_, err = drain(t.Context(), t, u, c(bytes.Clone(data)), nil)
		var failed *Error
		if name == "nothing" && !errors.Is(err, ErrDiffers) || !errors.Is(err, ErrDiffers) || !errors.As(err, &failed) || failed.UploadID != id || s.object("k") != nil {
			t.Errorf("%s: %v", name, err)
		}
		after, err := u.c.parts(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(after.parts) != len(before.parts) {
			t.Errorf("%s: %d parts, of %d", name, len(after.parts), len(before.parts))
		}
		for i, p := range before.parts {
			if after.parts[i] != p {
				t.Errorf("%s: part %d was %+v, and is %+v", name, i+1, p, after.parts[i])
			}
		}
	}
}

// The error of a source that fails within a part of the upload is the source's, although
// the part that came is too short to be compared.
func TestResumeOfSourceThatFails(t *testing.T) {
	s := serve(t)
	data := random(3*testPart + 10)
	id := leave(t, s, data, len(data))
	for _, n := range []int{1, testPart + 1, 3*testPart - 1, len(data) - 1} {
		for _, end := range []error{errors.New("planted"), io.ErrUnexpectedEOF} {
			u, err := resume(t, "k", id, s.options())
			if err != nil {
				t.Fatal(err)
			}
			sum, err := drain(t.Context(), t, u, data[:n], end)
			var failed *Error
			if !errors.Is(err, end) || errors.Is(err, ErrDiffers) || !errors.As(err, &failed) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			if failed.Safe != int64(n/testPart*testPart) || failed.UploadID != id || sum.Sent != 0 || s.object("k") != nil {
				t.Errorf("%d bytes: %+v, %+v", n, failed, sum)
			}
		}
	}
}

// TestSendsNothingBeforeItAgrees: a part that is new waits for those that are to be
// compared before it.
func TestSendsNothingBeforeItAgrees(t *testing.T) {
	s := serve(t)
	u, err := resume(t, "k", leave(t, s, random(9*testPart), 5*testPart), s.options())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	// It has no bytes: whatever reads them panics.
	if err := (partWriter{u}).WritePart(ctx, &async.Part{Index: 5, Offset: 5 * testPart, Len: testPart}); !errors.Is(err, context.DeadlineExceeded) || u.sent != 0 {
		t.Errorf("%v; %d bytes sent", err, u.sent)
	}
}

// partsOf lists the parts of an upload of another key.
func (c *client) partsOf(key, id string) (listing, error) {
	c.key = key
	return c.parts(context.Background(), id)
}

func TestResumeOfNone(t *testing.T) {
	s := serve(t)
	u, err := resume(t, "k", "", s.options())
	if err != nil || !s.said("begins anew") {
		t.Fatal(err, s.lines)
	}
	want := random(3 * testPart)
	if _, err := drain(t.Context(), t, u, want, nil); err != nil || !bytes.Equal(s.object("k"), want) {
		t.Error(err)
	}
	if _, err := resume(t, "other", "nonesuch", s.options()); code(err) != "NoSuchUpload" {
		t.Error(err)
	}
}

// Nothing of a stream that differs from an earlier part is sent, also where a part is
// missing.
func TestResumeSendsNothingThatDiffers(t *testing.T) {
	s := serve(t)
	o := s.options()
	o.unit, o.Memory = 512<<10, 0 // comparing takes longer than a request
	data := random(12 * 5 * int(o.unit))
	u := create(t, "k", o)
	if err := u.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	part := int(u.Plan().Part)
	if err := u.send(t.Context(), 1, int64(part), (&memory{a: data[:part]}).open); err != nil {
		t.Fatal(err)
	}
	before := s.count("part")
	u, err := resume(t, "k", u.id, o)
	if err != nil {
		t.Fatal(err)
	}
	data[part-1]++
	p, c := newRing(t, int(u.Plan().Ring()))
	if _, err := p.Write(data[:len(data)/2]); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if _, err := u.Drain(t.Context(), c); !errors.Is(err, ErrDiffers) || s.count("part") != before {
		t.Errorf("%v, %d parts sent", err, s.count("part")-before)
	}
}

// An error in an answer of success is not an upload without parts, nor none.
func TestListingsWithAnErrorInside(t *testing.T) {
	for _, what := range []string{"uploads", "parts"} {
		s := serve(t)
		data := random(3 * testPart)
		leave(t, s, data, len(data))
		hit := times(2, what)
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if !hit(r) {
				return false
			}
			w.Write([]byte("<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>planted</Message></Error>"))
			return true
		})
		if u, err := resume(t, "k", "", s.options()); err != nil || len(u.listed) != 3 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestResumeOfSeveral(t *testing.T) {
	s := serve(t)
	data := random(3 * testPart)
	a, b := leave(t, s, data, 2*testPart), leave(t, s, data, 3*testPart)
	_, err := resume(t, "k", "", s.options())
	if !errors.Is(err, ErrSeveral) {
		t.Fatal(err)
	}
	for _, id := range []string{a, b} {
		if !strings.Contains(err.Error(), "--resume="+id+" ") {
			t.Errorf("%s: %v", id, err)
		}
	}
	// A listing has the keys that begin like this one too.
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) != "uploads" {
			return false
		}
		fmt.Fprintf(w, `<?xml version="1.0"?><ListMultipartUploadsResult><Bucket>%s</Bucket><Upload><Key>k</Key><UploadId>%s</UploadId></Upload><Upload><Key>k2</Key><UploadId>other</UploadId></Upload></ListMultipartUploadsResult>`, testBucket, b)
		return true
	})
	if u, err := resume(t, "k", "", s.options()); err != nil || u.id != b {
		t.Error(err)
	}
}

// Parts without a sum are refused by name before the stream is read.
func TestResumeNotComparable(t *testing.T) {
	s := serve(t)
	id := leave(t, s, random(2*testPart), 2*testPart)
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) != "parts" {
			return false
		}
		fmt.Fprintf(w, `<?xml version="1.0"?><ListPartsResult><UploadId>%s</UploadId><Part><PartNumber>1</PartNumber><ETag>"opaque"</ETag><Size>%d</Size></Part></ListPartsResult>`, id, testPart)
		return true
	})
	if _, err := resume(t, "k", id, s.options()); !errors.Is(err, ErrNotComparable) || !strings.Contains(err.Error(), "part 1") {
		t.Error(err)
	}
}

func TestPartSize(t *testing.T) {
	c := &client{Options: Options{unit: 10}}
	for _, l := range []struct {
		sizes []int64
		want  int64
	}{
		{nil, 0}, {[]int64{30}, 30}, {[]int64{37}, 0}, {[]int64{37, 37}, 37}, {[]int64{30, 30, 7}, 30}, {[]int64{30, 7}, 30},
		{[]int64{7, 30}, 30}, {[]int64{23, 12}, 0}, {[]int64{37, 37, 40}, 40},
	} {
		var parts []minio.ObjectPart
		for i, n := range l.sizes {
			parts = append(parts, minio.ObjectPart{PartNumber: i + 1, Size: n})
		}
		if got := c.partSize(parts); got != l.want {
			t.Errorf("%v: %d", l.sizes, got)
		}
	}
}

// Parts that are missing between others are sent.
func TestResumeWithHoles(t *testing.T) {
	s := serve(t)
	data := random(30*testPart + 9)
	r := rand.New(rand.NewPCG(1, 2))
	o := s.options()
	o.Retries = -1
	u := create(t, "k", o)
	s.fault(func(w http.ResponseWriter, req *http.Request) bool {
		if n := req.URL.Query().Get("partNumber"); n == "2" || n == "11" {
			answerError(w, 403, "AccessDenied")
			return true
		}
		return false
	})
	if _, err := drain(t.Context(), t, u, data, nil); err == nil {
		t.Fatal("no error")
	}
	s.fault(nil)
	// More holes, in pages of some parts.
	id := u.id
	for n := 3; n < 25; n++ {
		if r.IntN(2) == 0 {
			b := data[(n-1)*testPart : n*testPart]
			if err := u.send(t.Context(), n, testPart, (&memory{a: b}).open); err != nil {
				t.Fatal(err)
			}
		}
	}
	var pages atomic.Int32
	s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "parts" {
			pages.Add(1)
		}
		return false
	})
	o.Retries, o.page = 0, 3
	u, err := resume(t, "k", id, o)
	if err != nil {
		t.Fatal(err)
	}
	o.page = 1000
	l, err := create(t, "x", o).c.partsOf("k", id)
	if err != nil {
		t.Fatal(err)
	}
	there := len(l.parts)
	sum, err := drain(t.Context(), t, u, data, nil)
	if err != nil || !bytes.Equal(s.object("k"), data) {
		t.Fatal(err)
	}
	if int(pages.Load()) < there/3 || sum.Sent > int64(len(data)-there*testPart) {
		t.Errorf("%d pages, %d parts were there, %d bytes sent", pages.Load(), there, sum.Sent)
	}
}

// An upload killed ten times at random and resumed is one right object, and what is
// sent twice are the parts that were in flight.
func TestKilledTenTimes(t *testing.T) {
	s := serve(t)
	data := random(150*testPart + 5)
	r := rand.New(rand.NewPCG(3, 4))
	u := create(t, "k", s.options())
	var before int64
	for kill := 0; ; kill++ {
		ctx, cancel := context.WithCancel(t.Context())
		last := times(int32(1+r.IntN(8)), "part")
		s.fault(func(_ http.ResponseWriter, req *http.Request) bool {
			if kill < 10 && kind(req) == "part" && !last(req) {
				cancel()
			}
			return false
		})
		sum, err := drain(ctx, t, u, data, nil)
		cancel()
		before += sum.Sent
		if kill == 10 {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if err == nil {
			t.Fatalf("done after %d", kill)
		}
		if u, err = resume(t, "k", "", s.options()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(s.object("k"), data) {
		t.Error("another object")
	}
	if most := int64(len(data) + 10*10*testPart); before > most {
		t.Errorf("%d bytes sent for %d", before, len(data))
	}
}

func TestIdentityOfParts(t *testing.T) {
	data := random(5*testPart + 3)
	for what, kind := range kinds {
		s := sums{kind: kind}
		var parts []digest
		for b := data; len(b) > 0; {
			n := min(len(b), testPart)
			d, err := s.digest((&memory{a: b[:n/2], b: b[n/2 : n]}).open)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, d)
			b = b[n:]
		}
		id := s.identify(parts)
		h := kind.Hasher()
		h.Write(data)
		if whole(kind) && id.sum != base64Of(h.Sum(nil)) || id.sum == "" || id.size != int64(len(data)) {
			t.Errorf("%s: %+v", what, id)
		}
		sum := found{exists: true, ObjectInfo: minio.ObjectInfo{Size: id.size, ChecksumMode: id.mode}}
		if v, _ := id.compare(sum); v != unclear {
			t.Errorf("%s: %v without a sum", what, v)
		}
	}
}
