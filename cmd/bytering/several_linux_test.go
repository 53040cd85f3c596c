package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInputs: one after the other, a FIFO and standard input too, each opened when
// it is its turn.
func TestInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b, empty, fifo := writeFile(t, dir, "a", "first "), writeFile(t, dir, "b", "second "), writeFile(t, dir, "empty", ""), mkfifo(t)
	for _, c := range []struct {
		args string
		want string
		code int
	}{
		{a + " " + b, "first second ", 0},
		{b + " -i " + a, "first second ", 0}, // those of flags come first
		{strings.Join([]string{empty, a, empty, "-", b, empty}, " "), "first in second ", 0},
		{a + " " + fifo + " " + b, "first through second ", 0},
		{"--skip 2 " + a + " " + b, "rst second ", 0},
		{"--skip 8 " + a + " " + b, "cond ", 0},
		{"--skip 1 - " + a, "n first ", 0},
		{"--skip 9 --count 3 - " + a + " " + b, "sec", 0},
		{"--count 8 " + a + " " + b, "first se", 0},
		{"--count 0 " + a, "", 0},
		{"--count 14 " + a + " " + b, "first second ", exitEarly},
		{"--skip 14 " + a + " " + b, "", exitEarly},
		{"--size 5 " + a, "first ", 0},
		{"--size 500 " + a, "first ", 0},
	} {
		p := prepare(t, strings.Fields("-q "+c.args)...)
		var out bytes.Buffer
		p.Stdin, p.Stdout = strings.NewReader("in "), &out
		p.start()
		if strings.Contains(c.args, fifo) {
			go os.WriteFile(fifo, []byte("through "), 0)
		}
		lines := 0
		if c.code != 0 {
			lines = 1
		}
		said := p.end(c.code, lines)
		if out.String() != c.want {
			t.Errorf("%s: %q, want %q", c.args, out.String(), c.want)
		}
		if c.code == exitEarly {
			contains(t, said, "ended 1 bytes before", fmt.Sprintf("; %d bytes written", len(c.want)))
		}
	}
}

// TestInputsMissing: before a byte is moved, but as pv.
func TestInputsMissing(t *testing.T) {
	dir := t.TempDir()
	a, none := writeFile(t, dir, "a", "first "), filepath.Join(dir, "none")
	for _, c := range []struct {
		as   string
		args []string
		out  string
		code int
		says []string
	}{
		{"bytering", []string{a, none}, "", exitRefused, []string{"open", "none: no such file"}},
		{"bytering", []string{a, dir}, "", exitRefused, []string{dir + ": is a directory"}},
		{"pv", []string{none, a, none}, "first ", exitSource, []string{"none: no such file", "none: no such file", "not all inputs could be opened; 6 bytes written"}},
		{"pv", []string{none}, "", exitRefused, []string{"none: no such file", "there is no input"}},
	} {
		p := prepare(t, c.args...).as(c.as)
		var out bytes.Buffer
		p.Stdout = &out
		p.start()
		code, said := p.over()
		if code != c.code || out.String() != c.out {
			t.Errorf("%s %v: code %d, %q", c.as, c.args, code, out.String())
		}
		if c.as == "bytering" {
			c.says = []string{strings.Join(c.says, " ")[:4]}
		}
		lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
		if len(lines) != len(c.says) {
			t.Fatalf("%q", said)
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, c.as+": ") {
				t.Errorf("%q", line)
			}
			contains(t, line, c.says[i])
		}
	}
}

