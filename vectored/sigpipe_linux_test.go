package vectored

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/scripted"
)

// A writeTo is a source that writes through what WriterOf finds, as a ring's
// consumer does.
type writeTo struct{ write func(w Writer) (int, error) }

func (writeTo) Read([]byte) (int, error) { panic("WriteTo is not called") }

func (c writeTo) WriteTo(dst io.Writer) (int64, error) {
	n, err := c.write(WriterOf(dst))
	return int64(n), err
}

// An embedded has a Write of its own, so that only NewWriter bypasses it.
type embedded struct{ *os.File }

func (embedded) Write([]byte) (int, error) { panic("its Write was called") }

var text = []byte("text")

// piped are programs that write to the pipe f. Their exit status is 0 after an
// error like that of os.File.Write, and 1 after none or another.
var piped = map[string]func(f *os.File) (int, error){
	"Writev":    func(f *os.File) (int, error) { return WriterOf(f).Writev([][]byte{nil, text}) },
	"TryWritev": func(f *os.File) (int, error) { return WriterOf(f).(PollWriter).TryWritev([][]byte{nil, text}) },
	"Write":     func(f *os.File) (int, error) { return WriterOf(f).Write(text) },
	"WriteAll":  func(f *os.File) (int, error) { return WriteAll(WriterOf(f), text, text) },
	"io.Copy": func(f *os.File) (int, error) {
		n, err := io.Copy(f, writeTo{func(w Writer) (int, error) { return w.Writev([][]byte{text}) }})
		return int(n), err
	},
	"ReadFrom": func(f *os.File) (int, error) { // hands on a wrapper of package os
		n, err := f.ReadFrom(writeTo{func(w Writer) (int, error) { return w.Writev([][]byte{text}) }})
		return int(n), err
	},
	"embedded": func(f *os.File) (int, error) {
		w, err := NewWriter(embedded{f})
		if err != nil {
			return 0, err
		}
		return w.Writev([][]byte{text})
	},
}

// A pipe without a reader kills a program that writes to it as standard output or
// standard error. Otherwise it is an error, as with os.File's own Write.
func TestBrokenStandardOutput(t *testing.T) {
	const variable = "VECTORED_PIPED"
	if name, mode, ok := strings.Cut(os.Getenv(variable), ","); ok {
		f := map[string]*os.File{"2": os.Stderr, "3": os.NewFile(3, "three")}[mode[:1]]
		if f == nil {
			f = os.Stdout
		}
		signals := make(chan os.Signal, 10)
		if strings.HasSuffix(mode, "notify") {
			signal.Notify(signals, syscall.SIGPIPE)
		}
		if mode == "1again" {
			readAgain(t, f)
			return
		}
		n, err := piped[name](f)
		pe, ok := errors.AsType[*fs.PathError](err)
		if n != 0 || !ok || *pe != (fs.PathError{Op: "write", Path: f.Name(), Err: syscall.EPIPE}) {
			fmt.Fprintf(os.NewFile(4, "report"), "%d, %#v", n, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	for name := range piped {
		for _, mode := range []string{"1", "2", "3", "1notify"} {
			t.Run(name+" to "+mode, func(t *testing.T) {
				r, w, err := os.Pipe()
				must(t, r, err)
				report, reports, err := os.Pipe()
				must(t, report, err)
				defer report.Close()
				r.Close()
				cmd := exec.Command(os.Args[0], "-test.run=^TestBrokenStandardOutput$")
				cmd.Env = append(os.Environ(), variable+"="+name+","+mode, "GORACE=atexit_sleep_ms=0")
				cmd.ExtraFiles = []*os.File{w, reports}
				cmd.Stdout, cmd.Stderr = w, w
				err = cmd.Run()
				w.Close()
				reports.Close()
				if errors.Is(err, syscall.ENOEXEC) {
					t.Skip("an emulator cannot run the test again")
				}
				text, _ := io.ReadAll(report)
				status := cmd.ProcessState.Sys().(syscall.WaitStatus)
				if name != "embedded" && (mode == "1" || mode == "2") {
					if !status.Signaled() || status.Signal() != syscall.SIGPIPE {
						t.Errorf("the program ends with %v, want SIGPIPE: %s", err, text)
					}
				} else if err != nil {
					t.Errorf("the program ends with %v: %s", err, text)
				}
			})
		}
	}
}

// A FIFO may get a reader between the write that found none and the one that
// os.File makes. Then nothing was broken, and the counts are right.
func TestStandardOutputIsReadAgain(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestBrokenStandardOutput$")
	cmd.Env = append(os.Environ(), "VECTORED_PIPED=,1again", "GORACE=atexit_sleep_ms=0")
	out, err := cmd.Output()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("an emulator cannot run the test again")
	}
	if got := strings.TrimSuffix(string(out), "PASS\n"); err != nil || got != "abcdefgabcdefg" {
		t.Errorf("%v: %s", err, out)
	}
}

// readAgain writes to f, whose pipe is broken during the second system call of each
// write.
func readAgain(t *testing.T, f *os.File) {
	calls := 0
	scripted.Serve(t, f.Fd(), func(op kernel.Op, fd uintptr, vec []syscall.Iovec, off int64) (int, syscall.Errno) {
		if calls++; calls%2 == 0 {
			return 0, syscall.EPIPE
		}
		vec[0].SetLen(1)
		return scripted.Real(op, fd, vec[:1], off)
	})
	w := WriterOf(f)
	n, err := WriteAll(w, []byte("abc"), nil, []byte("de"), []byte("fg"))
	want(t, "WriteAll", n, err, 7, nil)
	n, err = w.Writev([][]byte{[]byte("a"), []byte("lost")})
	want(t, "Writev", n, err, 1, nil)
	n, err = w.Writev([][]byte{nil, []byte("bcd"), []byte("lost")})
	want(t, "Writev of what is read again", n, err, 3, nil)
	calls = 0
	n, err = w.Write([]byte("efg"))
	want(t, "Write", n, err, 3, nil)
}
