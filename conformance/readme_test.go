package conformance

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/bytering/bytering"
)

// readme is the loop of README.md, line by line.
func readme(conn net.Conn, file io.Writer) error {
	p, c, err := bytering.New(64 << 10)
	if err != nil {
		return err
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		_, err := p.ReadFrom(conn) // reads straight into the ring
		p.CloseWithError(err)      // CloseWithError(nil) is Close
	})
	_, err = c.WriteTo(file) // writes straight out of it
	c.CloseWithError(err)    // ends a ReadFrom that waits for room
	if err != nil {
		conn.Close() // ends one that waits for bytes
	}
	reading.Wait()
	return err
}

// TestReadme: what it shows may be copied. It ends, with all its goroutines,
// also if the sink fails while the source is silent.
func TestReadme(t *testing.T) {
	own, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(own), "file io.Writer) error {\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	body = strings.ReplaceAll(body[1:], "\n\t", "\n")
	if !strings.Contains(string(text), "```go\n"+body+"\n```") {
		t.Errorf("README.md does not have\n%s", body)
	}

	errTest := errors.New("test error")
	for name, tc := range map[string]struct {
		file io.Writer
		ends bool
		want error
	}{
		"whole":                                 {io.Discard, true, nil},
		"sink fails":                            {failing{errTest}, true, errTest},
		"sink fails while the source is silent": {failing{errTest}, false, errTest},
	} {
		conn, peer := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- readme(conn, tc.file) }()
		peer.Write([]byte("hello"))
		if tc.ends {
			peer.Close()
		}
		if err := <-done; !errors.Is(err, tc.want) {
			t.Errorf("%s: error %v, want %v", name, err, tc.want)
		}
		conn.Close()
		peer.Close()
	}
	goleak.VerifyNone(t)
}