// TestCountLeavesRest: what is not asked for stays in a pipe for the next one.
func TestCountLeavesRest(t *testing.T) {
	r, w := pipe(t)
	if _, err := w.WriteString("take this, leave that"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	p := prepare(t, "-q", "--skip", "5", "--count", "5")
	var out bytes.Buffer
	p.Stdin, p.Stdout = r, &out
	p.start()
	p.end(exitDone, 0)
	if rest, err := io.ReadAll(r); out.String() != "this," || string(rest) != " leave that" || err != nil {
		t.Errorf("%q, and left %q, %v", out.String(), rest, err)
	}
}

// TestOutputs: each gets every byte, also those that are slow.
func TestOutputs(t *testing.T) {
	t.Parallel()
	const n = 5<<20 + 3
	dir, fifo := t.TempDir(), mkfifo(t)
	p := prepare(t, "-m", "1M", "-o", filepath.Join(dir, "a"), "-o", "-", "-o", fifo, "-o", filepath.Join(dir, "b"))
	r, w := pipe(t)
	p.Stdin, p.Stdout = random(n), w
	p.start()
	w.Close()
	slow := make(chan string, 1)
	go func() {
		f, err := os.Open(fifo)
		if err != nil {
			t.Error(err)
		}
		defer f.Close()
		time.Sleep(300 * time.Millisecond)
		slow <- sum(t, f)
	}()
	want := sum(t, random(n))
	got := []string{sum(t, r), <-slow}
	contains(t, p.end(exitDone, 1), fmt.Sprintf("bytering: %d bytes", n))
	for i, got := range append(got, sumFile(t, filepath.Join(dir, "a")), sumFile(t, filepath.Join(dir, "b"))) {
		if got != want {
			t.Errorf("output %d has %s, want %s", i, got, want)
		}
	}
}

// TestOutputFails: the others get all, but as mbuffer with -e.
func TestOutputFails(t *testing.T) {
	t.Parallel()
	const n = 3<<20 + 3
	for _, all := range []bool{false, true} {
		to := filepath.Join(t.TempDir(), "sink")
		p := prepare(t, "-q", "-o", "/dev/full", "-o", to).as("mbuffer")
		if all {
			p.Args = append(p.Args, "-e")
		}
		r, w := pipe(t)
		p.Stdin = r
		p.start()
		r.Close()
		io.CopyN(w, random(n), n/2)
		settle()
		io.Copy(w, io.MultiReader(random(n))) // fails where all stop
		w.Close()
		code, said := p.over()
		if code != exitSink || strings.Count(said, "\n") != 1 {
			t.Errorf("code %d, %q", code, said)
		}
		contains(t, said, "mbuffer: write /dev/full: no space left on device; 0 bytes written to /dev/full")
		if info, err := os.Stat(to); err != nil || (info.Size() == n+n/2) == all {
			t.Errorf("-e is %v, and the other has %v, %v", all, info.Size(), err)
		}
	}
}

// TestAllOutputsFail: then nothing is read any more.
func TestAllOutputsFail(t *testing.T) {
	p := prepare(t, "-q", "-i", "/dev/zero", "-o", "/dev/full", "-o", "/dev/full", "--hash", "md5")
	p.start()
	code, said := p.over()
	if code != exitSink || strings.Count(said, "\n") != 2 || strings.Contains(said, "hash") {
		t.Errorf("code %d, %q", code, said)
	}
}

// TestReaderOfOneGone: the other output goes on.
func TestReaderOfOneGone(t *testing.T) {
	t.Parallel()
	const n = 3<<20 + 3
	to := filepath.Join(t.TempDir(), "sink")
	p := prepare(t, "-q", "-o", "-", "-o", to)
	in, feed := pipe(t)
	r, w := pipe(t)
	p.Stdin, p.Stdout = in, w
	p.start()
	in.Close()
	w.Close()
	r.Close()
	settle()
	if _, err := io.Copy(feed, random(n)); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	contains(t, p.end(exitReader, 1), "standard output: its reader went away; 0 bytes written to standard output")
	if got, want := sumFile(t, to), sum(t, random(n)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestSignalToSeveral: what each has is counted to the byte.
func TestSignalToSeveral(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "sink")
	r, w := pipe(t)
	p := prepare(t, "-i", "/dev/zero", "-o", "-", "-o", to, "-m", "256K", "--hash", "sha1")
	p.Stdout = w
	p.startDefault(syscall.SIGTERM)
	w.Close()
	settle()
	said := p.kill(syscall.SIGTERM)
	n, err := io.Copy(io.Discard, r)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(to)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, said, "stopped by signal", fmt.Sprintf("; %d bytes written to standard output, %d bytes written to %s", n, info.Size(), to))
	if n == 0 || info.Size() == 0 {
		t.Error("the test wrote nothing")
	}
}

// TestHash: of what was moved, in mbuffer's form.
func TestHash(t *testing.T) {
	t.Parallel()
	const n = 2<<20 + 7
	data, _ := io.ReadAll(random(n))
	want := fmt.Sprintf("MD5 hash: %x\nSHA256 hash: %x\n", md5.Sum(data), sha256.Sum256(data))
	for name, args := range map[string]string{"bytering": "-q --hash md5,sha256", "mbuffer": "-q -H --hash sha256"} {
		p := prepare(t, strings.Fields(args)...).as(name)
		var out bytes.Buffer
		p.Stdin, p.Stdout = bytes.NewReader(data), &out
		p.start()
		if code, said := p.over(); code != 0 || said != want || !bytes.Equal(out.Bytes(), data) {
			t.Errorf("%s: code %d, %q, want %q", name, code, said, want)
		}
	}
	p := prepare(t, "--hash", "list")
	var out bytes.Buffer
	p.Stdout = &out
	p.start()
	p.end(exitDone, 0)
	contains(t, out.String(), "md5\n", "sha256\n")
}

// TestBlockOfSeveral: no write to any of them is larger.
func TestBlockOfSeveral(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	p := prepare(t, "-q", "-s", "10K", "-o", a, "-o", b)
	tr := p.trace("trace=write,writev", a, b)
	p.Stdin = random(1 << 20)
	p.start()
	p.end(exitDone, 0)
	eventually(t, "the trace", func() bool { _, writes := tr.counts(); return total(writes) == 2<<20 })
	_, writes := tr.counts()
	for _, n := range writes {
		if n > 10<<10 {
			t.Fatalf("a write has %d bytes", n)
		}
	}
}

// TestSourceOfSeveralFails: all get what came before, and a hash of that is none.
func TestSourceOfSeveralFails(t *testing.T) {
	from := randomFile(t, 1<<20)
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	p := prepare(t, "-q", "-s", "64K", "-i", from, "-o", a, "-o", b, "--hash", "md5")
	p.trace("inject=read,readv:error=EIO:when=5", from)
	p.start()
	contains(t, p.end(exitSource, 1), "read "+from+": input/output error at byte 262144; 262144 bytes written to "+a+", 262144 bytes written to "+b)
	want := sum(t, io.LimitReader(random(1<<20), 256<<10))
	for _, name := range []string{a, b} {
		if got := sumFile(t, name); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestMarksOfSeveral: a fast output that waits for more in the ring does not stop
// one that is slow, nor the source.
func TestMarksOfSeveral(t *testing.T) {
	t.Parallel()
	const n = 4 << 20
	fifo, to := mkfifo(t), filepath.Join(t.TempDir(), "sink")
	p := prepare(t, "-q", "-m", "64K", "-P", "90", "-p", "20", "-o", to, "-o", fifo)
	p.Stdin = random(n)
	p.start()
	defer time.AfterFunc(patience, func() { p.Process.Kill() }).Stop()
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := sum(t, readerFunc(func(b []byte) (int, error) {
		time.Sleep(time.Millisecond)
		return f.Read(b[:min(len(b), 20_000)])
	}))
	if want := sum(t, random(n)); got != want || sumFile(t, to) != want {
		t.Errorf("%s and %s, want %s", got, sumFile(t, to), want)
	}
	p.end(exitDone, 0)
}

// A readerFunc is a function that reads.
type readerFunc func(b []byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
