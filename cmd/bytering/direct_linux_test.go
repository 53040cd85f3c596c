package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// directBlockIn returns the block of direct I/O in dir, or skips the test.
func directBlockIn(t *testing.T, dir string) int64 {
	t.Helper()
	f, err := os.CreateTemp(dir, "probe")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var st unix.Statx_t
	err = unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &st)
	if err != nil || st.Mask&unix.STATX_DIOALIGN == 0 || st.Dio_offset_align == 0 {
		t.Skipf("no direct I/O in the directory for temporary files, as far as the system knows: %v", err)
	}
	return int64(max(st.Dio_mem_align, st.Dio_offset_align))
}

// TestDirect: each byte arrives, whatever the ends and where they begin, and
// the summary says how.
func TestDirect(t *testing.T) {
	dir := t.TempDir()
	block := directBlockIn(t, dir)
	const direct, buffered = true, false
	for _, c := range []struct {
		script      string
		skip, begin int64
		in, out     bool
	}{
		{`exec "$0" --direct -f -i "$1" -o "$2"`, 0, 0, direct, direct},
		{`exec "$0" --direct -m 1 -s 1 <"$1" >"$2"`, 0, 0, direct, direct},
		{`exec <"$1"; dd bs=1 count=13 of=/dev/null 2>/dev/null; exec "$0" --direct -f -o "$2"`, 13, 0, direct, buffered},
		{`exec "$0" --direct -i "$1" >>"$2"`, 0, 4099, direct, buffered},
		{`exec <"$1"; dd bs=1 count=13 of=/dev/null 2>/dev/null; exec "$0" --direct >>"$2"`, 13, 4096 + 13, direct, direct},
		{`cat "$1" | "$0" --direct >>"$2"`, 0, 4099, buffered, direct},
		{`"$0" --direct -i "$1" | cat >"$2"`, 0, 0, direct, buffered},
		{`("$0" --direct -q -i "$1" && "$0" --direct -i "$1") >"$2"`, 0, -1, direct, buffered},
	} {
		for _, size := range []int64{0, 1, 511, 512, 4095, 4096, 4097, 1<<20 - 1, 1 << 20, 1<<20 + 1, 6<<20 + 3} {
			from, to := randomFile(t, size+c.skip), filepath.Join(dir, "sink")
			begin := c.begin
			if begin < 0 { // behind the same
				begin = size
			}
			before, err := io.ReadAll(random(max(0, c.begin)))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, before, 0o600); err != nil {
				t.Fatal(err)
			}
			all, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			want := append(before, all[c.skip:]...)
			if c.begin < 0 {
				want = append(all, all...)
			}
			p := prepare(t)
			p.Path, p.Args = "/bin/sh", []string{"sh", "-c", c.script, binary, from, to}
			p.start()
			said := p.end(exitDone, 1)
			got, err := os.ReadFile(to)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, %v, want %d", c.script, len(got), err, len(want))
			}
			out := c.out || c.begin < 0 && begin%block == 0
			read, why := counted(t, said, "read")
			if n, more := whole(c.skip, size, block); c.in && (read < n || read > n+more || why != "") || !c.in && (read != 0 || why == "") {
				t.Errorf("%s, of %d bytes: %q", c.script, size, said)
			}
			written, why := counted(t, said, "written")
			if n, _ := whole(begin, size, block); out && (written != n || why != "") || !out && (written != 0 || why == "") {
				t.Errorf("%s, of %d bytes: %q", c.script, size, said)
			}
		}
	}
}

// whole returns how many of n bytes from off on lie in whole blocks, and how
// many more in the last one, which a read gets with those.
func whole(off, n, block int64) (bytes, more int64) {
	begin := (off + block - 1) / block * block
	end := (off + n) / block * block
	return max(0, end-begin), (off + n) % block
}

var directForm = regexp.MustCompile(`[;,] (\d+) (read|written) direct(?: \(([^()]+)\))?`)

// counted returns what a summary says was direct, and why not all was.
func counted(t *testing.T, said, done string) (n int64, why string) {
	t.Helper()
	for _, m := range directForm.FindAllStringSubmatch(said, -1) {
		if m[2] == done {
			n, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n, m[3]
		}
	}
	t.Fatalf("%q does not say how much was %s", said, done)
	return 0, ""
}

var (
	setForm   = regexp.MustCompile(`fcntl\(\d+, F_SETFL, ([A-Z_|]+)[ )]`)
	readForm  = regexp.MustCompile(`readv.*\[.*\], \d+\) = (\d+)`)
	writeForm = regexp.MustCompile(`writev\(`)
	lenForm   = regexp.MustCompile(`iov_len=(\d+)`)
)

