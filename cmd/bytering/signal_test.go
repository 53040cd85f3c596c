//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startDefault starts the process with the default handling of signals also
// where the test runs in a background job, whose SIGINT is ignored.
func (p *process) startDefault(signals ...os.Signal) {
	p.t.Helper()
	c := make(chan os.Signal, 1)
	signal.Notify(c, signals...)
	defer signal.Stop(c)
	p.start()
}

// kill sends the signal and checks that the process obeys soon.
func (p *process) kill(sig syscall.Signal) string {
	p.t.Helper()
	begin := time.Now()
	if err := p.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	said := p.end(128+int(sig), 1)
	if d := time.Since(begin); d > 5*time.Second {
		p.t.Errorf("%v took effect after %v", sig, d)
	}
	return said
}

var safeForm = regexp.MustCompile(`(?:; |^bytering: )(at least )?(\d+) bytes (?:written to |\(|in )`)

// parseSafe returns how many bytes arrived, by a message or a summary, and
// whether that is exact.
func parseSafe(t *testing.T, said string) (n int64, exact bool) {
	t.Helper()
	m := safeForm.FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("%q does not say how much arrived", said)
	}
	n, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n, m[1] == ""
}

// settle gives the process time to begin and to block. Nothing depends on it
// but that the test tests what it means to.
func settle() { time.Sleep(300 * time.Millisecond) }

var ends = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// TestSignalsAreNamed: wherever it says 128+n, it says for which signals.
func TestSignalsAreNamed(t *testing.T) {
	names := map[os.Signal]string{syscall.SIGHUP: "HUP", syscall.SIGINT: "INT", syscall.SIGQUIT: "QUIT", syscall.SIGTERM: "TERM"}
	for place, text := range texts(t) {
		if strings.HasPrefix(place, "help") {
			continue // which has no room for it
		}
		_, text, found := strings.Cut(text, "128+n")
		if !found {
			t.Errorf("%s does not say 128+n", place)
		}
		for _, sig := range endings {
			if !regexp.MustCompile(fmt.Sprintf(`\b%d %s\b`, exitSignal+int(sig.(syscall.Signal)), names[sig])).MatchString(text) {
				t.Errorf("%s does not name %v", place, sig)
			}
		}
	}
}

func TestSignalInRead(t *testing.T) {
	for _, sig := range ends {
		r, _ := pipe(t)
		to := filepath.Join(t.TempDir(), "sink")
		p := prepare(t, "-q", "-o", to)
		p.Stdin = r
		p.startDefault(sig)
		settle()
		contains(t, p.kill(sig), "signal", "; 0 bytes written to "+to)
	}
}

func mkfifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	// A process that never opens it fails the test and does not hang it.
	timer := time.AfterFunc(patience, func() {
		if f, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
			f.Close()
		}
	})
	t.Cleanup(func() { timer.Stop() })
	return name
}

// TestSignalInOpen: a FIFO without another end blocks its open.
func TestSignalInOpen(t *testing.T) {
	for _, args := range [][]string{{"-i", mkfifo(t)}, {"-i", "/dev/zero", "-o", mkfifo(t)}} {
		p := prepare(t, args...)
		p.startDefault(syscall.SIGTERM)
		settle()
		contains(t, p.kill(syscall.SIGTERM), "nothing was written")
	}
}

// TestSignalCount: what a FIFO has taken when the signal comes, in the middle
// of a write, is counted to the byte.
func TestSignalCount(t *testing.T) {
	fifo := mkfifo(t)
	p := prepare(t, "-i", "/dev/zero", "-o", fifo)
	p.startDefault(syscall.SIGTERM)
	r, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	settle()
	said := p.kill(syscall.SIGTERM)
	n, err := io.Copy(io.Discard, r)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, said, fmt.Sprintf("; %d bytes written", n))
	if n == 0 {
		t.Error("the test wrote nothing")
	}
}

// TestSignalWhileMoving: a file has at the end what the message says.
func TestSignalWhileMoving(t *testing.T) {
	to := filepath.Join(t.TempDir(), "sink")
	r, w := pipe(t)
	p := prepare(t, "-o", to)
	p.Stdin = r
	p.startDefault(syscall.SIGTERM)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond): // don't fill the disk
			}
			if _, err := w.Write(make([]byte, 10_001)); err != nil {
				return
			}
		}
	}()
	settle()
	said := p.kill(syscall.SIGTERM)
	r.Close()
	close(stop)
	<-stopped
	info, err := os.Stat(to)
	if err != nil {
		t.Fatal(err)
	}
	if n, exact := parseSafe(t, said); !exact || n != info.Size() || n == 0 {
		t.Errorf("%q, and the file has %d bytes", said, info.Size())
	}
}

// TestIgnoredSignal: what nohup has set stays so.
func TestIgnoredSignal(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	p := prepare(t)
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.start()
	settle()
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	settle()
	stdin.Close()
	p.end(exitDone, 1)
}
