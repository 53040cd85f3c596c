//go:build !nos3

package main

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// hang makes the store leave requests without an answer until the test is over.
func (b *bucket) hang(which func(*http.Request) bool) {
	over := make(chan struct{})
	b.t.Cleanup(func() { close(over) })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.comes = func(r *http.Request) {
		if which(r) {
			<-over
		}
	}
}

// TestS3Timeout: a store that stops, and another end that does, are a timeout.
func TestS3Timeout(t *testing.T) {
	t.Parallel()
	_, mute := modePipe(t, false)
	quiet, feed := modePipe(t, false)
	feed.WriteString("hi")
	part := func(n string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.URL.Query().Get("partNumber") == n }
	}
	method := func(m string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.Method == m }
	}
	for _, tc := range []struct {
		name  string
		hangs func(*http.Request) bool
		args  []string
		ends  func(p *process)
		says  string
		safe  int // bytes at least, or -1 if it says that nothing was moved
		left  bool
	}{
		{"upload that can't begin", method(http.MethodHead), []string{"-o", "s3://bucket/k"}, nil, "open s3://bucket/k: ", -1, false},
		{"download that can't begin", method(http.MethodHead), []string{"-i", "s3://bucket/old"}, nil, "open s3://bucket/old: ", -1, false},
		{"part", part("2"), []string{"-o", "s3://bucket/k"}, nil, "write s3://bucket/k: ", 5 << 20, true},
		{"one PUT", func(r *http.Request) bool { return r.Method == http.MethodPut }, []string{"-m", "100M", "-o", "s3://bucket/k"}, nil, "write s3://bucket/k: ", 0, false},
		{"range", func(r *http.Request) bool { return strings.HasPrefix(r.Header.Get("Range"), "bytes=10485760-") }, []string{"-i", "s3://bucket/old"}, nil, "read s3://bucket/old: ", 10 << 20, false},
		{"standard output", nil, []string{"-i", "s3://bucket/old"}, func(p *process) { p.Stdout = mute }, "write standard output: ", 1, false},
		{"standard input", nil, []string{"-o", "s3://bucket/k"}, func(p *process) { p.Stdin = quiet }, "read standard input: ", 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b, data := newBucket(t), someBytes(t)
			b.run(exitDone, bytes.NewReader(data), append(small, "-o", "s3://bucket/old")...)
			if tc.hangs != nil {
				b.hang(tc.hangs)
			}
			p := b.prepare(append([]string{"-m", "15M", "--depth", "2", "-W", "1"}, tc.args...)...)
			p.Stdin = bytes.NewReader(data)
			if tc.ends != nil {
				tc.ends(p)
			}
			p.start()
			code, said := p.over()
			if code != exitTimeout {
				t.Errorf("exit code %d: %s", code, said)
			}
			unsaid(t, said)
			contains(t, said, tc.says, ": nothing moved for 1s")
			safe := -1
			if m := regexp.MustCompile(`(\d+) bytes written`).FindStringSubmatch(said); m != nil {
				safe, _ = strconv.Atoi(m[1])
			}
			if (tc.safe < 0) != (safe < 0) || safe < tc.safe || safe >= len(data) {
				t.Errorf("%d bytes are said to be safe: %s", safe, said)
			}
			if left := goOnForm.MatchString(said); left != tc.left {
				t.Errorf("left %v: %s", left, said)
			}
		})
	}
}
