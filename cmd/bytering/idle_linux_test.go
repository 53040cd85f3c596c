package main

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestIdle: whatever it waits for, it does not spin. One process that did would
// use most of a processor while all of them sit.
func TestIdle(t *testing.T) {
	const sit, most = 2 * time.Second, 250 * time.Millisecond
	cases := []struct {
		name string
		// begin sets the ends and returns what to do once it is started.
		begin func(t *testing.T, p *process) (then func())
	}{
		{"both idle", func(t *testing.T, p *process) func() {
			p.Stdin, _ = modePipe(t, false)
			_, p.Stdout = modePipe(t, false)
			return nil
		}},
		{"both idle, on a terminal", func(t *testing.T, p *process) func() {
			p.Stdin, _ = modePipe(t, false)
			term := newTerminal(t, 80)
			term.watch()
			_, p.Stdout = modePipe(t, false)
			p.on(term.slave)
			return nil
		}},
		{"stalled reader", func(t *testing.T, p *process) func() {
			p.Args = append(p.Args, "-i", "/dev/zero")
			_, p.Stdout = modePipe(t, false)
			return nil
		}},
		{"stalled reader of a FIFO", func(t *testing.T, p *process) func() {
			fifo := mkfifo(t)
			p.Args = append(p.Args, "-i", "/dev/zero", "-o", fifo)
			return func() {
				r, err := os.OpenFile(fifo, os.O_RDONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { r.Close() })
			}
		}},
		{"stalled reader of a socket", func(t *testing.T, p *process) func() {
			p.Args = append(p.Args, "-i", "/dev/zero")
			_, p.Stdout = socketPair(t)
			return nil
		}},
		{"idle writer", func(t *testing.T, p *process) func() {
			in, feed := modePipe(t, false)
			p.Stdin = in
			return func() {
				if _, err := io.CopyN(feed, random(100_000), 100_000); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{"idle writer of a FIFO", func(t *testing.T, p *process) func() {
			fifo := mkfifo(t)
			p.Args = append(p.Args, "-i", fifo, "-o", os.DevNull)
			return func() {
				w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { w.Close() })
			}
		}},
		{"missing writer of a FIFO", func(t *testing.T, p *process) func() {
			p.Args = append(p.Args, "-i", mkfifo(t))
			return nil
		}},
		{"one socket for both", func(t *testing.T, p *process) func() {
			far, near := socketPair(t)
			p.Stdin, p.Stdout = near, near
			return func() {
				if _, err := far.WriteString("hi"); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{"idle terminal", func(t *testing.T, p *process) func() {
			p.Stdin = newTerminal(t, 80).slave
			return nil
		}},
	}
	processes := make([]*process, len(cases))
	for i, c := range cases {
		p := prepare(t)
		then := c.begin(t, p)
		p.startDefault(syscall.SIGTERM)
		if then != nil {
			then()
		}
		processes[i] = p
	}
	time.Sleep(sit)
	for _, p := range processes {
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	for i, p := range processes {
		if code, said := p.over(); code != 128+int(syscall.SIGTERM) {
			t.Errorf("%s: exit code %d; %q", cases[i].name, code, said)
		}
		d := p.ProcessState.UserTime() + p.ProcessState.SystemTime()
		t.Logf("%s: %v of processor time in %v", cases[i].name, d, sit)
		if d > most {
			t.Errorf("%s: more than %v", cases[i].name, most)
		}
	}
}
