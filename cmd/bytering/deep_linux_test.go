package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestDepth: the bytes of files at each depth are those of depth 1, whatever their
// size and that of the ring, between files, to a pipe and from one.
func TestDepth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, n := range []int64{0, 1, 4095, 4096, 4097, 3*4096 - 1, 300_001} {
		from := randomFile(t, n)
		want := sum(t, random(n))
		for _, flags := range []string{"--depth 1", "--depth 2 -s 4K", "--depth 4 --block 1000", "--depth 16 -s 4K", "--depth 16", "--depth 8 -s 4K -m 10000", "--depth 8 -s 4K -m 1000", "--depth 3 -m 5%"} {
			args := append(strings.Fields(flags), "-q")
			to := filepath.Join(dir, "to")
			var out bytes.Buffer

			p := prepare(t, append(args, "-f", "-i", from, "-o", to)...)
			p.start()
			p.end(exitDone, 0)
			if got := sumFile(t, to); got != want {
				t.Errorf("%s: file to file: %s, want %s", flags, got, want)
			}
			p = prepare(t, append(args, "-i", from)...)
			p.Stdout = &out
			p.start()
			p.end(exitDone, 0)
			if got := sum(t, &out); got != want {
				t.Errorf("%s: file to pipe: %s, want %s", flags, got, want)
			}
			p = prepare(t, append(args, "-f", "-o", to)...)
			p.Stdin = io.LimitReader(random(n), n)
			p.start()
			p.end(exitDone, 0)
			if got := sumFile(t, to); got != want {
				t.Errorf("%s: pipe to file: %s, want %s", flags, got, want)
			}
		}
	}
}

// TestDepthCalls: the reads are of --block at offsets, and several of them are under
// way, as many as -m has room for. Those of a file's cache are written in order.
func TestDepthCalls(t *testing.T) {
	t.Parallel()
	from, to := randomFile(t, 1<<20), filepath.Join(t.TempDir(), "to")
	p := prepare(t, "--depth", "4", "--block", "64K", "-i", from, "-o", to)
	tr := p.trace("trace=pread64,pwrite64,read,write,readv,writev", from, to)
	p.start()
	contains(t, p.end(exitDone, 1), "; depth 4 read, 1 written")
	if got, want := sumFile(t, to), sumFile(t, from); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	offsets := map[string]bool{}
	for _, m := range regexp.MustCompile(`pread64.*, 65536, (\d+)`).FindAllStringSubmatch(tr.String(), -1) {
		offsets[m[1]] = true
	}
	if len(offsets) < 16 || strings.Contains(tr.String(), "pwrite64") {
		t.Errorf("%d blocks: %s", len(offsets), tr)
	}
	for _, c := range []struct{ flags, says string }{
		{"--direct --depth 4 -m 192K --block 64K", "; depth 2 read, 2 written"},
		{"--direct --depth 4 -m 100K --block 64K", "; depth 1 read, 1 written"},
		{"--direct --depth 20", "; depth 20 read, 20 written"},
		{"--direct --depth 4 -R 100M", "; depth 4 read, 1 written"},
		{"--direct --depth 4 --obs 64K", "; depth 4 read, 1 written"},
	} {
		p := prepare(t, append(strings.Fields(c.flags), "-f", "-i", from, "-o", to)...)
		p.start()
		contains(t, p.end(exitDone, 1), c.says)
	}
	p = prepare(t, "--depth", "4")
	p.Stdin, p.Stdout = strings.NewReader("from a pipe to one"), new(bytes.Buffer)
	p.start()
	contains(t, p.end(exitDone, 1), "; depth 1 read, 1 written")
}

