package conformance

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bytering/bytering/memconn"
)

// serve runs a handler over memconn and returns a client for it. Both are closed in
// the end, and no goroutine may be left.
func serve(t *testing.T, h http.Handler, opts ...memconn.Option) (*http.Client, *http.Transport) {
	t.Helper()
	l := memconn.Listen(opts...)
	srv := &http.Server{Handler: h}
	served := make(chan error)
	go func() { served <- srv.Serve(l) }()
	tr := &http.Transport{DialContext: l.DialContext, MaxIdleConnsPerHost: 8}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
		goleak.VerifyNone(t)
	})
	return &http.Client{Transport: tr}, tr
}

var buffers = map[string][]memconn.Option{"default": nil, "100 bytes": {memconn.Buffer(100)}}

// With keep-alive, one connection serves all requests of a client.
func TestHTTPKeepAlive(t *testing.T) {
	for name, opts := range buffers {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			seen := map[string]int{}
			client, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				seen[r.RemoteAddr]++
				mu.Unlock()
				fmt.Fprintf(w, "%s for %s", r.URL.Path, r.RemoteAddr)
			}), opts...)
			const requests = 50
			for i := range requests {
				resp, err := client.Get(fmt.Sprintf("http://mem/%d", i))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || !strings.HasPrefix(string(body), fmt.Sprintf("/%d for mem:", i)) {
					t.Fatalf("%q, %v", body, err)
				}
			}
			if len(seen) != 1 {
				t.Errorf("%d requests came from %v", requests, seen)
			}

			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for range requests {
						resp, err := client.Get("http://mem/")
						if err != nil {
							t.Error(err)
							return
						}
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				})
			}
			wg.Wait()
		})
	}
}

// Bodies of several megabytes stream in both directions at once.
func TestHTTPStreaming(t *testing.T) {
	for name, opts := range buffers {
		t.Run(name, func(t *testing.T) {
			client, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.NewResponseController(w).EnableFullDuplex()
				io.Copy(w, r.Body)
			}), opts...)
			body := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
			if opts != nil {
				body = body[:64<<10]
			}
			in, out := io.Pipe()
			go func() {
				for rest := body; len(rest) > 0; {
					n := min(len(rest), 1000)
					out.Write(rest[:n])
					rest = rest[n:]
				}
				out.Close()
			}()
			for _, src := range []io.Reader{in, bytes.NewReader(body)} {
				resp, err := client.Post("http://mem/", "text/plain", src)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || sha256.Sum256(got) != sha256.Sum256(body) {
					t.Errorf("got %d bytes, want %d, or the bytes differ; error %v", len(got), len(body), err)
				}
			}
		})
	}
}

// A client that leaves in the middle of a response ends the handler.
func TestHTTPCancel(t *testing.T) {
	gone := make(chan error)
	client, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 10_000))
		}
		<-r.Context().Done()
		gone <- err
	}))
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://mem/", nil)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 1000))
	cancel()
	if err := <-gone; err == nil {
		t.Error("the handler could go on writing")
	}
	resp.Body.Close()
}

// TestHTTPUpgrade does what a WebSocket does: after an upgrade both sides write
// when they like, and half-close in the end.
func TestHTTPUpgrade(t *testing.T) {
	client, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		rw.Flush()
		go func() {
			defer conn.Close()
			for {
				line, err := rw.ReadString('\n')
				if err != nil {
					io.WriteString(conn, "bye\n")
					conn.(interface{ CloseWrite() error }).CloseWrite()
					return
				}
				io.WriteString(conn, "echo "+line)
			}
		}()
	}))
	req, _ := http.NewRequest("GET", "http://mem/", nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := client.Do(req)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	conn := resp.Body.(io.ReadWriteCloser)
	defer conn.Close()
	lines := bufio.NewReader(conn)
	for i := range 100 {
		fmt.Fprintf(conn, "line %d\n", i)
		if got, err := lines.ReadString('\n'); got != fmt.Sprintf("echo line %d\n", i) || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(lines); string(got) != "bye\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A server gives up a slow client with a deadline.
func TestHTTPServerTimeout(t *testing.T) {
	l := memconn.Listen()
	srv := &http.Server{ReadHeaderTimeout: 20 * time.Millisecond}
	go srv.Serve(l)
	defer srv.Close()
	c, err := l.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "GET / HTTP/1.1\r\n")
	if _, err := io.ReadAll(c); err != nil {
		t.Error(err)
	}
	c.Close()
}

// No answer is lost, however small the buffers are. An answer may fill a buffer
// exactly.
func TestHTTPLosesNothing(t *testing.T) {
	requests := 300
	if os.Getenv("HTTP_REQUESTS") != "" {
		requests = 10_000
	}
	for _, size := range []int{1, 3, 1000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			client, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n, err := strconv.Atoi(r.URL.Path[1:])
				if err != nil {
					panic(err)
				}
				w.Header().Set("Content-Length", strconv.Itoa(n))
				io.Copy(w, strings.NewReader(strings.Repeat("x", n)))
			}), memconn.Buffer(size))
			for i := range requests {
				n := i % 1100
				resp, err := client.Get(fmt.Sprintf("http://mem/%d", n))
				if err != nil {
					t.Fatalf("request %d: %v", i, err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if len(body) != n || err != nil {
					t.Fatalf("request %d: got %d bytes, want %d, error %v", i, len(body), n, err)
				}
			}
		})
	}
}
