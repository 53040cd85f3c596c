package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A way is a pair of ends for a process that is fed with flow and whose
// output is drained.
type way struct {
	name string
	from string // what the data descriptors of the process are called
	to   string
	feed func(enough func() bool) // writes flow until then; nil for a file
	sum  func() (int64, string)   // of what arrived; called when the process has ended
	// moving tells whether something has arrived.
	moving func() bool
}

// flow is what every way is fed with.
func flow() io.Reader { return rand.NewChaCha8([32]byte{'w', 'a', 'y'}) }

// prefix is the sum of the first n bytes of flow.
func prefix(t *testing.T, n int64) string {
	t.Helper()
	return sum(t, io.LimitReader(flow(), n))
}

// fileToFile is a way with the first n bytes of flow.
func fileToFile(t *testing.T, p *process, n int64) *way {
	t.Helper()
	dir := t.TempDir()
	w := &way{name: "files", from: filepath.Join(dir, "source"), to: filepath.Join(dir, "sink")}
	f, err := os.Create(w.from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, flow(), n); err != nil {
		t.Fatal(err)
	}
	p.Args = append(p.Args, "-i", w.from, "-o", w.to)
	w.moving = func() bool { info, err := os.Stat(w.to); return err == nil && info.Size() > 0 }
	w.sum = func() (int64, string) {
		info, err := os.Stat(w.to)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size(), sumFile(t, w.to)
	}
	return w
}

// fifoToFIFO is a way that reads when pace returns.
func fifoToFIFO(t *testing.T, p *process, pace func()) *way {
	t.Helper()
	w := &way{name: "FIFOs", from: mkfifo(t), to: mkfifo(t)}
	p.Args = append(p.Args, "-i", w.from, "-o", w.to)
	open := func(name string, flag int) *os.File {
		f, err := os.OpenFile(name, flag, 0)
		if err != nil {
			t.Error(err)
		}
		return f
	}
	w.drain(func() io.ReadCloser { return open(w.to, os.O_RDONLY) }, pace)
	w.feed = func(enough func() bool) { feed(open(w.from, os.O_WRONLY), enough) }
	return w
}

// pipeToPipe is a way over the standard ends.
func pipeToPipe(t *testing.T, p *process, pace func()) *way {
	t.Helper()
	in, feeder := modePipe(t, false)
	r, out := modePipe(t, false)
	w := &way{name: "pipes", from: inode(t, in), to: inode(t, out)}
	p.Stdin, p.Stdout = in, out
	w.drain(func() io.ReadCloser { return r }, pace)
	w.feed = func(enough func() bool) {
		in.Close()
		out.Close()
		feed(feeder, enough)
	}
	return w
}

// drain reads what arrives on a goroutine.
func (w *way) drain(open func() io.ReadCloser, pace func()) {
	var n int64
	var text string
	var some atomic.Bool
	w.moving = some.Load
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := open()
		defer r.Close()
		h := sha256.New()
		for b := make([]byte, 32<<10); ; pace() {
			m, err := r.Read(b)
			h.Write(b[:m])
			some.Store(m > 0 || some.Load())
			if n += int64(m); err != nil {
				break
			}
		}
		text = fmt.Sprintf("%d bytes, %x", n, h.Sum(nil))
	}()
	w.sum = func() (int64, string) { <-done; return n, text }
}

// feed writes until it is enough, or nobody takes it.
func feed(f *os.File, enough func() bool) {
	defer f.Close()
	s, b := flow(), make([]byte, 10_001)
	for !enough() {
		s.Read(b)
		if _, err := f.Write(b); err != nil {
			return
		}
	}
}

// check compares what arrived with what the process says.
func (w *way) check(t *testing.T, said string) (exact bool) {
	t.Helper()
	n, got := w.sum()
	safe, exact := parseSafe(t, said)
	if safe > n || exact && safe != n {
		t.Errorf("%s: %q, and %d bytes arrived", w.name, said, n)
	}
	if want := prefix(t, n); got != want {
		t.Errorf("%s: %s arrived, want %s", w.name, got, want)
	}
	return exact
}

// A faulty call fails with err.
type faulty struct {
	err syscall.Errno
	arg string
}

var faults = []faulty{{syscall.EINTR, "EINTR"}, {syscall.EAGAIN, "EAGAIN"}, {syscall.EIO, "EIO"}, {syscall.ENOSPC, "ENOSPC"}}

