package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// deepUnit returns what direct I/O at depth moves multiples of in dir, or skips the
// test.
func deepUnit(t *testing.T, dir string) int64 {
	t.Helper()
	return max(directBlockIn(t, dir), int64(os.Getpagesize()))
}

// TestDepthDirect: each byte arrives, whatever the ends and where they begin, and
// the summary says how.
func TestDepthDirect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unit := deepUnit(t, dir)
	const none = -1 // not direct, with a reason
	for _, c := range []struct {
		script, depths string
		skip, less     int64 // bytes that are left out at the beginning, and at the end
		in, out        int64 // the offset where what is direct begins
	}{
		{`exec "$0" -f -i "$1" -o "$2"`, "read, 4 written", 0, 0, 0, 0},
		{`exec "$0" -f -s 1 -o "$2" <"$1"`, "read, 4 written", 0, 0, 0, 0},
		{`exec "$0" -m 1M -W 20 --hash md5 -f -i "$1" -o "$2"`, "read, 4 written", 0, 0, 0, 0},
		{`exec "$0" -f -i "$1" --skip 3 --count $(($3 - 8)) -o "$2"`, "read, 4 written", 3, 5, none, 0},
		{`exec "$0" -f -i "$1" --skip 65536 --count $(($3 - 65541)) -o "$2"`, "read, 4 written", 65536, 5, 0, 0},
		{`cat "$1" | "$0" -f -o "$2"`, "read, 4 written", 0, 0, none, 0},
		{`"$0" -i "$1" | cat >"$2"`, "read, 1 written", 0, 0, 0, none},
		{`exec "$0" -i "$1" >"$2"`, "read, 1 written", 0, 0, 0, none},
		{`: >"$2"; exec "$0" -i "$1" --append -o "$2"`, "read, 1 written", 0, 0, 0, none},
		{`exec "$0" -i "$1" -f -R 1G -o "$2"`, "read, 1 written", 0, 0, 0, none},
		{`exec "$0" -i "$1" -f --obs 64K -o "$2"`, "read, 1 written", 0, 0, 0, none},
		{`exec "$0" -i "$1" -f -o "$2.other" -o "$2"`, "read, 4 written", 0, 0, 0, 0},
		{`: >"$2"; exec "$0" -i "$1" -f -o "$2.other" --append -o "$2"`, "read, 1 written", 0, 0, 0, none},
		{`exec "$0" -i "$1" -f -o "$2" -o - | cmp - "$1"`, "read, 4 written", 0, 0, 0, none},
	} {
		for _, rest := range []int64{1, unit - 1, unit, 4*unit + 1, 3<<20 + 511} {
			size := c.skip + rest + c.less
			from, to := randomFile(t, size), filepath.Join(dir, "sink")
			os.Remove(to)
			os.Remove(to + ".other")
			all, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			p := prepare(t)
			script := strings.ReplaceAll(c.script, `"$0"`, `"$0" --direct --depth 4 --block 64K`)
			p.Path, p.Args = "/bin/sh", []string{"sh", "-c", script, binary, from, to, fmt.Sprint(size)}
			p.start()
			code, said := p.over()
			got, err := os.ReadFile(to)
			if code != exitDone || err != nil || !bytes.Equal(got, all[c.skip:size-c.less]) {
				t.Fatalf("%s, of %d bytes: exit code %d, %q; %d bytes, %v", c.script, size, code, said, len(got), err)
			}
			contains(t, said, c.depths)
			for done, begin := range map[string]int64{"read": c.in, "written": c.out} {
				n, why := counted(t, said, done)
				if begin == none && (n != 0 || why == "") || begin != none && (n != rest/unit*unit || why != "") {
					t.Errorf("%s, of %d bytes: %q", c.script, size, said)
				}
			}
		}
	}
	// The second input begins within a block of the ring.
	from, to := randomFile(t, 3*unit+1), filepath.Join(dir, "two")
	second := randomFile(t, 2*unit)
	p := prepare(t, "--direct", "--depth", "4", "-o", to, from, second)
	p.start()
	contains(t, p.end(exitDone, 1), fmt.Sprintf("; %d read direct (it begins at byte %d of the stream, ", 3*unit, 3*unit+1), fmt.Sprintf(" %d written direct\n", 5*unit))
	if out, err := exec.Command("sh", "-c", `cat "$1" "$2" | cmp - "$3"`, "sh", from, second, to).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	p = prepare(t, "--direct", "--depth", "4", "-f", "-o", to, os.DevNull)
	p.start()
	contains(t, p.end(exitDone, 1), "; 0 read direct (neither a regular file nor a block device), 0 written direct\n")
	p = prepare(t, "--direct", "--depth", "4", "-f", "-o", to, writeFile(t, dir, "empty", ""))
	p.start()
	contains(t, p.end(exitDone, 1), "; 0 read direct (it is empty, or its length is not known), 0 written direct\n")
}

