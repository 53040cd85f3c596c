package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// runs is how many uploads and downloads are made: RUNS of the environment, or few.
func runs(t *testing.T) int {
	if s := os.Getenv("RUNS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 60
}

// A chaos answers some requests of a key wrongly.
type chaos struct {
	s *server

	mu   sync.Mutex
	r    *rand.Rand
	rate float64
}

// draw returns which fault a request meets, or -1.
func (c *chaos) draw(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.r.Float64() >= c.rate {
		return -1
	}
	return c.r.IntN(n)
}

func (c *chaos) answer(w http.ResponseWriter, r *http.Request) bool {
	switch c.draw(9) {
	case 0:
		answerError(w, 503, "SlowDown")
	case 1:
		io.Copy(io.Discard, r.Body)
		answerError(w, 500, "InternalError")
	case 2:
		reset(w)
	case 3:
		io.CopyN(io.Discard, r.Body, testPart/3)
		reset(w)
	case 4:
		c.s.swallow(r)
		reset(w)
	case 5:
		c.s.swallow(r)
		answerError(w, 503, "ServiceUnavailable")
	case 6:
		time.Sleep(5 * time.Millisecond) // late
		return false
	case 7:
		if kind(r) == "get" { // a range breaks off
			rec := c.s.swallow(r)
			b := rec.Body.Bytes()
			rec.Body.Truncate(len(b) / 2)
			replay(w, rec)
			reset(w)
			return true
		}
		w.WriteHeader(200)
		io.WriteString(w, "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>planted</Message></Error>")
		return true
	case 8:
		w.Header().Set("Retry-After", "0")
		answerError(w, 429, "TooManyRequests")
	default:
		return false
	}
	return true
}

// Every object is right or absent, every count of safe bytes is true, and no part
// is left that is not named, whatever fails.
func TestRandom(t *testing.T) {
	s := serve(t)
	var all sync.Map // *chaos by key
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		key := strings.TrimPrefix(r.URL.Path, "/"+testBucket+"/")
		if c, ok := all.Load(key); ok {
			return c.(*chaos).answer(w, r)
		}
		return false
	})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var done, failed, resumed int
	var mu sync.Mutex
	limit := make(chan struct{}, 4)
	var group sync.WaitGroup
	for i := range runs(t) {
		limit <- struct{}{}
		group.Go(func() {
			defer func() { <-limit }()
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			c := &chaos{s: s, r: rand.New(rand.NewPCG(seed+1, uint64(i))), rate: r.Float64() * 0.5}
			key := fmt.Sprintf("k%d", i)
			all.Store(key, c)
			f, again := one(t, s, c, r, key)
			mu.Lock()
			defer mu.Unlock()
			done++
			failed += f
			resumed += again
		})
	}
	group.Wait()
	t.Logf("%d runs, %d failures, %d resumed", done, failed, resumed)
	if failed == 0 || resumed == 0 {
		t.Error("nothing has failed")
	}
}

// one uploads an object, resuming it until it is there, and reads it.
func one(t *testing.T, s *server, c *chaos, r *rand.Rand, key string) (failures, resumed int) {
	o := s.options()
	o.Retries = 1 + r.IntN(6)
	o.Depth = 1 + r.IntN(5)
	o.Memory = int64(o.Depth+1) * testPart
	o.Abort = r.IntN(4) == 0
	o.Checksum = []string{"", "md5", "crc32c", "sha256"}[r.IntN(4)]
	o.Stall = time.Second
	data := random(r.IntN(12*testPart)*r.IntN(2)*r.IntN(2) | r.IntN(2*testPart))
	named := map[string]bool{}
	id := ""
	for attempt := 0; ; attempt++ {
		if attempt == 10 {
			c.mu.Lock()
			c.rate = 0
			c.mu.Unlock()
		}
		var u *Upload
		var err error
		if id != "" {
			resumed++
			u, err = Resume(t.Context(), Scheme+testBucket+"/"+key, id, o)
		} else {
			u, err = Create(t.Context(), Scheme+testBucket+"/"+key, o)
		}
		got := s.object(key)
		if errors.Is(err, ErrExists) && bytes.Equal(got, data) {
			break // a request that was lost has made it
		}
		if o.Abort && code(err) == "NoSuchUpload" {
			id = "" // it is aborted, and the answer was lost
			continue
		}
		if err != nil {
			if attempt > 12 {
				t.Errorf("%s: %v", key, err)
				return failures, resumed
			}
			failures++
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		var end error
		input := data
		switch r.IntN(6) {
		case 0:
			time.AfterFunc(time.Duration(r.IntN(20))*time.Millisecond, cancel)
		case 1:
			input, end = data[:r.IntN(len(data)+1)], []error{errors.New("planted"), io.ErrUnexpectedEOF}[r.IntN(2)]
		}
		sum, err := drain(ctx, t, u, input, end)
		cancel()
		got = s.object(key)
		if err == nil {
			if !bytes.Equal(got, data) || sum.Bytes != int64(len(data)) {
				t.Errorf("%s: %d bytes of %d, %+v", key, len(got), len(data), sum)
			}
			break
		}
		failures++
		var why *Error
		if !errors.As(err, &why) {
			t.Fatalf("%s: %v", key, err)
		}
		if errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", key, err)
		}
		if got != nil {
			// The last request has taken effect after it was given up.
			if !bytes.Equal(got, data) || end != nil {
				t.Errorf("%s: %d bytes of %d in spite of %v", key, len(got), len(data), err)
			}
			break
		}
		if why.UploadID != "" {
			named[why.UploadID] = true
			checkSafe(t, s, u.c, why, data)
		} else if why.Safe != 0 {
			t.Errorf("%s: %d safe bytes of nothing", key, why.Safe)
		}
		id = why.UploadID
	}
	c.mu.Lock()
	c.rate = 0
	c.mu.Unlock()
	checkLeft(t, s, key, named)
	c.mu.Lock()
	c.rate = r.Float64() * 0.5
	c.mu.Unlock()
	download(t, o, r, key, data)
	return failures, resumed
}

