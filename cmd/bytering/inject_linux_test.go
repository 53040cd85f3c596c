package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// straced makes p run under strace, which lets calls on the file of that name
// fail. It skips the test where there is no strace, or no right to trace.
func straced(t *testing.T, p *process, name, calls, errno string, when int) (log string) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	log = filepath.Join(t.TempDir(), "log")
	args := []string{"strace", "-f", "-qq", "-o", log, "-P", name, "-e", "trace=" + calls,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", calls, errno, when)}
	if out, err := exec.Command(strace, "-qq", "-o", log, "true").CombinedOutput(); err != nil {
		t.Skipf("strace can't trace: %v: %s", err, out)
	}
	p.Path = strace
	p.Args = append(args, p.Args...)
	return log
}

// A way is a pair of ends with names.
type way struct {
	name string
	open func(t *testing.T, text []byte) (from, to string, arrived func() []byte)
}

var ways = []way{
	{"file", func(t *testing.T, text []byte) (from, to string, arrived func() []byte) {
		dir := t.TempDir()
		from, to = filepath.Join(dir, "source"), filepath.Join(dir, "sink")
		if err := os.WriteFile(from, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return from, to, func() []byte {
			b, err := os.ReadFile(to)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			return b
		}
	}},
	{"FIFO", func(t *testing.T, text []byte) (from, to string, arrived func() []byte) {
		from, to = mkfifo(t), mkfifo(t)
		go func() {
			if f, err := os.OpenFile(from, os.O_WRONLY, 0); err == nil {
				// Piece by piece, so that there is always news of the pipe.
				for piece := range slices.Chunk(text, 64<<10) {
					f.Write(piece) // as much as the command takes
					time.Sleep(time.Millisecond)
				}
				f.Close()
			}
		}()
		got := make(chan []byte, 1)
		go func() {
			f, err := os.Open(to)
			if err != nil {
				t.Error(err)
				got <- nil
				return
			}
			defer f.Close()
			b, err := io.ReadAll(f)
			if err != nil {
				t.Error(err)
			}
			got <- b
		}()
		return from, to, func() []byte { return <-got }
	}},
}

// TestInjectedFaults lets one system call fail, the first, the second or the
// fourth of a thread. What is interrupted goes on without a loss; what fails
// makes the command say how many bytes are safe, and those have arrived.
//
// A FIFO's sink gets no EAGAIN: the poller then waits for news of the pipe, and
// one that has room all the time has none, so a kernel does not say that. True
// ones are met by every test with a slow reader.
func TestInjectedFaults(t *testing.T) {
	text, err := io.ReadAll(random(6<<20 + 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range ways {
		for _, fault := range []struct {
			errno    syscall.Errno
			name     string
			sink     bool
			harmless bool
		}{
			{syscall.EINTR, "EINTR", false, true},
			{syscall.EINTR, "EINTR", true, true},
			{syscall.EAGAIN, "EAGAIN", false, way.name == "FIFO"},
			{syscall.EAGAIN, "EAGAIN", true, way.name == "FIFO"},
			{syscall.EIO, "EIO", false, false},
			{syscall.EIO, "EIO", true, false},
			{syscall.ENOSPC, "ENOSPC", true, false},
		} {
			if fault.errno == syscall.EAGAIN && fault.sink && way.name == "FIFO" {
				continue
			}
			for _, when := range []int{1, 2, 4} {
				calls, side := "read,readv", "source"
				if fault.sink {
					calls, side = "write,writev", "sink"
				}
				t.Run(fmt.Sprint(way.name, "/", side, "/", fault.name, "/", when), func(t *testing.T) {
					from, to, arrived := way.open(t, text)
					p := prepare(t, "-i", from, "-o", to, "-m", "1M")
					name, code := from, exitSource
					if fault.sink {
						name, code = to, exitSink
					}
					log := straced(t, p, name, calls, fault.name, when)
					p.start()
					p.await()
					got := arrived()
					// Each thread counts its own calls, so a late one may
					// never come.
					traced, err := os.ReadFile(log)
					if err != nil {
						t.Fatal(err)
					}
					injected := bytes.Contains(traced, []byte("(INJECTED)"))
					if when == 1 && !injected {
						t.Error("nothing was injected")
					}
					if !injected || fault.harmless {
						p.check(exitDone, 1)
						if !bytes.Equal(got, text) {
							t.Errorf("%d of %d bytes arrived, or others", len(got), len(text))
						}
						return
					}
					said := p.check(code, 1)
					contains(t, said, name+": "+fault.errno.Error())
					contains(t, said, fmt.Sprintf("; %d bytes written to %s", len(got), to))
					if !bytes.HasPrefix(text, got) {
						t.Error("what arrived is not what was sent")
					}
				})
			}
		}
	}
}

// TestBlock: no call moves more than -s says.
func TestBlock(t *testing.T) {
	from, to, arrived := ways[0].open(t, bytes.Repeat([]byte("0123456789"), 10_000))
	p := prepare(t, "-q", "-i", from, "-o", to, "-s", "3000")
	log := straced(t, p, from, "read,readv,write,writev", "EINTR", 1<<16-1)
	p.Args = append([]string{"strace", "-P", to}, p.Args[1:]...)
	p.start()
	p.end(exitDone, 0)
	if n := len(arrived()); n != 100_000 {
		t.Errorf("%d bytes arrived", n)
	}
	traced, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0
	for line := range strings.Lines(string(traced)) {
		_, result, ok := strings.Cut(line, ") = ")
		if !ok {
			continue // unfinished, or a thread's end
		}
		if n, err := strconv.Atoi(strings.Fields(result)[0]); err == nil {
			largest = max(largest, n)
		}
	}
	if largest != 3000 {
		t.Errorf("the largest call moved %d bytes, want 3000\n%s", largest, traced)
	}
}
