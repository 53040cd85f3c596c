package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestScreens: at any width, also after a change, on any terminal and in any
// locale the line is one line, and what others write stays.
func TestScreens(t *testing.T) {
	for _, c := range []struct {
		columns, resized uint16
		env              []string
		args             string
		begins           string // the line
	}{
		{20, 20, nil, "-N tank", " 2.00 B "},
		{80, 80, nil, "-N tank", "tank:  2.00 B "},
		{200, 200, nil, "-N tank", "tank:  2.00 B "},
		{200, 40, nil, "-N tank", "tank:  2.00 B "},
		{20, 200, nil, "-N tank", "tank:  2.00 B "},
		{80, 80, []string{"LC_ALL=C"}, "-N Müller", `M\u00fcller:  2.00 B `},
		{80, 80, []string{"LC_ALL=C.UTF-8"}, "-N Müller", "Müller:  2.00 B "},
		{80, 80, []string{"TERM=dumb", "LC_ALL=C"}, "-N tank", "tank:  2.00 B "},
		{80, 80, []string{"NO_COLOR=1"}, "-N a\x1b[2Jb", `a\x1b[2Jb:  2.00 B `},
		{80, 80, nil, "--size 4", " 2.00 B ["},
	} {
		t.Run(fmt.Sprint(c.columns, c.resized, c.env, c.args), func(t *testing.T) {
			t.Parallel()
			term := newTerminal(t, c.columns)
			term.watch()
			in, feed := modePipe(t, false)
			p := prepare(t, append(strings.Fields(c.args), "-o", os.DevNull)...)
			p.Stdin = in
			p.on(term.slave)
			p.Env = append(p.Env, c.env...)
			p.startDefault(syscall.SIGTERM)
			in.Close()
			if _, err := feed.WriteString("hi"); err != nil {
				t.Fatal(err)
			}
			frames := func(n int) {
				t.Helper()
				from := strings.Count(term.String(), "\r")
				eventually(t, "frames", func() bool { return strings.Count(term.String(), "\r") >= from+n })
			}
			others := []string{"one", "two"}
			frames(2)
			for i, line := range others {
				if i == 1 {
					term.resize(t, c.resized)
				}
				if _, err := term.slave.WriteString(line + "\n"); err != nil {
					t.Fatal(err)
				}
				frames(2)
			}
			feed.Close()
			p.end(exitDone, 0)
			eventually(t, "the summary", func() bool { return strings.HasSuffix(term.String(), "/s\r\n") })
			text := term.String()
			if dumb := strings.Contains(fmt.Sprint(c.env), "dumb"); dumb && strings.Contains(text, "\x1b") {
				t.Errorf("%q has escape sequences", text)
			}
			if strings.Contains(text, "\x1b[3") {
				t.Errorf("%q has colours", text)
			}
			ascii := strings.IndexFunc(text, func(r rune) bool { return r > 126 }) < 0
			if wide := strings.Contains(fmt.Sprint(c.env), "UTF-8"); ascii == wide {
				t.Errorf("%q is ASCII: %v", text, ascii)
			}
			// The terminal was either size: the line that was last drawn fits the
			// last one, and a line in all for each time that another wrote.
			bars, before := 0, strings.Split(screenOf(text, int(max(c.columns, c.resized))), "\n")
			for _, line := range before {
				if strings.Contains(line, "2.00 B") {
					bars++
				}
			}
			if bars != len(others)+1 {
				t.Errorf("%d bars in %q, want %d", bars, before, len(others)+1)
			}
			for _, line := range others {
				if !strings.Contains(strings.Join(before, ""), line) { // which may have been wrapped
					t.Errorf("%q is not there in %q", line, before)
				}
			}
			last := strings.Split(strings.SplitN(text, "\nbytering:", 2)[0], "\r")
			if line := last[len(last)-2]; !strings.HasPrefix(line, c.begins) {
				t.Errorf("the last line is %q, want %q", line, c.begins)
			}
		})
	}
}

