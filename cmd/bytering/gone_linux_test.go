package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestReaderGoneWhileIdle: a reader that leaves while nothing moves is noticed
// then, not when the source says something.
func TestReaderGoneWhileIdle(t *testing.T) {
	pipes := func(t *testing.T, p *process) func() {
		r, w := modePipe(t, false)
		p.Stdout = w
		return func() { w.Close(); r.Close() }
	}
	for _, c := range []struct {
		name string
		ends func(t *testing.T, p *process) (leave func())
		code int
		says string
	}{
		{"pipe", pipes, exitReader, "write standard output: its reader went away; 2 bytes written to standard output"},
		{"pipe in non-blocking mode", func(t *testing.T, p *process) func() {
			r, w := modePipe(t, true)
			p.Stdout = w
			return func() { w.Close(); r.Close() }
		}, exitReader, "; 2 bytes written"},
		{"another user's pipe", func(t *testing.T, p *process) func() {
			asNobody(t, p)
			return pipes(t, p)
		}, exitReader, "; 2 bytes written"},
		{"socket", func(t *testing.T, p *process) func() {
			far, near := socketPair(t)
			p.Stdout = near
			return func() { near.Close(); far.Close() }
		}, exitReader, "; 2 bytes written"},
		{"FIFO", func(t *testing.T, p *process) func() {
			fifo := mkfifo(t)
			p.Args = append(p.Args, "-o", fifo)
			r, err := os.OpenFile(fifo, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			return func() { r.Close() }
		}, exitSink, "broken pipe; 2 bytes written"},
		{"a hash", func(t *testing.T, p *process) func() {
			p.Args = append(p.Args, "--hash", "md5")
			return pipes(t, p)
		}, exitReader, "; 2 bytes written"},
		{"whole blocks", func(t *testing.T, p *process) func() {
			p.Args = append(p.Args, "--obs", "1")
			return pipes(t, p)
		}, exitReader, "; 2 bytes written"},
		{"at depth", func(t *testing.T, p *process) func() {
			p.Args = append(p.Args, "--depth", "4")
			return pipes(t, p)
		}, exitReader, "; 2 bytes written"},
		{"quiet", func(t *testing.T, p *process) func() {
			p.Args = append(p.Args, "-q")
			return pipes(t, p)
		}, exitReader, "; 2 bytes written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, feed := modePipe(t, false)
			p := prepare(t)
			leave := c.ends(t, p)
			p.Stdin = in
			p.start()
			if _, err := feed.WriteString("hi"); err != nil {
				t.Fatal(err)
			}
			settle()
			begin := time.Now()
			leave()
			contains(t, p.end(c.code, 1), c.says)
			t.Logf("after %v", time.Since(begin))
		})
	}
}

// TestReaderGoneWhileOpening: nor does it wait for another end of a FIFO.
func TestReaderGoneWhileOpening(t *testing.T) {
	for _, args := range []string{"-i FIFO", "-i FIFO --hash md5", "-i FIFO --obs 1", "-i FIFO --depth 4", "-q -i s3://bucket/key"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			r, w := modePipe(t, false)
			p := prepare(t, strings.Fields(strings.Replace(args, "FIFO", mkfifo(t), 1))...)
			// A store that refuses is tried again.
			p.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_ENDPOINT_URL=http://127.0.0.1:"+freePort(t))
			p.Stdout = w
			p.start()
			w.Close()
			settle()
			r.Close()
			contains(t, p.end(exitReader, 1), "its reader went away; nothing was written")
		})
	}
}

// TestReaderThatKnows: a reader that leaves with the last byte has not gone away.
func TestReaderThatKnows(t *testing.T) {
	for range 20 {
		const n = 100_000
		in, feed := modePipe(t, false)
		r, w := modePipe(t, false)
		p := prepare(t, "-q")
		p.Stdin, p.Stdout = in, w
		p.start()
		in.Close()
		w.Close()
		if _, err := io.CopyN(feed, random(n), n); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, r, n); err != nil {
			t.Fatal(err)
		}
		r.Close()
		time.Sleep(leaving / 10)
		feed.Close()
		p.end(exitDone, 0)
	}
}
