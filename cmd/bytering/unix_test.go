//go:build unix

package main

import (
	"io"
	"os"
	"syscall"
	"testing"
)

func TestFIFO(t *testing.T) {
	from, to := mkfifo(t), mkfifo(t)
	p := prepare(t, "-i", from, "-o", to) // no -f: nothing is overwritten
	p.start()
	written := make(chan error, 1)
	go func() {
		f, err := os.OpenFile(from, os.O_WRONLY, 0)
		if err == nil {
			_, err = io.Copy(f, random(3<<20+1))
			f.Close()
		}
		written <- err
	}()
	if got, want := sumFile(t, to), sum(t, random(3<<20+1)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	contains(t, p.end(exitDone, 1), "3145729 bytes")
}

// TestReaderGone is `bytering -i /dev/zero | head -c 5`.
func TestReaderGone(t *testing.T) {
	for _, quiet := range [][]string{{}, {"--quiet"}} {
		r, w := pipe(t)
		p := prepare(t, append(quiet, "-i", "/dev/zero")...)
		p.Stdout = w
		p.start()
		w.Close()
		if _, err := io.ReadFull(r, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		r.Close()
		contains(t, p.end(exitReader, 1), "went away", "bytes written to standard output")
	}
}

// TestReaderGoneWhileSourceBlocks: it need not wait for the source.
func TestReaderGoneWhileSourceBlocks(t *testing.T) {
	in, feed := pipe(t)
	r, w := pipe(t)
	p := prepare(t)
	p.Stdin, p.Stdout = in, w
	p.start()
	w.Close()
	r.Close()
	if _, err := feed.WriteString("hi"); err != nil {
		t.Fatal(err)
	}
	contains(t, p.end(exitReader, 1), "; 0 bytes written to standard output")
}

// exitStatus is what a shell has in $?.
func exitStatus(s *os.ProcessState) int {
	if w := s.Sys().(syscall.WaitStatus); w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