var (
	againForm = regexp.MustCompile(`openat\(.*"/proc/self/fd/\d+", (O_RDONLY|O_WRONLY)[A-Z_|]*\|O_DIRECT[A-Z_|]*\) += (\d+)`)
	// rawForm is a read or a write with its descriptor, address, length and offset.
	rawForm = regexp.MustCompile(`(pread|pwrite)64\((\w+), (\w+), (\w+), (\w+)`)
)

var resumedForm = regexp.MustCompile(`^<\.\.\. \w+ resumed>`)

// calls returns a line for each call that has returned. strace cuts a line in two if
// another thread's call comes between.
func (tr trace) calls() (lines []string) {
	begun := map[string]string{} // by thread
	for line := range strings.Lines(tr.String()) {
		thread, call, _ := strings.Cut(line, " ")
		call = strings.TrimLeft(call, " ")
		if head, cut := strings.CutSuffix(call, " <unfinished ...>\n"); cut {
			begun[thread] = head
			continue
		}
		if end := resumedForm.FindString(call); end != "" {
			call = begun[thread] + call[len(end):]
		}
		lines = append(lines, call)
	}
	return lines
}

// TestDepthDirectCalls: what the system sees is direct in whole blocks from one to
// another, through descriptors of the process's own, and the rest is buffered. The
// flags of descriptors that others share stay as they are, and so does the offset
// that is left to them.
func TestDepthDirectCalls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unit := deepUnit(t, dir)
	const skip, count, more = 64 << 10, 9<<20 + 700, 12345
	in, err := os.Open(randomFile(t, skip+count+more))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	before := fcntl(t, in, unix.F_GETFL, 0)
	to := filepath.Join(dir, "sink")
	p := prepare(t, "--direct", "--depth", "4", "--block", "64K", "--skip", fmt.Sprint(skip), "--count", fmt.Sprint(count), "-o", to)
	p.Stdin = in
	tr := p.trace("trace=openat,fcntl,pread64,pwrite64")
	p.Args = slices.Insert(p.Args, 1, "-e", "raw=pread64,pwrite64")
	p.start()
	whole := count / unit * unit
	contains(t, p.end(exitDone, 1), fmt.Sprintf("; depth 4 read, 4 written; %d read direct, %d written direct\n", whole, whole))
	at, err := in.Seek(0, io.SeekCurrent)
	if now := fcntl(t, in, unix.F_GETFL, 0); err != nil || at != skip+count || now != before {
		t.Errorf("standard input is at %d, %v, with the flags %#x, before %#x", at, err, now, before)
	}

	sinkForm := regexp.MustCompile(`openat\(.*` + regexp.QuoteMeta(strconv.Quote(to)) + `.*\) += (\d+)`)
	var own map[string]map[string]bool // of each descriptor of an end, whether it is direct
	direct, buffered := map[string]int64{}, map[string]int64{}
	eventually(t, "the trace", func() bool { // which strace may end after the process
		own = map[string]map[string]bool{"pread": {"0": false}, "pwrite": {}}
		clear(direct)
		clear(buffered)
		for _, line := range tr.calls() {
			if m := againForm.FindStringSubmatch(line); m != nil {
				own[map[string]string{"O_RDONLY": "pread", "O_WRONLY": "pwrite"}[m[1]]][m[2]] = true
			}
			if m := sinkForm.FindStringSubmatch(line); m != nil {
				own["pwrite"][m[1]] = false
			}
			if m := setForm.FindStringSubmatch(line); m != nil && strings.Contains(m[1], "O_DIRECT") {
				t.Fatalf("the flag is set on a descriptor: %s", line)
			}
			m := rawForm.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			var v [4]int64 // the descriptor, address, length, offset
			for i := range v {
				n, err := strconv.ParseUint(m[i+2], 0, 64)
				if err != nil {
					t.Fatal(err)
				}
				v[i] = int64(n)
			}
			past, known := own[m[1]][fmt.Sprint(v[0])]
			if !known { // the runtime reads small files
				continue
			}
			if !past {
				buffered[m[1]] += v[2]
				if begin := v[3]; begin < whole {
					t.Errorf("buffered, and before the last block: %s", line)
				}
				continue
			}
			direct[m[1]] += v[2]
			if v[1]%unit != 0 || v[2]%unit != 0 || v[3]%unit != 0 {
				t.Errorf("direct, and not in whole blocks of %d: %s", unit, line)
			}
		}
		return direct["pread"]+buffered["pread"] >= count && direct["pwrite"]+buffered["pwrite"] >= count
	})
	for _, op := range []string{"pread", "pwrite"} {
		if len(own[op]) != 2 || direct[op] != whole || buffered[op] != count-whole {
			t.Errorf("%s: %d descriptors, %d bytes direct and %d buffered, of %d", op, len(own[op]), direct[op], buffered[op], count)
		}
	}
}

