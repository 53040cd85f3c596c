package conformance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/memconn"
	"github.com/bytering/bytering/pump"
	"github.com/bytering/bytering/vectored"
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

// TestReadme checks that the loop that README.md shows can be copied. It ends, with
// all its goroutines, even if the sink fails while the source is silent.
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
		t.Errorf("README.md does not contain\n%s", body)
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

// TestReadmeInstead checks that the calls that README.md's table offers instead of
// io.Pipe and others are in the code below, which does what the table says.
func TestReadmeInstead(t *testing.T) {
	own, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| today | write |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var calls int
	for row := range strings.Lines(table) {
		_, write, _ := strings.Cut(strings.Trim(row, "|\n"), "|")
		for _, code := range regexp.MustCompile("`[^`]+`").FindAllString(write, -1) {
			code = strings.Trim(code, "`")
			if !strings.Contains(code, "(") || strings.HasPrefix(code, "bytering -") {
				continue
			}
			if calls++; !strings.Contains(string(own), code) {
				t.Errorf("README.md offers %s, which is not tested", code)
			}
		}
	}
	if calls < 5 {
		t.Errorf("only %d calls in README.md's table:\n%s", calls, table)
	}

	ctx, header, body := context.Background(), []byte("header "), []byte("body")
	check := func(what, got string, err error) {
		if got != "header body" || err != nil {
			t.Errorf("%s: %q, error %v", what, got, err)
		}
	}

	w, r, err := bytering.New(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{header, body} {
		if _, err := w.Write(b); err != nil { // does not wait for a Read
			t.Fatal(err)
		}
	}
	w.Close()
	b, err := io.ReadAll(r)
	check("bytering.New", string(b), err)

	l := memconn.Listen(memconn.Buffer(1 << 20))
	defer l.Close()
	conn, err := l.DialAddr(ctx, "") // l.DialContext takes a network too
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Write(header)
	conn.Write(body)
	conn.Close()
	b, err = io.ReadAll(peer)
	check("memconn.Listen", string(b), err)

	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	conn, peer = pipes(t, tcp)
	v := vectored.WriterOf(conn)
	if _, err := vectored.WriteAll(v, header, body); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	b, err = io.ReadAll(peer)
	check("vectored.WriteAll", string(b), err)

	dst := new(bytes.Buffer)
	src := io.MultiReader(bytes.NewReader(header), bytes.NewReader(body))
	_, err = pump.Copy(ctx, dst, src)
	check("pump.Copy", dst.String(), err)
}