// TestFaults lets the first, the second and a later read, write or splice of the
// data fail, as strace counts: on each thread.
func TestFaults(t *testing.T) {
	for _, side := range []string{"read", "write", "splice"} {
		for _, f := range faults {
			for _, when := range []int{1, 2, 5} {
				for _, kind := range []string{"files", "FIFOs", "pipes"} {
					if side == "splice" && kind == "files" {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%d/%s", side, f.arg, when, kind), func(t *testing.T) {
						t.Parallel()
						testFault(t, kind, side, when, f)
					})
				}
			}
		}
	}
}

func testFault(t *testing.T, kind, side string, when int, f faulty) {
	p := prepare(t, "-s", "8K")
	calls := "splice"
	if side != "splice" {
		calls = side + "," + side + "v"
		p.Args = append(p.Args, "--no-splice")
	}
	var w *way
	switch kind {
	case "files":
		w = fileToFile(t, p, 1<<20+1)
	case "FIFOs":
		w = fifoToFIFO(t, p, func() {})
	case "pipes":
		w = pipeToPipe(t, p, func() {})
	}
	file := w.from
	if side == "write" {
		file = w.to
	}
	tr := p.trace(fmt.Sprintf("inject=%s:error=%s:when=%d", calls, f.arg, when), file)
	p.startDefault(syscall.SIGTERM)
	if w.feed != nil {
		// What follows the fault shows whether that is survived.
		after := 3
		fed := make(chan struct{})
		go func() {
			defer close(fed)
			w.feed(func() bool {
				time.Sleep(time.Millisecond)
				if tr.injected() {
					after--
				}
				return after < 0
			})
		}()
		defer func() { <-fed }()
	}
	over, stuck := make(chan struct{}), make(chan bool, 1)
	if f.err == syscall.EAGAIN && kind != "files" && side != "splice" {
		go func() { stuck <- tr.unstick(p, over) }()
	}
	code, said := p.over()
	close(over)
	if !w.check(t, said) {
		t.Errorf("%q is not exact", said)
	}
	if !tr.injected() {
		t.Fatalf("no fault in %q", tr)
	}
	want := exitDone
	switch {
	case f.err == syscall.EINTR, side == "splice": // without it the bytes are copied
	case f.err == syscall.EAGAIN && kind != "files":
		if code != exitDone && <-stuck {
			want = 128 + int(syscall.SIGTERM)
		}
	case side == "read":
		want = exitSource
		n, _ := parseSafe(t, said)
		contains(t, said, fmt.Sprintf("at byte %d; %d bytes written", n, n))
	default:
		want = exitSink
	}
	if code != want {
		t.Errorf("exit code %d, want %d; %q", code, want, said)
	}
	if want == exitSource || want == exitSink {
		contains(t, said, f.err.Error())
	}
	if d := p.ProcessState.UserTime() + p.ProcessState.SystemTime(); d > time.Second {
		t.Errorf("%v of processor time", d)
	}
}

// unstick ends the process by a signal if nothing comes after a faked EAGAIN,
// and tells whether that was so. A pipe that says EAGAIN is empty or full, and
// asked again once it is not; for one that lied, that may be never.
func (tr trace) unstick(p *process, over <-chan struct{}) bool {
	for before := ""; ; {
		select {
		case <-over:
			return false
		case <-time.After(400 * time.Millisecond):
		}
		calls := callForm.FindAllString(tr.String(), -1)
		if len(calls) == 0 {
			continue
		}
		last := calls[len(calls)-1]
		if now := fmt.Sprint(len(calls), last); now != before {
			before = now
		} else if strings.Contains(last, "(INJECTED)") {
			return p.Process.Signal(syscall.SIGTERM) == nil
		}
	}
}

// callForm is a line of a trace about data.
var callForm = regexp.MustCompile(`(?m)^.*(?:read|write)v?\b.*$`)

// TestCloseFault: a file system that tells of a failed write in close.
func TestCloseFault(t *testing.T) {
	p := prepare(t)
	w := fileToFile(t, p, 1000)
	tr := p.trace("inject=close:error=EIO", w.to)
	p.start()
	said := p.end(exitSink, 1)
	contains(t, said, "close "+w.to+": input/output error; 1000 bytes written")
	if !tr.injected() {
		t.Error("no fault")
	}
	if !strings.HasPrefix(said, "bytering: ") {
		t.Errorf("%q", said)
	}
}