// TestDepthDirectSafe: after an error a file is as long as the message says, with the
// bytes of the source.
func TestDepthDirectSafe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unit := deepUnit(t, dir)
	from := randomFile(t, 40*unit+7)
	all, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--direct", "--depth", "4", "-s", fmt.Sprint(unit), "-f", "-i", from, "-o"}
	check := func(what, to, said string) {
		t.Helper()
		got, err := os.ReadFile(to)
		if n, exact := parseSafe(t, said); err != nil || !exact || n != int64(len(got)) || !bytes.Equal(got, all[:n]) {
			t.Errorf("%s: %q, and the file has %d bytes, %v", what, said, len(got), err)
		}
	}
	for _, c := range []struct {
		call, path string
		code       int
	}{{"pwrite64", "", exitSink}, {"pread64", from, exitSource}} {
		to := filepath.Join(dir, c.call)
		if c.path == "" {
			c.path = to
		}
		p := prepare(t, append(args, to)...)
		p.trace("inject="+c.call+":error=EIO:when=2+", c.path)
		p.start()
		code, said := p.over()
		if contains(t, said, ": input/output error"); code != c.code {
			t.Errorf("%s: exit code %d, %q", c.call, code, said)
		}
		check(c.call, to, said)
	}
}

// TestDepthDirectMounted: a file system without it is no failure, and a full disk is.
func TestDepthDirectMounted(t *testing.T) {
	from := randomFile(t, 16<<20)
	for _, c := range []struct {
		kind, data string
		code       int
		says       string
	}{
		{"ramfs", "", exitDone, ", 0 written direct (refused by its file system: open: invalid argument)\n"},
		{"tmpfs", "size=1M", exitSink, ": no space left on device; "},
	} {
		dir := t.TempDir()
		if err := syscall.Mount(c.kind, dir, c.kind, 0, c.data); err != nil {
			t.Skipf("mounting a %s: %v", c.kind, err)
		}
		t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
		to := filepath.Join(dir, "sink")
		p := prepare(t, "--direct", "--depth", "4", "--block", "64K", "-i", from, "-o", to)
		p.start()
		said := p.end(c.code, 1)
		contains(t, said, c.says)
		if c.code != exitDone {
			all, err := os.ReadFile(from)
			got, failed := os.ReadFile(to)
			if n, exact := parseSafe(t, said); err != nil || failed != nil || !exact || n != int64(len(got)) || !bytes.Equal(got, all[:n]) {
				t.Errorf("%q, and the file has %d bytes", said, len(got))
			}
		} else if got, want := sumFile(t, to), sumFile(t, from); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestDepthDirectDevice: block devices are direct at both ends.
func TestDepthDirectDevice(t *testing.T) {
	t.Parallel()
	const n = 8 << 20
	from, to := loopDevice(t, n), loopDevice(t, n)
	p := prepare(t, "--direct", "--depth", "4", "--block", "64K", "--count", "1M", "-f", "-i", from, "-o", to)
	p.start()
	contains(t, p.end(exitDone, 1), "; 1048576 read direct, 1048576 written direct\n")
	if out, err := exec.Command("cmp", "-n", "1048576", from, to).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestParseDeepDirect(t *testing.T) {
	for _, c := range []struct {
		args          string
		memory, block int
	}{
		{"", 4 << 20, 256 << 10}, {"-s 1", 4 << 20, 4 << 10}, {"--block 1000001", 5 * 1003520, 1003520},
		{"-m 1", 64 << 10, 256 << 10},
	} {
		cfg, err := parse(asBytering, append(strings.Fields(c.args), "--direct", "--depth", "4"))
		want := (c.memory + directMemory - 1) / directMemory * directMemory
		if err != nil || cfg.memory.bytes != want || cfg.deepBlock.bytes != c.block {
			t.Errorf("%s: %+v, %v; want %d and %d", c.args, cfg, err, want, c.block)
		}
	}
}