// TestStallShows: the rate is the current one, and then that nothing moves.
func TestStallShows(t *testing.T) {
	t.Parallel()
	term := newTerminal(t, 100)
	term.watch()
	in, feed := modePipe(t, false)
	p := prepare(t, "-o", os.DevNull)
	p.Stdin = in
	p.on(term.slave)
	p.startDefault(syscall.SIGTERM)
	in.Close()
	if _, err := io.Copy(feed, random(5<<20)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a rate", func() bool { return regexp.MustCompile(`5\.00MiB +[0-9.]+[KMG]iB/s`).MatchString(term.String()) })
	eventually(t, "a stall", func() bool { return strings.Contains(term.String(), "5.00MiB stalled 2s avg ") })
	contains(t, term.String(), "ring   0% slow source")
	feed.WriteString("x")
	from := len(term.String())
	eventually(t, "its end", func() bool {
		shown := term.String()[from:]
		return regexp.MustCompile(`5\.00MiB +[0-9.]+ B/s`).MatchString(shown)
	})
	feed.Close()
	p.end(exitDone, 0)
}

// TestStatusOnRequest: SIGUSR1 prints how far it is, on a terminal or not, quiet
// or not, and changes nothing else.
func TestStatusOnRequest(t *testing.T) {
	for _, args := range []string{"", "-q", "-N tank"} {
		in, feed := modePipe(t, false)
		p := prepare(t, append(strings.Fields(args), "-o", os.DevNull, "--size", "10")...)
		r, w := pipe(t)
		p.Stdin, p.Stderr = in, w
		p.startDefault(syscall.SIGUSR1)
		in.Close()
		w.Close()
		if _, err := feed.WriteString("hello"); err != nil {
			t.Fatal(err)
		}
		settle()
		name := ""
		if strings.HasPrefix(args, "-N") {
			name = "tank: "
		}
		for range 2 {
			if err := p.Process.Signal(syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			r.SetReadDeadline(time.Now().Add(patience))
			b := make([]byte, 1000)
			n, err := r.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			form := regexp.MustCompile(`^bytering: ` + name + `5\.00 B \[=+> +\] 50% .*/s avg .*/s ring 0% slow source( .*left)?\n$`)
			if !form.Match(b[:n]) {
				t.Errorf("%s: it says %q", args, b[:n])
			}
		}
		feed.Close()
		if code, _ := p.over(); code != exitDone {
			t.Errorf("exit code %d", code)
		}
	}

	term := newTerminal(t, 100)
	term.watch()
	p, feed := term.onStderr(t)
	term.drawn(t, 1)
	out, err := exec.Command("pgrep", "-P", fmt.Sprint(p.Process.Pid)).Output()
	if err != nil {
		t.Skip(err)
	}
	var pid int
	fmt.Sscan(string(out), &pid)
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the status", func() bool { return strings.Contains(term.String(), "\rbytering: 2.00 B") })
	term.drawn(t, 2)
	feed.Close()
	p.end(exitDone, 0)
	eventually(t, "the summary", func() bool { return strings.HasSuffix(term.String(), "/s\r\n") })
	lines := strings.Split(screen(term.String()), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "bytering: 2.00 B") || !strings.HasPrefix(lines[1], " 2.00 B") {
		t.Errorf("%q", lines)
	}
}

// TestLinesOfPv shows each kind of line that pv has and compares it with the real
// one's, except for the times, the rates and the length of the bar.
func TestLinesOfPv(t *testing.T) {
	real, err := exec.LookPath("pv")
	if err != nil {
		t.Skip(err)
	}
	for _, args := range []string{
		"-s 3145728", "-pterab -s 3M", "-b", "-t", "-r", "-a", "-p", "-p -s 3M", "-e -s 3M", "-tb -N name -s 3M", "-trab",
		"-n -s 3M", "-bn", "-ptb -s 1M", "-p -w 50 -s 3M", "-pb -I -s 3M", "-bW", "-q", "-b -D 100",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			shown := map[string]string{}
			for _, path := range []string{real, binary} {
				master, slave, err := pty.Open()
				if err != nil {
					t.Skip(err)
				}
				if err := pty.Setsize(slave, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
					t.Fatal(err)
				}
				p := prepare(t, strings.Fields(args)...)
				p.on(slave)
				p.Args[1] = "pv"
				p.Env = append(p.Env, asProgram+"="+path)
				p.Stdin = random(3 << 20)
				p.start()
				slave.Close()
				text, _ := io.ReadAll(master) // until EIO
				master.Close()
				if code, _ := p.over(); code != exitDone {
					t.Errorf("%s %s: exit code %d", path, args, code)
				}
				shown[path] = masked(screen(string(text)))
			}
			if shown[real] != shown[binary] {
				t.Errorf("pv %s shows %q, want %q", args, shown[binary], shown[real])
			}
		})
	}
}

// masked leaves out of a line what differs from run to run.
func masked(text string) string {
	for _, m := range [][2]string{
		{`[0-9.]+ ?[KMG]?i?B/s`, "RATE"}, {`\d+:\d\d:\d\d`, "TIME"}, {`\[=*>? *\]`, "[BAR]"}, {`\[ *<=> *\]`, "[BAR]"}, {` +(\n|$)`, "$1"}, {` +RATE`, "RATE"},
	} {
		text = regexp.MustCompile(m[0]).ReplaceAllString(text, m[1])
	}
	return text
}
