package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTimeout: an end that moves nothing for as long as -W says ends it, also one
// that can't be interrupted. One that is slow, or that waits for the other, does
// not.
func TestTimeout(t *testing.T) {
	for _, c := range []struct {
		name string
		args string
		ends func(t *testing.T, p *process)
		says string // or it is done
	}{
		{"idle writer", "-W 0.3", func(t *testing.T, p *process) {
			in, feed := modePipe(t, false)
			p.Stdin = in
			feed.WriteString("hi")
		}, "read standard input: nothing moved for 300ms; 2 bytes written to standard output"},
		{"stalled reader", "-W 0.3 -i /dev/zero", func(t *testing.T, p *process) {
			_, p.Stdout = modePipe(t, false)
		}, "write standard output: nothing moved for 300ms; "},
		{"another user's stalled reader", "-W 0.3 -i /dev/zero", func(t *testing.T, p *process) {
			asNobody(t, p)
			_, p.Stdout = modePipe(t, false)
		}, "write standard output: nothing moved for 300ms; at least "},
		{"stalled reader of two", "-W 0.3 -i /dev/zero -o /dev/null -o -", func(t *testing.T, p *process) {
			_, p.Stdout = modePipe(t, false)
		}, "write standard output: nothing moved for 300ms; "},
		{"stalled reader behind a limit", "-W 0.3 -i /dev/zero -R 100M -P 50", func(t *testing.T, p *process) {
			_, p.Stdout = modePipe(t, false)
		}, "write standard output: nothing moved for 300ms; "},
		{"FIFO that nothing writes to", "-W 0.3 -i /dev/null -i FIFO", func(t *testing.T, p *process) {
			i := slices.Index(p.Args, "FIFO")
			p.Args[i] = mkfifo(t)
		}, "/fifo: nothing moved for 300ms; 0 bytes written"},
		{"FIFO that nothing writes to, behind a file at depth", "-W 0.3 --depth 4 --count 1G -i main.go -i FIFO", func(t *testing.T, p *process) {
			i := slices.Index(p.Args, "FIFO")
			p.Args[i] = mkfifo(t)
		}, "/fifo: nothing moved for 300ms; "},
		{"trickle", "-W 0.5", func(t *testing.T, p *process) {
			in, feed := modePipe(t, false)
			p.Stdin = in
			go func() {
				for range 8 {
					time.Sleep(100 * time.Millisecond)
					feed.WriteString("hi")
				}
				feed.Close()
			}()
		}, ""},
		{"rate below a byte", "-W 0.2 -r 5", func(t *testing.T, p *process) {
			p.Stdin = strings.NewReader("hi there")
		}, ""},
		{"held by its marks", "-W 0.4 -m 64K -P 100", func(t *testing.T, p *process) {
			in, feed := modePipe(t, false)
			p.Stdin = in
			go func() {
				for range 8 {
					time.Sleep(100 * time.Millisecond)
					feed.WriteString("hi")
				}
				feed.Close()
			}()
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t, append(strings.Fields(c.args), "-q")...)
			c.ends(t, p)
			p.start()
			if c.says == "" {
				p.end(exitDone, 0)
				return
			}
			begin := time.Now()
			contains(t, p.end(exitTimeout, 1), c.says)
			t.Logf("after %v", time.Since(begin))
		})
	}
}

// TestSlowForeignReader: a reader that takes a little now and then, of a pipe that
// can't be written to without blocking, does not look like one that takes nothing.
func TestSlowForeignReader(t *testing.T) {
	t.Parallel()
	p := prepare(t, "-q", "-W", "1", "-i", randomFile(t, 3<<20))
	asNobody(t, p)
	r, w := modePipe(t, false)
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 64<<10); err != nil {
		t.Skip(err)
	}
	if err := os.Chmod(filepath.Dir(p.Args[len(p.Args)-1]), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(p.Args[len(p.Args)-1])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p.Args = p.Args[:len(p.Args)-2] // a directory of root's can't be entered
	p.Stdin, p.Stdout = f, w
	p.start()
	w.Close()
	for range 12 {
		time.Sleep(150 * time.Millisecond)
		if _, err := io.CopyN(io.Discard, r, 64<<10); err != nil {
			t.Fatal(err)
		}
	}
	io.Copy(io.Discard, r)
	p.end(exitDone, 0)
}

// TestTimeoutOfSystem: a connection that the system has ended by -W is a timeout too,
// also when all that was to be written is in its buffer.
func TestTimeoutOfSystem(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	p := prepare(t, "-q", "-W", "2", "-i", randomFile(t, 3<<20), "-o", "tcp://"+l.Addr().String(), "-o", "/dev/null")
	p.start()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	contains(t, p.end(exitTimeout, 1), "write tcp://", "nothing moved for 2s; ", " bytes written to tcp://")
}
