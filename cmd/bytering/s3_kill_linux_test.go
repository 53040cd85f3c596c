//go:build !nos3

package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// A ledger counts the bytes of parts that have come to a store.
type ledger struct {
	mu   sync.Mutex
	have map[string]int // how many bytes of each part have come
	all  int
	more int // of bytes that had come before
}

// take reads the body of a part, and takes so long for it, or until it breaks off.
func (l *ledger) take(r *http.Request, d time.Duration) {
	number := r.URL.Query().Get("partNumber")
	if number == "" {
		return
	}
	var body bytes.Buffer
	buf := make([]byte, 512<<10)
	for {
		n, err := r.Body.Read(buf)
		from := body.Len()
		body.Write(buf[:n])
		l.mu.Lock()
		l.all += n
		l.more += max(0, min(body.Len(), l.have[number])-from)
		l.have[number] = max(l.have[number], body.Len())
		l.mu.Unlock()
		if err != nil {
			break
		}
		time.Sleep(time.Duration(float64(d) * float64(n) / float64(max(r.ContentLength, 1))))
	}
	if int64(body.Len()) < r.ContentLength {
		r.Body = io.NopCloser(io.MultiReader(&body, failing{}))
		return
	}
	r.Body = io.NopCloser(&body)
}

// failing is the rest of a body that has broken off.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestS3Killed: an upload that is killed ten times, at any moment, and resumed makes the
// right object, and what was in flight is all that is sent again. RUNS of the environment
// is how many uploads there are.
func TestS3Killed(t *testing.T) {
	t.Parallel()
	runs := 1
	if s := os.Getenv("RUNS"); s != "" {
		var err error
		if runs, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	for range runs {
		killTenTimes(t, chance)
	}
}

func killTenTimes(t *testing.T, chance *rand.Rand) {
	const part = 5 << 20
	b := newBucket(t)
	size := int64(7*part + 1 + chance.Int64N(4*part))
	depth := 1 + chance.IntN(3)
	data, err := io.ReadAll(random(size))
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{have: map[string]int{}}
	pace := time.Duration(40+chance.IntN(80)) * time.Millisecond
	b.mu.Lock()
	b.comes = func(r *http.Request) { l.take(r, pace) }
	b.mu.Unlock()
	args := []string{"-q", "-m", fmt.Sprintf("%dM", 5*(depth+1)), "--depth", strconv.Itoa(depth), "-o", "s3://bucket/k"}

	worst, killed := 0, 0
	run := func(kill bool) {
		// The store may still read what an earlier process has sent.
		l.mu.Lock()
		before := l.more
		l.mu.Unlock()
		p := b.prepare(args...)
		args = append(args[:7:7], "--resume")
		in, err := p.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		p.start()
		var fed sync.WaitGroup
		fed.Go(func() {
			// The last byte comes only if the process is to live.
			if _, err := in.Write(data[:size-1]); err == nil && !kill {
				in.Write(data[size-1:])
				in.Close()
			}
		})
		if kill {
			time.Sleep(time.Duration(chance.Int64N(int64(300 * time.Millisecond))))
			p.Process.Kill()
		}
		code, said := p.over()
		fed.Wait()
		in.Close()
		unsaid(t, said)
		switch {
		case !kill && code != exitDone:
			t.Fatalf("exit code %d: %s", code, said)
		case kill && code != exitSignal+9:
			t.Fatalf("it was not killed: exit code %d: %s", code, said)
		case kill:
			killed++
		}
		if kill && b.object("k") != nil {
			t.Fatal("a process that was killed has completed the upload")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		worst = max(worst, l.more-before)
	}
	for range 10 {
		run(true)
	}
	run(false)
	sameBytes(t, "object", b.object("k"), data)
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Logf("%d bytes, depth %d, killed %d times: %d bytes came, %d of them again, at most %d after one kill", size, depth, killed, l.all, l.more, worst)
	// The store may still read what one process has sent when the next one begins.
	if worst > 10*part || l.more > killed*depth*part || l.all-l.more != int(size) {
		t.Errorf("of %d bytes %d came, %d again, and at most %d after one kill", size, l.all, l.more, worst)
	}
}
