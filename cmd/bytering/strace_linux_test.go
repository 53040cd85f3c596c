package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A trace is what strace writes down of the system calls on some files.
type trace struct {
	t   *testing.T
	log string
}

// trace lets the process run under strace, which looks at the calls of that
// expression on the named files and tampers with them if it says so. The
// process is still the test's own child.
func (p *process) trace(expression string, files ...string) trace {
	p.t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		p.t.Skip("strace is not installed")
	}
	tr := trace{p.t, filepath.Join(p.t.TempDir(), "trace")}
	args := []string{"strace", "-D", "-f", "-qq", "-o", tr.log, "-e", expression}
	for _, f := range files {
		args = append(args, "-P", f)
	}
	p.Path, p.Args = strace, append(args, p.Args...)
	return tr
}

func (tr trace) String() string {
	b, _ := os.ReadFile(tr.log)
	return string(b)
}

// injected tells whether a call was tampered with.
func (tr trace) injected() bool { return strings.Contains(tr.String(), "(INJECTED)") }

var countForm = regexp.MustCompile(`(?m)(read|write)v?\b.* = (\d+)$`)

// counts returns what each read and each write moved.
func (tr trace) counts() (reads, writes []int) {
	tr.t.Helper()
	for _, m := range countForm.FindAllStringSubmatch(tr.String(), -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			tr.t.Fatal(err)
		}
		if m[1] == "read" {
			reads = append(reads, n)
		} else {
			writes = append(writes, n)
		}
	}
	return reads, writes
}

// inode returns the name that strace knows a pipe by.
func inode(t *testing.T, f *os.File) string {
	t.Helper()
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestBlock: no read and no write is larger, and with all there some are as
// large.
func TestBlock(t *testing.T) {
	const all = 4<<20 + 5
	from := randomFile(t, all)
	for _, c := range []struct {
		args string
		most int
	}{
		{"-s 1000", 1000}, {"-s 64K", 64 << 10}, {"-s 1M", 1 << 20}, {"", 1 << 20}, {"-m 100K", 50 << 10}, {"-m 9999 -s 777", 777},
	} {
		to := filepath.Join(t.TempDir(), "sink")
		p := prepare(t, append(strings.Fields(c.args), "-q", "-i", from, "-o", to)...)
		tr := p.trace("trace=read,readv,write,writev", from, to)
		p.start()
		p.end(exitDone, 0)
		reads, writes := tr.complete(all)
		for what, counts := range map[string][]int{"read": reads, "write": writes} {
			largest := 0
			for _, n := range counts {
				largest = max(largest, n)
			}
			// A write has what was read when it began.
			if largest > c.most || what == "read" && largest != c.most {
				t.Errorf("%q: the largest %s has %d bytes, want %d", c.args, what, largest, c.most)
			}
		}
	}
}

// complete returns the counts once they add up, as strace may end after the
// process.
func (tr trace) complete(all int) (reads, writes []int) {
	tr.t.Helper()
	eventually(tr.t, "the trace", func() bool {
		reads, writes = tr.counts()
		return total(reads) >= all && total(writes) >= all
	})
	if total(reads) != all || total(writes) != all {
		tr.t.Errorf("%d bytes read and %d written, want %d", total(reads), total(writes), all)
	}
	return reads, writes
}

func total(counts []int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// TestSplice checks when the bytes between two pipes are spliced.
func TestSplice(t *testing.T) {
	for args, want := range map[string]bool{
		"":                 true,
		"-s 64K -m 1M":     true,
		"--no-splice":      false,
		"--hash md5":       false,
		"-r 100G":          false,
		"-W 1m":            false,
		"-P 1":             false,
		"--count 3000001":  false,
		"--obs 10K -m 10M": false,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			p := prepare(t, strings.Fields(args)...)
			w := pipeToPipe(t, p, func() {})
			tr := p.trace("trace=splice", w.from)
			spliced := func() bool { return strings.Contains(tr.String(), "splice(") }
			p.start()
			begun, writes := time.Now(), 0
			w.feed(func() bool {
				writes++
				return writes > 350 && (!want || spliced() || time.Since(begun) > patience)
			})
			code, said := p.over()
			summary := said[max(0, strings.Index(said, "bytering: ")):] // a hash stands before it
			if w.check(t, summary); code != exitDone || spliced() != want {
				t.Errorf("exit code %d, spliced: %v; %q", code, spliced(), said)
			}
		})
	}
}