// checkSafe holds what is said to be safe against the parts that the server has.
func checkSafe(t *testing.T, s *server, c *client, why *Error, data []byte) {
	calm := s.options()
	calm.Retries = 50
	quiet, err := dial(why.Name, calm)
	if err != nil {
		t.Fatal(err)
	}
	l, err := quiet.parts(context.Background(), why.UploadID)
	if gone(err) && why.Safe == 0 {
		return
	}
	if err != nil {
		t.Errorf("%s: upload %s: %v", why.Name, why.UploadID, err)
		return
	}
	var there int64
	for i, p := range l.parts {
		from := int64(p.PartNumber-1) * testPart
		if from+p.Size > int64(len(data)) || fmt.Sprintf("%x", md5.Sum(data[from:from+p.Size])) != p.ETag {
			t.Errorf("%s: part %d is not the stream's", why.Name, p.PartNumber)
		}
		if p.PartNumber == i+1 && there == from {
			there += p.Size
		}
	}
	if there < why.Safe {
		t.Errorf("%s: %d bytes are safe, not %d", why.Name, there, why.Safe)
	}
}

// checkLeft looks for uploads with parts that nothing has named.
func checkLeft(t *testing.T, s *server, key string, named map[string]bool) {
	c, err := dial(Scheme+testBucket+"/"+key, s.options())
	if err != nil {
		t.Fatal(err)
	}
	left, err := c.uploads(context.Background())
	if err != nil {
		t.Error(err)
	}
	for _, m := range left {
		l, err := c.parts(context.Background(), m.UploadID)
		if err != nil || len(l.parts) > 0 && !named[m.UploadID] {
			t.Errorf("%s: upload %s is left with %d parts, %v", key, m.UploadID, len(l.parts), err)
		}
	}
}

// download reads an object until all of it came.
func download(t *testing.T, o Options, r *rand.Rand, key string, data []byte) {
	for range 50 {
		ob, err := Open(t.Context(), Scheme+testBucket+"/"+key, o)
		if err != nil {
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		if r.IntN(5) == 0 {
			time.AfterFunc(time.Duration(r.IntN(10))*time.Millisecond, cancel)
		}
		got, sum, err := fill(ctx, t, ob)
		cancel()
		if int64(len(got)) != sum.Bytes || !bytes.HasPrefix(data, got) || err == nil && len(got) != len(data) {
			t.Errorf("%s: read %d of %d bytes, %+v, %v", key, len(got), len(data), sum, err)
		}
		if err == nil {
			return
		}
	}
}

// The stream is in the ring and nowhere else, and what is allocated is for requests,
// not for bytes.
func TestMemory(t *testing.T) {
	s := serve(t)
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "part" {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("ETag", fmt.Sprintf(`"%032d"`, 0))
			return true
		}
		if kind(r) == "complete" {
			fmt.Fprintf(w, `<?xml version="1.0"?><CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>k</Key><ETag>"x-1"</ETag></CompleteMultipartUploadResult>`, testBucket)
			s.plant("k", nil)
			return true
		}
		return false
	})
	o := Options{Memory: 20 << 20, Overwrite: true}
	u := create(t, "k", o)
	const parts = 40
	data := make([]byte, u.Plan().Part)
	p, c := newRing(t, int(u.Plan().Ring()))
	go func() {
		for range parts {
			p.Write(data)
		}
		p.Close()
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := u.Drain(t.Context(), c)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrChecksum) { // the planted object is empty
		t.Fatal(err)
	}
	if each := (after.TotalAlloc - before.TotalAlloc) / parts; each > 400<<10 {
		t.Errorf("%d bytes allocated for each part of %d", each, len(data))
	} else {
		t.Logf("%d bytes allocated for each part of %d, client and server", each, len(data))
	}
}