// TestDepthShares: the file that standard input is can be read on by others, and
// --append is behind what is there.
func TestDepthShares(t *testing.T) {
	t.Parallel()
	f, err := os.Open(randomFile(t, 100_000))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(777, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	to := writeFile(t, t.TempDir(), "to", "before ")
	p := prepare(t, strings.Fields("-q --depth 4 -s 4K --append --skip 23 --count 50000 -o "+to)...)
	p.Stdin = f
	p.start()
	p.end(exitDone, 0)
	all, err := io.ReadAll(random(100_000))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(to)
	if want := append([]byte("before "), all[800:50_800]...); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	rest, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(rest, all[50_800:]) {
		t.Errorf("%d bytes are left, %v", len(rest), err)
	}
}

var (
	writtenForm = regexp.MustCompile(`(\d+) bytes written to`)
	// pwriteForm is a pwrite64 that succeeded, with its offset.
	pwriteForm = regexp.MustCompile(`pwrite64.* (\d+)\) += [1-9]\d*\n`)
)

// TestDepthSafe: after an error a file is as long as the message says, though later
// blocks were written, and the bytes are those of the source.
func TestDepthSafe(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	from, dir := randomFile(t, size), t.TempDir()
	all, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what, to, said string) int {
		t.Helper()
		m := writtenForm.FindStringSubmatch(said)
		if m == nil {
			t.Fatalf("%s: %q says no number", what, said)
		}
		n, _ := strconv.Atoi(m[1])
		got, err := os.ReadFile(to)
		if err != nil || !bytes.Equal(got, all[:n]) {
			t.Errorf("%s: %d bytes, said %d, %v", what, len(got), n, err)
		}
		return n
	}
	for name, flags := range map[string][]string{"new": nil, "forced": {"-f"}} {
		to := filepath.Join(dir, name)
		later := false
		for try := 0; !later; try++ {
			if try == 10 {
				t.Fatalf("%s: no block behind one that failed was written", name)
			}
			os.Remove(to)
			if flags != nil {
				writeFile(t, dir, name, "what was there")
			}
			p := prepare(t, append(flags, strings.Fields("--direct --depth 4 -s 16K -m 10M -i "+from+" -o "+to)...)...)
			// While a thread's third write is held up, others go on behind it.
			tr := p.trace("inject=pwrite64:error=EIO:delay_enter=20000:when=3", to)
			p.start()
			code, said := p.over()
			if code == exitDone { // no thread has written that often
				continue
			}
			if code != exitSink || !strings.Contains(said, "input/output error") {
				t.Errorf("%s: exit code %d, %s", name, code, said)
			}
			safe := check(name, to, said)
			for _, m := range pwriteForm.FindAllStringSubmatch(tr.String(), -1) {
				offset, _ := strconv.Atoi(m[1])
				later = later || offset > safe
			}
		}
	}
	// A source that fails, and a signal.
	to := filepath.Join(dir, "source")
	p := prepare(t, strings.Fields("--direct --depth 4 -s 64K -i "+from+" -o "+to)...)
	p.trace("inject=pread64:error=EIO:when=2", from)
	p.start()
	if code, said := p.over(); code != exitSource || check("source", to, said) == size {
		t.Errorf("exit code %d, %s", code, said)
	}
	to = filepath.Join(dir, "signal")
	r, w := pipe(t)
	p = prepare(t, strings.Fields("--direct --depth 4 -s 64K -o "+to)...)
	p.Stdin = r
	p.start()
	r.Close()
	if _, err := w.Write(all[:300_000]); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if info, err := os.Stat(to); err == nil && info.Size() >= 4*64<<10 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing is written")
		}
	}
	p.Process.Signal(syscall.SIGTERM)
	code, said := p.over()
	// The signal may come after what was left in the ring has been written too.
	if n := check("signal", to, said); code != 128+int(syscall.SIGTERM) || n%(64<<10) != 0 && n != 300_000 {
		t.Errorf("exit code %d, %s", code, said)
	}
}

// TestDepthThreads: what the system has too few threads for is refused.
func TestDepthThreads(t *testing.T) {
	t.Parallel()
	limit, args := threadGroup(t), []string{binary, "-q", "--direct", "--depth", "40", "-s", "4K"}
	code, said := limited(t, limit(60), args...)
	if code != exitRefused {
		t.Errorf("exit code %d", code)
	}
	contains(t, said, "not enough threads: --depth takes up to 80 more, and the control group's pids.max of 60 leaves ")
	for threads, args := range map[int][]string{200: args, 60: {binary, "-q", "--depth", "40", "-s", "4K"}} {
		if code, said := limited(t, limit(threads), args...); code != exitDone {
			t.Errorf("%v: exit code %d, %s", args, code, said)
		}
	}
}

// TestBlockShows: the line shows which block is waited for, and for how long.
func TestBlockShows(t *testing.T) {
	t.Parallel()
	blocked := make(chan struct{})
	release := sync.OnceFunc(func() { close(blocked) })
	o := newOrigin(t, 1<<20)
	t.Cleanup(release)
	o.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") == "bytes=524288-786431" {
			<-blocked
		}
		return false
	}
	o.Start()
	term := newTerminal(t, 120)
	term.watch()
	p := prepare(t, "--depth", "4", "-i", o.URL, "-o", os.DevNull)
	p.on(term.slave)
	p.startDefault(syscall.SIGTERM)
	shows := regexp.MustCompile(` at 512KiB for [23]s `)
	eventually(t, "the block", func() bool { return shows.MatchString(term.String()) })
	release()
	p.end(exitDone, 0)
}

// TestDepthSlowSink: the source is asked for whole blocks, also while the ring is full.
func TestDepthSlowSink(t *testing.T) {
	t.Parallel()
	const blocks = 48
	o := serve(t, blocks<<16, nil)
	r, w := pipe(t)
	p := prepare(t, "-q", "--depth", "4", "--block", "64K", "-m", "512K", o.URL)
	p.Stdout = w
	p.start()
	w.Close()
	got, b := new(bytes.Buffer), make([]byte, 4096)
	for {
		n, err := r.Read(b)
		got.Write(b[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Microsecond)
	}
	p.end(exitDone, 0)
	if !bytes.Equal(got.Bytes(), o.data) {
		t.Errorf("%d bytes that differ", got.Len())
	}
	if n := len(o.requests()); n > blocks+1 {
		t.Errorf("%d requests for %d blocks", n, blocks)
	}
}
