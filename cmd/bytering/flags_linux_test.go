package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAppendFlag: behind what is there, and without -f.
func TestAppendFlag(t *testing.T) {
	dir := t.TempDir()
	to := writeFile(t, dir, "to", "there ")
	for i, c := range []struct{ as, args string }{
		{"bytering", "-q --append -o " + to}, {"mbuffer", "-q --append -o " + to}, {"mbuffer", "-q -f --append -o " + to},
		{"bytering", "-q --append -o " + to + " -o " + filepath.Join(dir, "new")},
	} {
		p := prepare(t, strings.Fields(c.args)...).as(c.as)
		p.Stdin = strings.NewReader("more ")
		p.start()
		if code, said := p.over(); code != 0 || said != "" {
			t.Errorf("%v: code %d, %q", c, code, said)
		}
		if b, err := os.ReadFile(to); string(b) != "there "+strings.Repeat("more ", i+1) || err != nil {
			t.Errorf("%v: %q, %v", c, b, err)
		}
	}
	// To the next output only.
	p := prepare(t, "-q", "--append", "-o", filepath.Join(dir, "other"), "-o", to).as("mbuffer")
	p.Stdin = strings.NewReader("more ")
	p.start()
	if code, said := p.over(); code != exitRefused || !strings.Contains(said, "file exists") {
		t.Errorf("code %d, %q", code, said)
	}
}

// TestFsync: files are synced before they are closed, and its error is one.
// mbuffer does so unasked.
func TestFsync(t *testing.T) {
	to := filepath.Join(t.TempDir(), "sink")
	p := prepare(t, "-q", "-o", to).as(filepath.Join(commandDir(t), "mbuffer"))
	tr := p.trace("fsync", to)
	p.Stdin = strings.NewReader("hi")
	p.start()
	p.end(exitDone, 0)
	eventually(t, "fsync", func() bool { return strings.Contains(tr.String(), "fsync(") })
	for _, fails := range []bool{false, true} {
		to := filepath.Join(t.TempDir(), "sink")
		p := prepare(t, "-q", "--fsync", "-o", to, "-o", "-")
		what := "fsync"
		if fails {
			what = "inject=fsync:error=EIO"
		}
		tr := p.trace(what, to)
		p.Stdin = strings.NewReader("hi")
		p.start()
		if fails {
			contains(t, p.end(exitSink, 1), "sync "+to+": input/output error; 2 bytes written")
		} else {
			p.end(exitDone, 0)
		}
		eventually(t, "fsync", func() bool { return strings.Contains(tr.String(), "fsync(") })
	}
}

// TestSyncEach: mbuffer's -c opens files so that each write is safe.
func TestSyncEach(t *testing.T) {
	to := filepath.Join(t.TempDir(), "sink")
	p := prepare(t, "-c", "-o", to).as("mbuffer")
	tr := p.trace("trace=openat", to)
	p.Stdin = strings.NewReader("hi")
	p.start()
	p.over()
	eventually(t, "openat", func() bool { return strings.Contains(tr.String(), "O_SYNC") })
}

// TestNames: one with control characters is quoted, in one line.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	evil := "evil\n\x1b[2Jname"
	there := writeFile(t, dir, evil, "text")
	quote := fmt.Sprintf("%q", there)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{filepath.Join(dir, "no\n")}, exitRefused, `/no\n": no such file`},
		{[]string{"-", filepath.Join(dir, "no\n")}, exitRefused, `/no\n": no such file`},
		{[]string{"-o", there}, exitRefused, "open " + quote + ": file exists"},
		{[]string{there, "-f", "-o", there}, exitRefused, quote + " is both input and output"},
		{[]string{there, "-o", "/dev/full"}, exitSink, "/dev/full"},
		{[]string{"--count", "5", there}, exitEarly, "read " + quote + ": ended 1 bytes"},
		{[]string{"--bad\n"}, exitRefused, `"--bad\n"`},
		{[]string{"-m", "\x1b[2J"}, exitRefused, `"\x1b[2J"`},
		{[]string{"\xff\xfe"}, exitRefused, `open "\xff\xfe": no such file`},
		{[]string{"größe"}, exitRefused, `open größe: no such file`},
		{[]string{"tcp://evil\n:1"}, exitRefused, `open "tcp://evil\n:1": no such host`},
		{[]string{"tcp://evil:\x1b[2J"}, exitRefused, `open "tcp://evil:\x1b[2J": `},
		{[]string{"tcp://evil\n"}, exitRefused, `open "tcp://evil\n": not HOST:PORT`},
		{[]string{"-o", "tcp-listen://evil\n:1"}, exitRefused, `open "tcp-listen://evil\n:1": no such host`},
	} {
		p := prepare(t, c.args...)
		p.Stdin = strings.NewReader("hi")
		p.start()
		contains(t, p.end(c.code, 1), c.says)
	}
}

