package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// A terminal is what a process is shown on, while it runs.
type terminal struct {
	master, slave *os.File
	mu            sync.Mutex
	shown         bytes.Buffer
}

func newTerminal(t *testing.T, cols uint16) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	term := &terminal{master: master, slave: slave}
	term.resize(t, cols)
	return term
}

func (term *terminal) resize(t *testing.T, cols uint16) {
	t.Helper()
	if err := pty.Setsize(term.slave, &pty.Winsize{Rows: 24, Cols: cols}); err != nil {
		t.Fatal(err)
	}
}

// watch keeps what is shown.
func (term *terminal) watch() {
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := term.master.Read(b)
			term.mu.Lock()
			term.shown.Write(b[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
}

func (term *terminal) String() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.shown.String()
}

// frames returns the lines that were drawn, each over the one before.
func (term *terminal) frames() (lines []string) {
	for _, m := range frameForm.FindAllStringSubmatch(term.String(), -1) {
		lines = append(lines, m[1])
	}
	return lines
}

var frameForm = regexp.MustCompile(`\r([^\r\n\x1b]*)\x1b\[K`)

// asShell in the environment makes this program what a shell is to a command on
// a terminal: the leader of its session, without which there is no foreground.
// The terminal loses what it has not shown when the leader ends, so that comes a
// little later.
const asShell = "BYTERING_TEST_AS_SHELL"

// asProgram in the environment is the path of the command, whose name need not be
// that.
const asProgram = "BYTERING_TEST_AS_PROGRAM"

func init() {
	if os.Getenv(asShell) != "" {
		os.Exit(shell(os.Args[1:]))
	}
}

func shell(args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	if path := os.Getenv(asProgram); path != "" {
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 1)
	for _, sig := range endings {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	os.Stdin.Close()
	os.Stdout.Close()
	go func() {
		for sig := range signals {
			cmd.Process.Signal(sig)
		}
	}()
	cmd.Wait()
	time.Sleep(100 * time.Millisecond)
	return exitStatus(cmd.ProcessState)
}

// on gives the process the terminal for its stderr, in the foreground.
func (p *process) on(slave *os.File) {
	p.Env = append(os.Environ(), asShell+"=1")
	p.Path, p.Args = os.Args[0], append([]string{os.Args[0]}, p.Args...)
	p.Stderr = slave
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
}

// onStderr starts the process with an input that does not end.
func (term *terminal) onStderr(t *testing.T, args ...string) (p *process, feed *os.File) {
	t.Helper()
	in, feed := modePipe(t, false)
	p = prepare(t, append(args, "-o", os.DevNull)...)
	p.Stdin = in
	p.on(term.slave)
	p.startDefault(syscall.SIGINT, syscall.SIGTERM)
	in.Close()
	if _, err := feed.WriteString("hi"); err != nil {
		t.Fatal(err)
	}
	return p, feed
}

// TestBarFits: however narrow the terminal is made, a frame is one line of it.
func TestBarFits(t *testing.T) {
	t.Parallel()
	term := newTerminal(t, 100)
	term.watch()
	p, feed := term.onStderr(t)
	drawn := func(n int) {
		t.Helper()
		from := len(term.frames())
		eventually(t, "frames", func() bool { return len(term.frames()) >= from+n })
	}
	drawn(2)
	for _, cols := range []uint16{20, 1, 60} {
		term.resize(t, cols)
		drawn(2) // the first may have been measured before
		from := len(term.frames())
		drawn(2)
		for _, line := range term.frames()[from:] {
			// In the last column it would be about to begin another line.
			if n := len([]rune(line)); n >= int(cols) {
				t.Errorf("%q is %d wide, on %d columns", line, n, cols)
			}
		}
	}
	feed.Close()
	p.end(exitDone, 0)
	eventually(t, "the summary", func() bool { return strings.HasSuffix(term.String(), "/s\r\n") })
	contains(t, term.String(), "\nbytering: 2 bytes")
}

// TestBarStartsLeft: a ^C, which the terminal shows where the cursor stands, is
// drawn over.
func TestBarStartsLeft(t *testing.T) {
	term := newTerminal(t, 80)
	term.watch()
	p, _ := term.onStderr(t)
	eventually(t, "a frame", func() bool { return len(term.frames()) > 1 })
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	p.end(128+int(syscall.SIGINT), 0)
	eventually(t, "the message", func() bool { return strings.HasSuffix(term.String(), os.DevNull+"\r\n") })
	// The bar's last state stays, and the message has a line of its own.
	contains(t, term.String(), "% \x1b[K\r\nbytering: stopped by signal: interrupt; 2 bytes written to ")
}

// TestBarIsCalm: each frame has its parts where the one before had them.
func TestBarIsCalm(t *testing.T) {
	for _, n := range []float64{0, 1, 999, 1023, 1024, 1 << 19, 1<<20 - 1, 51.5 * (1 << 20), 1 << 40, 1.234e15} {
		if text := sizeText(n); len(text) != len(sizeText(0)) {
			t.Errorf("%q is %d wide, and 0 is %d", text, len(text), len(sizeText(0)))
		}
	}
}

// TestStoppedTerminal: a terminal that takes nothing more, as after ^S, or
// a stderr that nobody reads, does not keep the process alive.
func TestStoppedTerminal(t *testing.T) {
	term := newTerminal(t, 80) // that nobody reads
	p, _ := term.onStderr(t)
	if _, err := term.master.WriteString("\x13"); err != nil {
		t.Fatal(err)
	}
	settle()
	begin := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.end(128+int(syscall.SIGTERM), 0)
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("took %v", d)
	}

	// The last word after all is done.
	r, w := fillPipe(t)
	p = prepare(t)
	p.Stderr = w
	p.startDefault(syscall.SIGTERM)
	settle()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, _ := p.over(); code != exitDone {
		t.Errorf("exit code %d, and everything was done", code)
	}
	r.Close()
}

// TestDeadTerminal: that there is no terminal any more is no reason to stop for
// what nohup has started.
func TestDeadTerminal(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	term := newTerminal(t, 80)
	p, feed := term.onStderr(t)
	term.slave.Close()
	settle()
	term.master.Close()
	settle()
	if _, err := feed.WriteString("more"); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	p.end(exitDone, 0)
}

// TestTerminalSource: typed lines arrive as they are typed, ^D ends them, and
// a signal comes through while it waits for one.
func TestTerminalSource(t *testing.T) {
	for _, end := range []string{"\x04", ""} {
		term := newTerminal(t, 80)
		to := filepath.Join(t.TempDir(), "sink")
		p := prepare(t, "-o", to)
		p.Stdin = term.slave
		p.startDefault(syscall.SIGTERM)
		if _, err := term.master.WriteString("typed\n"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the line", func() bool { b, _ := os.ReadFile(to); return string(b) == "typed\n" })
		if end == "" {
			contains(t, p.kill(syscall.SIGTERM), "; 6 bytes written to "+to)
			continue
		}
		if _, err := term.master.WriteString(end); err != nil {
			t.Fatal(err)
		}
		contains(t, p.end(exitDone, 1), "6 bytes")
	}
}

// TestTerminalSink: a terminal that takes no more does not hold up a signal.
// How much it took is not known.
func TestTerminalSink(t *testing.T) {
	term := newTerminal(t, 80)
	p := prepare(t, "-i", "/dev/zero")
	p.Stdout = term.slave
	p.startDefault(syscall.SIGTERM)
	settle()
	said := p.kill(syscall.SIGTERM)
	if _, exact := parseSafe(t, said); exact {
		t.Errorf("%q, though a write was left behind", said)
	}
}

// TestNoBarInData: a terminal that is the sink, standard output or named, shows
// the data without a bar between them.
func TestNoBarInData(t *testing.T) {
	t.Parallel()
	for _, named := range []bool{false, true} {
		term := newTerminal(t, 80)
		term.watch()
		in, feed := modePipe(t, false)
		p := prepare(t)
		if named {
			p.Args = append(p.Args, "-o", term.slave.Name())
		}
		p.Stdin, p.Stdout = in, term.slave
		p.on(term.slave)
		p.start()
		in.Close()
		if _, err := feed.WriteString("data\n"); err != nil {
			t.Fatal(err)
		}
		feed.Close()
		p.end(exitDone, 0)
		eventually(t, "the summary", func() bool { return strings.HasSuffix(term.String(), "/s\r\n") })
		if shown := term.String(); !strings.HasPrefix(shown, "data\r\nbytering: 5 bytes") {
			t.Errorf("named %v: %q", named, shown)
		}
	}
}

// TestSignalInSocket: in a read and in a write.
func TestSignalInSocket(t *testing.T) {
	far, near := socketPair(t)
	p := prepare(t, "-o", os.DevNull)
	p.Stdin = near
	p.startDefault(syscall.SIGTERM)
	if _, err := far.WriteString("hi"); err != nil {
		t.Fatal(err)
	}
	settle()
	contains(t, p.kill(syscall.SIGTERM), "; 2 bytes written")

	p = prepare(t, "-i", "/dev/zero")
	p.Stdout = near
	p.startDefault(syscall.SIGTERM)
	await(t, far)
	settle()
	said := p.kill(syscall.SIGTERM)
	near.Close()
	n, err := io.Copy(io.Discard, far)
	if err != nil {
		t.Fatal(err)
	}
	if safe, exact := parseSafe(t, said); safe > n || exact && safe != n {
		t.Errorf("%q, and %d bytes arrived", said, n)
	}
}

// TestSocketReset: a reader that goes away with something unread has gone away.
func TestSocketReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	stdout, err := near.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	p := prepare(t, "-i", "/dev/zero")
	p.Stdout = stdout
	p.start()
	if _, err := io.ReadFull(far, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	far.(*net.TCPConn).SetLinger(0)
	far.Close()
	contains(t, p.end(exitReader, 1), "write standard output: its reader went away; ")
}
