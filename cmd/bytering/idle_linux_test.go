package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestIdle lets the command sit where nothing moves: it must not spin. A
// process that did would use a second of a processor in each second.
func TestIdle(t *testing.T) {
	const sits = 1500 * time.Millisecond
	for _, tc := range []struct {
		name  string
		setup func(t *testing.T, p *process)
	}{
		{"idle writer", func(t *testing.T, p *process) {
			r, w := pipe(t)
			p.Stdin = r
			if _, err := w.WriteString("hi"); err != nil {
				t.Fatal(err)
			}
		}},
		{"stalled reader", func(t *testing.T, p *process) {
			_, w := pipe(t)
			p.Args = append(p.Args, "-i", "/dev/zero")
			p.Stdout = w
		}},
		{"stalled reader of a FIFO", func(t *testing.T, p *process) {
			fifo := mkfifo(t)
			f, err := os.OpenFile(fifo, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			p.Args = append(p.Args, "-i", "/dev/zero", "-o", fifo)
		}},
		{"dead reader and idle writer", func(t *testing.T, p *process) {
			in, _ := pipe(t)
			r, w := pipe(t)
			p.Stdin, p.Stdout = in, w
			r.Close()
		}},
		{"stalled reader and idle writer", func(t *testing.T, p *process) {
			in, feed := pipe(t)
			_, w := pipe(t)
			p.Stdin, p.Stdout = in, w
			if _, err := feed.WriteString("hi"); err != nil {
				t.Fatal(err)
			}
		}},
		{"socket", func(t *testing.T, p *process) {
			far, near := socketPair(t)
			p.Stdin, p.Stdout = near, near
			if _, err := far.WriteString("hi"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t)
			tc.setup(t, p)
			p.startDefault(syscall.SIGTERM)
			time.Sleep(sits)
			p.kill(syscall.SIGTERM)
			if used := p.ProcessState.UserTime() + p.ProcessState.SystemTime(); used > sits/3 {
				t.Errorf("it used %v of a processor in %v", used, sits)
			} else {
				t.Logf("%v of a processor in %v", used, sits)
			}
		})
	}
}
