package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestRaise: whoever waits for it sees that the signal has ended it, and it dumps
// no core, even where SIGQUIT may.
func TestRaise(t *testing.T) {
	t.Parallel()
	for _, sig := range ends {
		r, w := pipe(t)
		p := prepare(t)
		p.Path, p.Args = "/bin/sh", []string{"sh", "-c", `ulimit -c unlimited 2>/dev/null; exec "$0"`, binary}
		p.Dir = t.TempDir()
		p.Stdin = r
		p.startDefault(sig)
		w.WriteString("hi")
		settle()
		contains(t, p.kill(sig), "stopped by signal", "; 2 bytes written")
		if s := p.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != sig || s.CoreDump() {
			t.Errorf("%v: ended with %v", sig, p.ProcessState)
		}
		if files, _ := os.ReadDir(p.Dir); len(files) > 0 {
			t.Errorf("%v left %v", sig, files)
		}
	}
}

// TestLoop: a ^C ends the shell's loop that it is in.
func TestLoop(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	r, w := pipe(t)
	out, outW := pipe(t)
	p := prepare(t)
	p.Path, p.Args = bash, []string{"bash", "-c", `for i in 1 2 3; do "$0" -q; echo again; done`, binary}
	p.Stdin, p.Stdout = r, outW
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.startDefault(syscall.SIGINT)
	outW.Close()
	settle()
	if err := syscall.Kill(-p.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	contains(t, p.end(128+int(syscall.SIGINT), 1), "stopped by signal")
	w.Close()
	b := make([]byte, 100)
	if n, _ := out.Read(b); strings.Contains(string(b[:n]), "again") {
		t.Error("the loop goes on")
	}
}

// TestFileLimit: the signal for a file that may not be larger is an error like
// another.
func TestFileLimit(t *testing.T) {
	p := prepare(t)
	to := t.TempDir() + "/sink"
	p.Path, p.Args = "/bin/sh", []string{"sh", "-c", `ulimit -f 1 && exec "$0" -i /dev/zero -o "$1"`, binary, to}
	p.start()
	contains(t, p.end(exitSink, 1), "write "+to+": file too large; 512 bytes written")
}
