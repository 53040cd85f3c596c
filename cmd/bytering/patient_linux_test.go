package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// setNonblock is what a neighbour does to a file that it shares with the process.
func setNonblock(t *testing.T, f *os.File, on bool) {
	t.Helper()
	flags := fcntl(t, f, unix.F_GETFL, 0) &^ unix.O_NONBLOCK
	if on {
		flags |= unix.O_NONBLOCK
	}
	fcntl(t, f, unix.F_SETFL, flags)
}

// TestNeighbour: a file that was inherited in either mode is read and written
// to the end though a neighbour changes that mode, and each wait is one that
// takes no processor time.
func TestNeighbour(t *testing.T) {
	for _, c := range []struct {
		name string
		// ends returns the process's ends, and for each what the test has at
		// the other.
		ends func(t *testing.T, p *process) (in, out, feed, drain *os.File)
	}{
		{"sockets", func(t *testing.T, p *process) (in, out, feed, drain *os.File) {
			feed, in = socketPair(t)
			drain, out = socketPair(t)
			return
		}},
		{"another user's pipes", func(t *testing.T, p *process) (in, out, feed, drain *os.File) {
			asNobody(t, p)
			in, feed = modePipe(t, false)
			drain, out = modePipe(t, false)
			return
		}},
		{"terminals", func(t *testing.T, p *process) (in, out, feed, drain *os.File) {
			from, to := rawTerminal(t), rawTerminal(t)
			return from.slave, to.slave, from.master, to.master
		}},
	} {
		for _, before := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				const n = 300_000
				p := prepare(t)
				in, out, feed, drain := c.ends(t, p)
				p.Stdin, p.Stdout = in, out
				p.start()
				// Only now, as starting it clears the mode.
				setNonblock(t, in, before)
				setNonblock(t, out, before)
				settle()
				fed := make(chan error, 1)
				go func() {
					for left := random(n); ; time.Sleep(5 * time.Millisecond) {
						if _, err := io.CopyN(feed, left, n/10); err != nil {
							if err == io.EOF {
								err = nil
							}
							fed <- err
							return
						}
						setNonblock(t, in, !before)
					}
				}()
				settle() // its output is full
				setNonblock(t, out, !before)
				settle()
				got := make(chan []byte, 1)
				go func() {
					b, _ := io.ReadAll(io.LimitReader(drain, n))
					got <- b
				}()
				select {
				case got := <-got:
					if got, want := sum(t, bytes.NewReader(got)), sum(t, random(n)); got != want {
						t.Errorf("%s, want %s", got, want)
					}
				case <-time.After(patience):
					t.Fatalf("only a part came through; stderr %q", p.stderr.String())
				}
				if err := <-fed; err != nil {
					t.Error(err)
				}
				in.Close()
				feed.Close()
				if code, said := p.over(); code != exitDone && !strings.Contains(said, "input/output error") {
					t.Errorf("exit code %d; %q", code, said)
				}
				if d := p.ProcessState.UserTime() + p.ProcessState.SystemTime(); d > time.Second {
					t.Errorf("%v of processor time", d)
				}
			})
		}
	}
}

// rawTerminal makes a terminal that takes bytes as they are.
func rawTerminal(t *testing.T) *terminal {
	t.Helper()
	term := newTerminal(t, 80)
	state, err := unix.IoctlGetTermios(int(term.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	state.Iflag, state.Oflag, state.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(int(term.slave.Fd()), unix.TCSETS, state); err != nil {
		t.Fatal(err)
	}
	return term
}

// TestNeighbourOfStderr: the last word arrives whole, also if there is no room
// for it when it is said.
func TestNeighbourOfStderr(t *testing.T) {
	errs, full := fillPipe(t)
	in, feed := modePipe(t, false)
	p := prepare(t)
	p.Stdin, p.Stderr = in, full
	p.start()
	in.Close()
	settle() // it has begun, with stderr in blocking mode
	setNonblock(t, full, true)
	feed.Close()
	settle()
	said := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(errs)
		said <- string(b)
	}()
	full.Close()
	if code, _ := p.over(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if said := strings.TrimLeft(<-said, "\x00"); !strings.HasPrefix(said, "bytering: 0 bytes") || !strings.HasSuffix(said, "/s\n") {
		t.Errorf("%q", said)
	}
}

// TestNeighbourOfHelp: so does what was asked for.
func TestNeighbourOfHelp(t *testing.T) {
	r, full := fillPipe(t)
	p := prepare(t, "--help")
	p.Stdout = full
	setNonblock(t, full, true)
	p.start()
	setNonblock(t, full, true)
	settle()
	got := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(r)
		got <- string(b)
	}()
	full.Close()
	p.end(exitDone, 0)
	if got := strings.TrimLeft(<-got, "\x00"); got != help(asBytering) {
		t.Errorf("%q", got)
	}
}
