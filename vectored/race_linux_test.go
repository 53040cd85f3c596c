//go:build race

package vectored

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// racy lists programs, and whether the race detector must report a race in each.
// The detector does not see what the system does with memory, so package vectored
// announces it.
var racy = []struct {
	name   string
	report bool
	run    func(l *link)
}{
	{"Readv into what another writes", true, func(l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		beside(func() { bufs[1][0] = 1 }, func() { l.r.Readv(bufs) })
	}},
	{"Readv into what another reads", true, func(l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		beside(func() { sum += bufs[1][0] }, func() { l.r.Readv(bufs) })
	}},
	{"Read into what another writes", true, func(l *link) {
		b := make([]byte, 2)
		beside(func() { b[1] = 1 }, func() { l.r.Read(b) })
	}},
	{"Writev of what another writes", true, func(l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		beside(func() { bufs[1][0] = 1 }, func() { l.w.Writev(bufs) })
	}},
	{"Writev of what another reads", false, func(l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		beside(func() { sum += bufs[1][0] }, func() { l.w.Writev(bufs) })
	}},
	{"Readv that leaves alone what another writes", false, func(l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 9)}
		beside(func() { bufs[1][2] = 1 }, func() { l.r.Readv(bufs) })
	}},
	{"Readv of a message into what another reads", true, func(*link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		beside(func() { sum += bufs[1][0] }, func() { message(4).Readv(bufs) })
	}},
	{"Readv of a message that leaves alone what another writes", false, func(*link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 9)}
		beside(func() { bufs[1][2] = 1 }, func() { message(4).Readv(bufs) })
	}},
	{"Readv of a truncated message into what another reads", true, func(*link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		beside(func() { sum += bufs[1][1] }, func() { message(5).Readv(bufs) })
	}},
	{"Preadv into what another reads", true, func(l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		beside(func() { sum += bufs[1][0] }, func() { racyFile.Preadv(bufs, 0) })
	}},
	{"Pwritev of what another writes", true, func(l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		beside(func() { bufs[1][0] = 1 }, func() { racyFile.Pwritev(bufs, 0) })
	}},
	{"in turns", false, func(l *link) {
		bufs := [][]byte{make([]byte, 2), make([]byte, 2)}
		l.r.Readv(bufs)
		beside(func() { bufs[1][0] = 1 }, func() {})
		l.w.Writev(bufs)
	}},
	// Package syscall would announce an order that hides the missing one.
	{"what was handed over through a pipe alone", true, func(l *link) {
		l.r.Readv([][]byte{make([]byte, 4)})
		b := make([]byte, 2)
		beside(func() {
			b[0] = 1
			l.w.Writev([][]byte{{1}})
		}, func() {
			l.r.Readv([][]byte{{0}})
			sum += b[0]
		})
	}},
}

var (
	sum      byte
	racyFile *File
)

// message returns a Reader with one message of size bytes.
func message(size int) Reader {
	fds, _ := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	syscall.Write(fds[1], make([]byte, size))
	r, err := NewReader(os.NewFile(uintptr(fds[0]), "a"))
	if err != nil {
		panic(err)
	}
	return r
}

// beside runs two functions that nothing orders.
func beside(other, f func()) {
	done := make(chan bool)
	go func() {
		defer close(done)
		other()
	}()
	f()
	<-done
}

func TestRaceDetector(t *testing.T) {
	const variable = "VECTORED_RACY"
	if name := os.Getenv(variable); name != "" {
		for _, tc := range racy {
			if tc.name == name {
				l := open(t, links[0].open)
				l.dst.Write(make([]byte, 4)) // something to read
				_, racyFile = create(t, "0123")
				tc.run(l)
			}
		}
		return
	}
	for _, tc := range racy {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			program, err := os.Executable()
			cmd := exec.Command(must(t, program, err), "-test.run=^TestRaceDetector$")
			cmd.Env = append(os.Environ(), variable+"="+tc.name, "GORACE=atexit_sleep_ms=0")
			out, err := cmd.CombinedOutput()
			report := strings.Contains(string(out), "WARNING: DATA RACE")
			if report != tc.report || report == (err == nil) {
				t.Errorf("the detector reports a race: %v, want %v; the program ends with %v:\n%s", report, tc.report, err, out)
			}
		})
	}
}
