package main

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// screen is what a terminal that is wide enough shows of text.
func screen(text string) string { return screenOf(text, 1<<20) }

// screenOf is what a terminal of so many columns shows of text: its lines, drawn
// over and erased as it says, and a character too many on the next one.
func screenOf(text string, columns int) string {
	lines, row, col := [][]rune{nil}, 0, 0
	for len(text) > 0 {
		if m := escapeForm.FindStringSubmatch(text); m != nil {
			switch m[1] {
			case "1A":
				row = max(0, row-1)
			case "K":
				lines[row] = lines[row][:min(col, len(lines[row]))]
			case "J":
				lines[row] = lines[row][:min(col, len(lines[row]))]
				lines = lines[:row+1]
			}
			text = text[len(m[0]):]
			continue
		}
		c, n := utf8.DecodeRuneInString(text)
		if c >= ' ' && col == columns {
			if row, col = row+1, 0; row == len(lines) {
				lines = append(lines, nil)
			}
		}
		switch c {
		case '\r':
			col = 0
		case '\n':
			if row++; row == len(lines) {
				lines = append(lines, nil)
			}
		default:
			for len(lines[row]) <= col {
				lines[row] = append(lines[row], ' ')
			}
			lines[row][col] = c
			col++
		}
		text = text[n:]
	}
	all := make([]string, len(lines))
	for i, line := range lines {
		all[i] = string(line)
	}
	return strings.Join(all, "\n")
}

var escapeForm = regexp.MustCompile(`^\x1b\[(\d*[A-Z])`)

// drawn waits until so many more frames are drawn.
func (term *terminal) drawn(t *testing.T, n int) {
	t.Helper()
	frames := func() int { return strings.Count(term.String(), "ring ") }
	from := frames()
	eventually(t, "frames", func() bool { return frames() >= from+n })
}