// TestDirectCalls: what the system sees is direct, in whole blocks from one to
// another, and the flag is cleared for the last bytes.
func TestDirectCalls(t *testing.T) {
	dir := t.TempDir()
	block := directBlockIn(t, dir)
	const size = 9<<20 + 700
	from, to := randomFile(t, size), filepath.Join(dir, "sink")
	p := prepare(t, "--direct", "-i", from, "-o", to)
	tr := p.trace("trace=fcntl,readv,writev", from, to)
	p.start()
	said := p.end(exitDone, 1)
	tr.complete(size)
	type end struct {
		on         bool
		sets       string
		at, direct int64
		last       int64
	}
	ends := map[string]*end{"read": {}, "write": {}}
	for line := range strings.Lines(tr.String()) {
		if m := setForm.FindStringSubmatch(line); m != nil {
			e := ends["write"]
			if strings.Contains(m[1], "O_RDONLY") {
				e = ends["read"]
			}
			if on := strings.Contains(m[1], "O_DIRECT"); on != e.on { // Go sets others
				e.on = on
				e.sets += fmt.Sprint(on, " ")
			}
			continue
		}
		// Every read but the last, and every write, moves what it is offered.
		e, moved := ends["write"], int64(0)
		var lengths []int64
		for _, m := range lenForm.FindAllStringSubmatch(line, -1) {
			n, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			lengths = append(lengths, n)
			moved += n
		}
		switch m := readForm.FindStringSubmatch(line); {
		case m != nil:
			e = ends["read"]
			n, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			moved = n
		case !writeForm.MatchString(line):
			continue
		}
		if e.on {
			for _, n := range lengths {
				if n == 0 || n%block != 0 {
					t.Errorf("direct, and no whole blocks of %d: %s", block, line)
				}
			}
			if e.at%block != 0 {
				t.Errorf("direct at %d in blocks of %d: %s", e.at, block, line)
			}
			e.direct += moved
		}
		e.at += moved
		e.last = moved
	}
	r, w := ends["read"], ends["write"]
	if r.sets != "true false " || r.at != size || r.direct != size {
		t.Errorf("read: %+v", r)
	}
	if w.sets != "true false " || w.at != size || w.direct != size-size%block || w.last != size%block {
		t.Errorf("write: %+v", w)
	}
	contains(t, said, fmt.Sprintf("; %d read direct, %d written direct\n", r.direct, w.direct))
}

// TestDirectFlags: who shares a descriptor finds it as it was, also when a
// signal ends the process.
func TestDirectFlags(t *testing.T) {
	dir := t.TempDir()
	block := directBlockIn(t, dir)
	in, err := os.Open(randomFile(t, 3*block+1))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(filepath.Join(dir, "sink"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	flags := func() string {
		return fmt.Sprintf("%#x %#x", fcntl(t, in, unix.F_GETFL, 0), fcntl(t, out, unix.F_GETFL, 0))
	}
	before := flags()
	p := prepare(t, "--direct")
	p.Stdin, p.Stdout = in, out
	p.start()
	contains(t, p.end(exitDone, 1), fmt.Sprintf("; %d read direct, %d written direct", 3*block+1, 3*block))
	if now := flags(); now != before {
		t.Errorf("flags %s, before %s", now, before)
	}

	r, w := modePipe(t, false)
	p = prepare(t, "--direct")
	p.Stdin, p.Stdout = r, out
	p.startDefault(syscall.SIGTERM)
	if _, err := w.Write(make([]byte, 10*block)); err != nil {
		t.Fatal(err)
	}
	// Which begin within a block, so that the last byte waits for more.
	size := func() int64 {
		info, err := out.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	eventually(t, "direct writes", func() bool { return size() >= 13*block })
	if fcntl(t, out, unix.F_GETFL, 0)&unix.O_DIRECT == 0 {
		t.Error("the flag is not seen by who shares it")
	}
	n, exact := parseSafe(t, p.kill(syscall.SIGTERM))
	if !exact || n < 10*block-1 || size() != 3*block+1+n {
		t.Errorf("%d bytes written, and the file has %d", n, size())
	}
	if now := flags(); now != before {
		t.Errorf("flags %s after a signal, before %s", now, before)
	}
}

// TestDirectRefused: a file system without it is no failure.
func TestDirectRefused(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("ramfs", dir, "ramfs", 0, ""); err != nil {
		t.Skipf("mounting a ramfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	from, to := randomFile(t, 100_001), filepath.Join(dir, "sink")
	p := prepare(t, "--direct", "-i", from, "-o", to)
	p.start()
	contains(t, p.end(exitDone, 1), ", 0 written direct (refused by its file system: fcntl: invalid argument)\n")
	if got, want := sumFile(t, to), sumFile(t, from); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestDirectFullDisk: it has what the message says.
func TestDirectFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1M"); err != nil {
		t.Skipf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	from, to := randomFile(t, 5<<20), filepath.Join(dir, "sink")
	p := prepare(t, "--direct", "-i", from, "-o", to, "-s", "96K")
	p.start()
	said := p.end(exitSink, 1)
	contains(t, said, "write "+to+": no space left on device; ")
	got, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if n, exact := parseSafe(t, said); !exact || n != int64(len(got)) || !bytes.Equal(got, all[:n]) {
		t.Errorf("%q, and the file has %d bytes", said, len(got))
	}
}

func TestParseDirect(t *testing.T) {
	for _, c := range []struct {
		args          string
		memory, block int
	}{
		{"", 4 << 20, 1 << 20}, {"-m1", 64 << 10, 32 << 10}, {"-m65537 -s1", 128 << 10, 4 << 10},
		{"-m1M -s 4097", 1 << 20, 8 << 10}, {"-m1 -s40k", 64 << 10, 32 << 10},
	} {
		cfg, err := parse(asBytering, append(strings.Fields(c.args), "--direct"))
		if err != nil || !cfg.direct || cfg.memory.bytes != c.memory || cfg.block.bytes != c.block {
			t.Errorf("%s: %+v, %v; want %d and %d", c.args, cfg, err, c.memory, c.block)
		}
	}
}

// TestDirectSocket: what a socket is, it says as it does of a pipe.
func TestDirectSocket(t *testing.T) {
	far, near := socketPair(t)
	p := prepare(t, "--direct")
	p.Stdin = near
	p.start()
	near.Close()
	far.Close()
	contains(t, p.end(exitDone, 1), "0 read direct (neither a regular file nor a block device)")
}