func TestOneLine(t *testing.T) {
	for message, want := range map[string]string{
		"plain \"text\" \\ größe": "plain \"text\" \\ größe", "a\nb": "a; b", "\x1b[2J\r\t": `\x1b[2J\r\t`, "\xff\u202e'": `\xff\u202e'`, "": "",
	} {
		if got := oneLine(message); got != want {
			t.Errorf("%q becomes %q, want %q", message, got, want)
		}
	}
}

// TestLevels: what mbuffer's -v, -q, -Q and -l leave of messages.
func TestLevels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, c := range []struct {
		args        string
		stderr, log string
		code        int
	}{
		{"", "5 bytes", "", 0},
		{"-q", "", "", 0},
		{"-q -v 3", "", "", 0},
		{"-q -v 4", "5 bytes", "", 0},
		{"-q -v info", "5 bytes", "", 0},
		{"-v 0", "5 bytes", "", 0},
		{"-v 0 -i none", "", "", 1},
		{"-v 1 -q -i none", "open none: no such file", "", 1},
		{"-l LOG", "5 bytes", "5 bytes", 0},
		{"-q -l LOG", "", "5 bytes", 0},
		{"-Q -l LOG", "5 bytes", "", 0},
		{"-l LOG -i none", "", "open none: no such file", 1},
		{"-l no/where", "open no/where: no such file", "", 1},
		{"-q --pid", "PID is ", "", 0},
	} {
		log := filepath.Join(dir, fmt.Sprint("log", i))
		p := prepare(t, strings.Fields(strings.ReplaceAll(c.args, "LOG", log))...).as("mbuffer")
		p.Stdin, p.Dir = strings.NewReader("12345"), dir
		p.start()
		code, said := p.over()
		b, _ := os.ReadFile(log)
		for got, want := range map[string]string{said: c.stderr, string(b): c.log} {
			if code != c.code || (got == "") != (want == "") && said != string(b) || !strings.Contains(got+said+string(b), want) {
				t.Errorf("%q: code %d, stderr %q, log %q", c.args, code, said, b)
			}
		}
		if (said == "") != (c.stderr == "") || (len(b) == 0) != (c.log == "") {
			t.Errorf("%q: stderr %q, log %q", c.args, said, b)
		}
	}
}

