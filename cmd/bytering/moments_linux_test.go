package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"
)

var safe = regexp.MustCompile(`; (\d+) bytes written to `)

// TestSignalsAtRandomMoments ends transfers somewhere in the middle: what the
// message calls safe is what arrived, to the byte, whatever the ends are.
func TestSignalsAtRandomMoments(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	// More than passes in the longest delay.
	text, err := io.ReadAll(random(64 << 20))
	if err != nil {
		t.Fatal(err)
	}
	pipes := way{"pipe", func(t *testing.T, text []byte) (from, to string, arrived func() []byte) { return "-", "-", nil }}
	for i := range 24 {
		way := append(ways[:2:2], pipes)[i%3]
		delay := time.Duration(rng.IntN(60_000)) * time.Microsecond
		sig := ends[rng.IntN(len(ends))]
		t.Run(fmt.Sprint(way.name, "/", delay), func(t *testing.T) {
			from, to, arrived := way.open(t, text)
			p := prepare(t, "-i", from, "-o", to)
			if way.name == "pipe" {
				in, feed := pipe(t)
				out, w := pipe(t)
				p.Stdin, p.Stdout = in, w
				go func() { feed.Write(text); feed.Close() }()
				got := make(chan []byte, 1)
				go func() { b, _ := io.ReadAll(out); got <- b }()
				arrived = func() []byte { in.Close(); w.Close(); return <-got }
			}
			p.startDefault(sig)
			time.Sleep(delay)
			if err := p.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			p.await()
			// The FIFOs' other ends wait for somebody to open them.
			if way.name == "FIFO" {
				for _, name := range []string{from, to} {
					if f, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
						defer f.Close()
						f.Close()
					}
				}
			}
			got := arrived()
			if !bytes.HasPrefix(text, got) {
				t.Error("what arrived is not what was sent")
			}
			switch code := p.ProcessState.ExitCode(); code {
			case exitDone: // it was faster
				if len(got) != len(text) {
					t.Errorf("%d of %d bytes arrived", len(got), len(text))
				}
			case -1: // the signal came before the command had begun
			default:
				said := p.check(exitSignal+int(sig), 1)
				n := 0
				if m := safe.FindStringSubmatch(said); m != nil {
					n, _ = strconv.Atoi(m[1])
				} else {
					contains(t, said, "; nothing was written")
				}
				if n != len(got) {
					t.Errorf("%d bytes arrived; it said %q", len(got), said)
				}
			}
		})
	}
}

// TestLargeFile passes a gigabyte of a file that has holes and data.
func TestLargeFile(t *testing.T) {
	if testing.Short() {
		t.Skip("a gigabyte takes seconds")
	}
	const n = 1_000_000_000
	from, to := randomFile(t, 1<<20), filepath.Join(t.TempDir(), "sink")
	f, err := os.OpenFile(from, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at := int64(100 << 20); at < n-1<<20; at += 100 << 20 {
		if _, err := f.WriteAt([]byte(fmt.Sprint("here is ", at)), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(n); err != nil {
		t.Fatal(err)
	}
	p := prepare(t, "-i", from, "-o", to)
	p.start()
	contains(t, p.end(exitDone, 1), "bytering: 1000000000 bytes")
	if got, want := sumFile(t, to), sumFile(t, from); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestFileChanges: a source that grows or shrinks while it is read ends where
// its end is when the command gets there.
func TestFileChanges(t *testing.T) {
	for name, change := range map[string]func(f *os.File) error{
		"grows": func(f *os.File) error {
			_, err := f.WriteAt(make([]byte, 1<<20), 8<<20)
			return err
		},
		"shrinks": func(f *os.File) error { return f.Truncate(6 << 20) },
	} {
		from := randomFile(t, 8<<20)
		f, err := os.OpenFile(from, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		out, w := pipe(t)
		p := prepare(t, "-i", from, "-m", "64K")
		p.Stdout = w
		p.start()
		w.Close()
		// So much is read that the change comes in the middle.
		head := make([]byte, 1<<20)
		if _, err := io.ReadFull(out, head); err != nil {
			t.Fatal(err)
		}
		if err := change(f); err != nil {
			t.Fatal(err)
		}
		tail, err := io.ReadAll(out)
		if err != nil {
			t.Fatal(err)
		}
		p.end(exitDone, 1)
		want, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(append(head, tail...), want) {
			t.Errorf("a file that %s: %d bytes came, want %d", name, len(head)+len(tail), len(want))
		}
	}
}

// TestDiskFull fills a small file system: what is there is what is safe.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("mounting a small file system: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	from, to := randomFile(t, 8<<20), filepath.Join(dir, "sink")
	p := prepare(t, "-i", from, "-o", to)
	p.start()
	said := p.end(exitSink, 1)
	contains(t, said, "write "+to+": no space left on device")
	want, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, said, fmt.Sprintf("; %d bytes written to %s", len(got), to))
	if len(got) == 0 || !bytes.HasPrefix(want, got) {
		t.Errorf("%d bytes are there, or others", len(got))
	}
}
