//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestFullDevice(t *testing.T) {
	p := prepare(t, "-i", "/dev/zero", "-o", "/dev/full")
	p.start()
	contains(t, p.end(exitSink, 1), "write /dev/full: no space left on device; 0 bytes")

	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, args := range [][]string{{"-i", "/dev/zero"}, {"--help"}, {"--version"}} {
		p = prepare(t, args...)
		p.Stdout = full
		p.start()
		contains(t, p.end(exitSink, 1), "write standard output: no space left on device")
	}
}

// TestSourceFails: a terminal's read fails once all that was typed is read.
func TestSourceFails(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	defer master.Close()
	if _, err := slave.WriteString("12345"); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	p := prepare(t)
	var out bytes.Buffer
	p.Stdin, p.Stdout = master, &out
	p.start()
	contains(t, p.end(exitSource, 1), "read standard input: input/output error at byte 5; 5 bytes written")
	if out.String() != "12345" {
		t.Errorf("%q, want what was read before the failure", out.String())
	}
}

// onTerminal runs the command with stderr on a terminal of that size, and
// returns what that shows.
func onTerminal(t *testing.T, size pty.Winsize, stdin *os.File, args ...string) string {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	defer master.Close()
	if err := pty.Setsize(slave, &size); err != nil {
		t.Fatal(err)
	}
	p := prepare(t, args...)
	p.Stdin = stdin
	p.on(slave)
	p.start()
	slave.Close()
	var screen bytes.Buffer
	if _, err := io.Copy(&screen, master); err != nil && !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	p.end(exitDone, 0) // nothing went to the buffer
	return screen.String()
}

// TestProgress is the transfer that README begins with: also one that is over at
// once shows a bar and a summary.
func TestProgress(t *testing.T) {
	from := randomFile(t, 1<<20)
	for _, size := range []pty.Winsize{{Rows: 24, Cols: 80}, {}} {
		shown := onTerminal(t, size, nil, "-i", from, "-o", "/dev/null")
		contains(t, shown, "[==", "1.00MiB", "/s", "ring", "bytering: 1048576 bytes")
	}
	if shown := onTerminal(t, pty.Winsize{}, nil, "-q", "-i", from, "-o", "/dev/null"); shown != "" {
		t.Errorf("-q shows %q", shown)
	}
}

// TestProgressOfRest: the bar of a file that something else has read the
// beginning of is full when the rest is done.
func TestProgressOfRest(t *testing.T) {
	f, err := os.Open(randomFile(t, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(1<<19, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	shown := onTerminal(t, pty.Winsize{Rows: 24, Cols: 80}, f, "-o", "/dev/null")
	contains(t, shown, "bytering: 524288 bytes")
	frames := frameForm.FindAllString(shown, -1)
	if len(frames) == 0 {
		t.Fatalf("no bar in %q", shown)
	}
	last := frames[len(frames)-1]
	contains(t, last, "=>]", "100%")
	if strings.Contains(last, "left") {
		t.Errorf("%q expects more", last)
	}
}

// TestProgressOfPipe: of no known size, drawn a few times a second.
func TestProgressOfPipe(t *testing.T) {
	r, w := pipe(t)
	fed := make(chan error, 1)
	go func() {
		_, err := w.WriteString("hi")
		time.Sleep(time.Second)
		w.Close()
		fed <- err
	}()
	shown := onTerminal(t, pty.Winsize{Rows: 24, Cols: 80}, r, "-o", "/dev/null")
	contains(t, shown, "2.00 B", "ring   0%", "slow source", "bytering: 2 bytes")
	if strings.Contains(shown, "left") || strings.Contains(shown, "[=") {
		t.Errorf("%q knows when it ends", shown)
	}
	// In a second between 5 and 10 times, with room for a busy machine.
	if n := strings.Count(shown, "ring"); n < 2 || n > 20 {
		t.Errorf("drawn %d times", n)
	}
	if err := <-fed; err != nil {
		t.Error(err)
	}
}

// TestSignalInWrite: what a pipe has taken that nobody reads is counted to the
// byte, and it is not closed to whoever else writes to it.
func TestSignalInWrite(t *testing.T) {
	for _, sig := range ends {
		r, w := pipe(t)
		p := prepare(t, "-i", "/dev/zero")
		p.Stdout = w
		p.startDefault(sig)
		settle()
		said := p.kill(sig)
		w.Close()
		n, err := io.Copy(io.Discard, r)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			t.Error("the test wrote nothing")
		}
		contains(t, said, fmt.Sprintf("; %d bytes written to standard output", n))
	}
}