// TestRingFile: the ring lies in a file that is gone, and no other file is taken
// for it.
func TestRingFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	old := writeFile(t, dir, "old", "precious")
	for _, args := range [][]string{{"-T", filepath.Join(dir, "ring")}, {"-t"}} {
		p := prepare(t, append(args, "-q", "-m", "1M")...).as("mbuffer")
		stdin, err := p.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		p.Stdout = &out
		p.start()
		eventually(t, "the mapping of a file", func() bool {
			maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.Process.Pid))
			return strings.Contains(string(maps), dir)
		})
		io.Copy(stdin, random(5<<20))
		stdin.Close()
		if code, said := p.over(); code != 0 || said != "" || sum(t, &out) != sum(t, random(5<<20)) {
			t.Errorf("%v: code %d, %q", args, code, said)
		}
	}
	p := prepare(t, "-q", "-T", old).as("mbuffer")
	p.start()
	if code, said := p.over(); code != exitRefused || !strings.Contains(said, "open "+old+": file exists") {
		t.Errorf("code %d, %q", code, said)
	}
	small := exec.Command("sh", "-c", `ulimit -f 1 && exec "$@"`, "sh", filepath.Join(commandDir(t), "mbuffer"), "-T", filepath.Join(dir, "a\nb"))
	said, err := small.CombinedOutput()
	if err == nil || !strings.HasPrefix(string(said), "mbuffer: -m 4M: ") || !strings.HasSuffix(string(said), `/a\nb": file too large`+"\n") {
		t.Errorf("%v, %q", err, said)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 1 || err != nil {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestTape: a volume that is full, and one that only nears its end.
func TestTape(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "tape")
	p := prepare(t, "-q", "-D", "1M", "-o", to).as("mbuffer")
	p.Stdin = random(2 << 20)
	p.start()
	if code, said := p.over(); code != exitSink || !strings.Contains(said, "write "+to+": end of volume; 1048576 bytes written") {
		t.Errorf("code %d, %q", code, said)
	}
	for _, c := range []struct {
		when, flag string
		code       int
	}{{"2", "", exitSink}, {"2", "--tapeaware", 0}, {"2+2", "--tapeaware", 0}, {"2..3", "--tapeaware", exitSink}} {
		to := filepath.Join(t.TempDir(), "tape")
		p := prepare(t, strings.Fields(c.flag+" -q -m 64K -o "+to)...).as(filepath.Join(commandDir(t), "mbuffer"))
		tr := p.trace("inject=write,writev:error=ENOSPC:when="+c.when, to)
		p.Stdin = random(1 << 20)
		p.start()
		if code, said := p.over(); code != c.code {
			t.Errorf("%v: code %d, %q", c, code, said)
		}
		if !tr.injected() {
			t.Errorf("%v: %s", c, tr)
		}
		if c.code == 0 && sumFile(t, to) != sum(t, random(1<<20)) {
			t.Errorf("%v: other bytes", c)
		}
	}
}

// TestStartAbove: nothing is written before so much is there, nor again once the
// ring was empty, unless that is all.
func TestStartAbove(t *testing.T) {
	t.Parallel()
	p := prepare(t, "-q", "-m", "64K", "-P", "50")
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w := pipe(t)
	p.Stdout = w
	p.start()
	w.Close()
	arrives := func(want int) {
		t.Helper()
		wait := patience
		if want == 0 {
			wait = 300 * time.Millisecond
		}
		r.SetReadDeadline(time.Now().Add(wait))
		if n, err := io.ReadFull(r, make([]byte, max(want, 1))); n != want || want > 0 && err != nil {
			t.Errorf("%d bytes, %v, want %d", n, err, want)
		}
	}
	for range 2 {
		stdin.Write(make([]byte, 20_000))
		arrives(0)
		stdin.Write(make([]byte, 20_000))
		arrives(40_000)
		settle() // it is to know that the ring is empty
	}
	stdin.Write(make([]byte, 10))
	arrives(0)
	stdin.Close()
	arrives(10)
	p.end(exitDone, 0)
}

// TestResumeBelow: once the ring was full, nothing is read before it is down to
// that.
func TestResumeBelow(t *testing.T) {
	t.Parallel()
	p := prepare(t, "-q", "-m", "64K", "-s", "4K", "-p", "25")
	stdin, feed := pipe(t)
	r, w := pipe(t)
	p.Stdin, p.Stdout = stdin, w
	p.start()
	stdin.Close()
	w.Close()
	fed := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(feed, random(8<<20))
		feed.Close()
		fed <- n
	}()
	if got, want := sum(t, r), sum(t, random(8<<20)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if n := <-fed; n != 8<<20 {
		t.Errorf("fed %d bytes", n)
	}
	p.end(exitDone, 0)
}

// TestSignalAtMark: a wait for more or less in the ring is ended by a signal.
func TestSignalAtMark(t *testing.T) {
	t.Parallel()
	p := prepare(t, "-q", "-P", "100", "-p", "0")
	stdin, feed := pipe(t)
	p.Stdin = stdin
	p.startDefault(ends[0])
	stdin.Close()
	feed.WriteString("hi")
	eventually(t, "that it has read", func() bool {
		n, err := unix.IoctlGetInt(int(feed.Fd()), unix.TIOCINQ)
		return err == nil && n == 0
	})
	settle()
	contains(t, p.kill(ends[1]), "; 0 bytes written to standard output")
}

// TestLinks makes the links, twice, and never over something else.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		p := prepare(t, "links", dir)
		p.start()
		p.end(exitDone, 0)
	}
	for name, want := range map[string]string{"mbuffer": "Usage: mbuffer", "pv": "Usage: pv"} {
		p := prepare(t, "--help")
		p.Path = filepath.Join(dir, name)
		p.Args[0] = p.Path
		var out bytes.Buffer
		p.Stdout = &out
		p.start()
		p.end(exitDone, 0)
		contains(t, out.String(), want)
	}
	if err := os.Remove(filepath.Join(dir, "pv")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "pv", "the real one")
	p := prepare(t, "links", dir)
	p.start()
	contains(t, p.end(exitRefused, 1), "symlink "+filepath.Join(dir, "pv")+": file exists")

	// Only as the first word, and what is not that is a file.
	writeFile(t, dir, "links", "a file ")
	for _, args := range [][]string{{"-q", "links"}, {"-q", "./links"}, {"./links", "-q"}, {"--", "links"}} {
		p := prepare(t, args...)
		p.Dir = dir
		var out bytes.Buffer
		p.Stdout = &out
		p.start()
		if code, said := p.over(); code != 0 || out.String() != "a file " {
			t.Errorf("%v: code %d, %q, %q", args, code, out.String(), said)
		}
	}
}