// TestLinesOfOthers: what others write to the terminal while the bar is there
// stays on it.
func TestLinesOfOthers(t *testing.T) {
	t.Parallel()
	term := newTerminal(t, 100)
	term.watch()
	p, feed := term.onStderr(t)
	others := []string{"cannot receive", "Permission denied (publickey).", "bytering: write other: no space left on device"}
	for _, line := range others {
		term.drawn(t, 2)
		if _, err := term.slave.WriteString(line + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	term.drawn(t, 2)
	feed.Close()
	p.end(exitDone, 0)
	eventually(t, "the summary", func() bool { return strings.HasSuffix(term.String(), "/s\r\n") })
	shown := screen(term.String())
	for _, line := range append(others, "\nbytering: 2 bytes") {
		contains(t, shown, line)
	}
	if n := strings.Count(shown, "ring "); n != len(others)+1 {
		t.Errorf("%d lines have a bar in them, want one for each time that another wrote, and one:\n%s", n, shown)
	}
}

// TestPassword: while a program asks for a password, or shows pages, nothing is
// drawn over its prompt.
func TestPassword(t *testing.T) {
	t.Parallel()
	term := newTerminal(t, 100)
	term.watch()
	p, feed := term.onStderr(t)
	term.drawn(t, 1)
	state, err := unix.IoctlGetTermios(int(term.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	state.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(term.slave.Fd()), unix.TCSETS, state); err != nil {
		t.Fatal(err)
	}
	time.Sleep(refresh) // for one that was under way
	const prompt = "\n[sudo] password for root: "
	if _, err := term.slave.WriteString(prompt); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * refresh)
	if shown := screen(term.String()); !strings.HasSuffix(shown, strings.TrimSpace(prompt)+" ") {
		t.Errorf("%q is drawn over", shown)
	}
	state.Lflag |= unix.ECHO
	if err := unix.IoctlSetTermios(int(term.slave.Fd()), unix.TCSETS, state); err != nil {
		t.Fatal(err)
	}
	term.drawn(t, 2)
	feed.Close()
	p.end(exitDone, 0)
}

// TestBackground: in the background it goes on and draws nothing, also where the
// terminal stops what writes to it from there.
func TestBackground(t *testing.T) {
	t.Parallel()
	for _, tostop := range []string{"tostop", "-tostop"} {
		term := newTerminal(t, 100)
		term.watch()
		p := prepare(t)
		to := mkfifo(t)
		p.Path, p.Args = "/bin/sh", []string{"sh", "-c", `set -m
			stty "$1"
			"$0" -i /dev/zero -o "$2" &
			echo hello
			(sleep .6; head -c 100000000 >/dev/null) <"$2" && echo moved
			read line
			fg >/dev/null
			echo code $?
			sleep .2`, binary, tostop, to}
		p.Stdin, p.Stdout, p.Stderr = term.slave, term.slave, term.slave
		p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		p.start()
		eventually(t, "moved in the background", func() bool { return strings.Contains(term.String(), "moved\r\n") })
		// The reader has gone away.
		eventually(t, "the message", func() bool { return strings.Contains(term.String(), "broken pipe") })
		if _, err := term.master.WriteString("\n"); err != nil {
			t.Fatal(err)
		}
		p.await()
		eventually(t, "the end", func() bool { return strings.Contains(term.String(), "code 3\r\n") })
		if shown := term.String(); strings.Contains(shown, "\x1b[") || !strings.Contains(screen(shown), "hello") {
			t.Errorf("%s: %q", tostop, shown)
		}
		contains(t, term.String(), "bytering: write "+to+": broken pipe")
	}
}

// TestForeground: it draws again when it is there.
func TestForeground(t *testing.T) {
	t.Parallel()
	term := newTerminal(t, 100)
	term.watch()
	p := prepare(t)
	in, feed := modePipe(t, false)
	p.Path, p.Args = "/bin/sh", []string{"sh", "-c", `set -m
		"$0" -o /dev/null <&3 &
		echo hello
		sleep .5
		fg >/dev/null
		echo code $?
		sleep .2`, binary}
	p.Stdin, p.Stdout, p.Stderr = term.slave, term.slave, term.slave
	p.ExtraFiles = []*os.File{in}
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.start()
	in.Close()
	term.drawn(t, 2)
	feed.Close()
	p.await()
	eventually(t, "the end", func() bool { return strings.Contains(term.String(), "code 0\r\n") })
	if shown := screen(term.String()); !strings.HasPrefix(shown, "hello\n") || !strings.Contains(shown, "\nbytering: 0 bytes") {
		t.Errorf("%q", shown)
	}
}

// TestDumbTerminal: one that knows no escape sequences gets none. What was drawn
// before is overwritten.
func TestDumbTerminal(t *testing.T) {
	t.Setenv("TERM", "dumb")
	term := newTerminal(t, 100)
	term.watch()
	p, feed := term.onStderr(t)
	eventually(t, "a stall", func() bool { return strings.Contains(term.String(), "stalled") })
	feed.Close()
	p.end(exitDone, 0)
	eventually(t, "the summary", func() bool { return strings.HasSuffix(term.String(), "/s\r\n") })
	shown := screen(term.String())
	contains(t, shown, "bytering: 2 bytes")
	if line, _, _ := strings.Cut(shown, "\n"); strings.Contains(term.String(), "\x1b") || !strings.HasSuffix(strings.TrimRight(line, " "), "ring   0%") {
		t.Errorf("%q", shown)
	}
}

// fillPipe makes a pipe of which no more is taken.
func fillPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w = modePipe(t, true)
	for {
		if _, err := syscall.Write(int(w.Fd()), make([]byte, 4096)); err != nil {
			break
		}
	}
	fcntl(t, w, syscall.F_SETFL, 0)
	return r, w
}

// TestEndBeforeWords: neither a terminal that is stopped nor a stderr without a
// reader holds up the transfer, or keeps the next program from its end and the
// one before from learning that its reader has ended.
func TestEndBeforeWords(t *testing.T) {
	t.Parallel()
	const n = 5 << 20
	for _, stderr := range []string{"terminal", "pipe"} {
		for _, fails := range []bool{false, true} {
			in, feed := modePipe(t, false)
			r, w := pipe(t)
			p := prepare(t)
			p.Stdin, p.Stdout = in, w
			var free func()
			if stderr == "terminal" {
				term := newTerminal(t, 80)
				term.watch()
				p.on(term.slave)
				if _, err := term.master.WriteString("\x13"); err != nil {
					t.Fatal(err)
				}
				free = func() { term.master.WriteString("\x11") }
			} else {
				errs, full := fillPipe(t)
				p.Stderr = full
				free = func() { go io.Copy(io.Discard, errs) }
			}
			if fails {
				full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				p.Stdout = full
			}
			p.start()
			in.Close()
			w.Close()
			time.Sleep(3 * refresh) // the bar is stuck
			fed := make(chan error, 1)
			go func() {
				_, err := io.Copy(feed, random(n))
				for fails && err == nil {
					_, err = feed.Write(make([]byte, 1000))
				}
				feed.Close()
				fed <- err
			}()
			r.SetReadDeadline(time.Now().Add(patience))
			if !fails {
				var got bytes.Buffer
				if _, err := io.Copy(&got, r); err != nil || got.Len() != n {
					t.Fatalf("%s: %d bytes arrived, then %v", stderr, got.Len(), err)
				}
			}
			select {
			case err := <-fed:
				if fails != (err != nil) {
					t.Errorf("%s: what feeds it: %v", stderr, err)
				}
			case <-time.After(patience):
				t.Fatalf("%s: what feeds it is not told of the end", stderr)
			}
			if err := p.Process.Signal(syscall.Signal(0)); err != nil {
				t.Errorf("%s: it has ended, so this tests nothing: %v", stderr, err)
			}
			free()
			want := exitDone
			if fails {
				want = exitSink
			}
			if code, _ := p.over(); code != want {
				t.Errorf("%s: exit code %d, want %d", stderr, code, want)
			}
		}
	}
}
