package s3

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hanging returns a function that leaves a request without an answer until the test is
// over. It reads the body or not.
func hanging(t *testing.T) func(r *http.Request, body bool) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	return func(r *http.Request, body bool) {
		if body {
			io.Copy(io.Discard, r.Body)
		}
		<-over
	}
}

// A server that stops ends a call with ErrStalled, whatever it is asked for, and
// nothing is retried.
func TestTimeout(t *testing.T) {
	for _, what := range []string{"create", "part", "complete", "put", "head", "get", "uploads"} {
		t.Run(what, func(t *testing.T) {
			s := serve(t)
			hang := hanging(t)
			const long = 9 * testPart
			s.plant("old", random(long))
			var stopped atomic.Bool
			s.fault(func(w http.ResponseWriter, r *http.Request) bool {
				// The first one is answered, so that Fill is tried too.
				if kind(r) == what && (what != "get" || s.count("get") > 1) || stopped.Load() {
					stopped.Store(true)
					hang(r, what != "part")
					return true
				}
				return what == "get" && s.slowly(w, r)
			})
			o := s.options()
			o.Timeout = 150 * time.Millisecond
			start := time.Now()
			var err error
			var safe int64
			switch what {
			case "head", "get":
				var ob *Object
				if ob, err = Open(t.Context(), Scheme+testBucket+"/old", o); err == nil {
					var got []byte
					got, _, err = fill(t.Context(), t, ob)
					safe = int64(len(got))
				}
			case "uploads":
				_, err = Resume(t.Context(), Scheme+testBucket+"/new", "", o)
			default:
				n := long
				if what == "put" {
					n = 100
				}
				_, err = drain(t.Context(), t, create(t, "new", o), random(n), nil)
			}
			took := time.Since(start)
			var failed *Error
			if !errors.Is(err, ErrStalled) || !errors.As(err, &failed) || !strings.Contains(err.Error(), "nothing moved for 150ms") {
				t.Fatal(err)
			}
			if what == "get" && failed.Safe != safe || what == "complete" && failed.Safe != long {
				t.Errorf("%d bytes are safe, %d came", failed.Safe, safe)
			}
			// The last request may have taken effect.
			if last := what == "complete" || what == "put"; errors.Is(err, ErrUnknown) != last {
				t.Error(err)
			}
			if took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A connection that stalls while others move is not the server's stop: its request is
// retried.
func TestTimeoutOfOneConnection(t *testing.T) {
	s := serve(t)
	hang := hanging(t)
	hit := times(1, "part")
	s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "part" && hit(r) {
			hang(r, true)
			return true
		}
		time.Sleep(20 * time.Millisecond)
		return false
	})
	o := s.options()
	o.Timeout = 200 * time.Millisecond
	o.Depth, o.Memory = 2, 3*testPart
	u := create(t, "k", o)
	p, c := newRing(t, int(u.Plan().Ring()))
	data := random(30 * testPart)
	go func() {
		for b := data; len(b) > 0; b = b[testPart/8:] {
			p.Write(b[:testPart/8])
			time.Sleep(2 * time.Millisecond) // for longer than a timeout
		}
		p.Close()
	}()
	sum, err := u.Drain(t.Context(), c)
	if err != nil || sum.Retries == 0 || sum.Bytes != int64(len(data)) {
		t.Error(sum, err)
	}
}

// A source that is slower than the timeout is not the server's stop.
func TestTimeoutOfNoRequest(t *testing.T) {
	s := serve(t)
	o := s.options()
	o.Timeout = 50 * time.Millisecond
	u := create(t, "k", o)
	p, c := newRing(t, int(u.Plan().Ring()))
	data := random(3 * testPart)
	go func() {
		for b := data; len(b) > 0; b = b[testPart:] {
			p.Write(b[:testPart])
			time.Sleep(150 * time.Millisecond)
		}
		p.Close()
	}()
	if sum, err := u.Drain(t.Context(), c); err != nil || sum.Bytes != int64(len(data)) {
		t.Error(sum, err)
	}
}

// A host that does not take the connection, or says nothing in it, has stopped too.
func TestTimeoutOfTheFirstConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, scheme := range []string{"http", "https"} {
		environment(t, scheme+"://"+l.Addr().String())
		start := time.Now()
		_, err := Open(t.Context(), Scheme+testBucket+"/k", Options{Timeout: 100 * time.Millisecond})
		if !errors.Is(err, ErrStalled) || time.Since(start) > 3*time.Second {
			t.Errorf("%s: %v after %v", scheme, err, time.Since(start))
		}
	}
}

// A write that moves slowly does not stall, and one that stops after a part of its
// bytes does.
func TestSlowWrite(t *testing.T) {
	for _, stops := range []bool{false, true} {
		here, there := net.Pipe()
		p := &peer{stall: 600 * time.Millisecond, final: true}
		p.touch()
		c := &stallConn{Conn: here, peer: p}
		failed := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1)) // as the transport does meanwhile
			failed <- err
		}()
		go func() {
			for i := 0; i < 14 && (!stops || i < 3); i++ {
				time.Sleep(100 * time.Millisecond)
				io.ReadFull(there, make([]byte, 1))
			}
		}()
		n, err := c.Write(make([]byte, 14))
		if stops && (n != 3 || !errors.Is(err, ErrStalled)) || !stops && (n != 14 || err != nil) {
			t.Errorf("stops %v: %d, %v", stops, n, err)
		}
		if !stops {
			select {
			case err := <-failed:
				t.Errorf("a read has ended the write's connection: %v", err)
			default:
			}
		}
		here.Close()
		there.Close()
	}
}

// So does one that has no ranges and stops in the middle.
func TestTimeoutWithoutRanges(t *testing.T) {
	s := serve(t)
	hang := hanging(t)
	want := random(9 * testPart)
	s.plant("k", want)
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) != "get" {
			return false
		}
		rec := s.swallow(r)
		w.Header().Set("Etag", rec.Header().Get("Etag"))
		w.Header().Set("Last-Modified", rec.Header().Get("Last-Modified"))
		w.Header().Set("Content-Length", strconv.Itoa(len(want)))
		w.Write(want[:len(want)/2])
		w.(http.Flusher).Flush()
		hang(r, false)
		return true
	})
	o := s.options()
	o.Timeout = 150 * time.Millisecond
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", o)
	if err != nil {
		t.Fatal(err)
	}
	got, sum, err := fill(t.Context(), t, ob)
	if !errors.Is(err, ErrStalled) || !bytes.Equal(got, want[:len(want)/2]) || sum.Bytes != int64(len(got)) {
		t.Error(len(got), sum, err)
	}
}
