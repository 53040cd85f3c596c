package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// differs are the lines that end otherwise with the real program, by its code,
// and why.
var differs = map[string]struct {
	real, ours int
	why        string
}{
	"zfs_autobackup--buffer128k": {1, 0, "it wants five blocks at least"},
}

// A run is what came of a line.
type run42 struct {
	code           int
	out            []byte // standard output, or outp
	second, stderr []byte
}

// TestLines runs the lines that tools and people have for mbuffer and pv with the
// real programs and with the command in their place.
func TestLines(t *testing.T) {
	lines, err := os.ReadFile("testdata/lines.tsv")
	if err != nil {
		t.Fatal(err)
	}
	ours, in := commandDir(t), randomFile(t, 3<<20)
	data, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(lines)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.Split(strings.TrimRight(line, "\n"), "\t")
		n++
		t.Run(part[0], func(t *testing.T) {
			t.Parallel()
			got := runLine(t, filepath.Join(ours, part[1]), part[2], data)
			wantCode, whole := 0, true
			if strings.Contains(part[2], ":9") && !strings.Contains(part[2], ":9090") {
				wantCode, whole = 1, false // nothing listens there
			}
			if real, err := exec.LookPath("/usr/bin/" + part[1]); err == nil {
				want := runLine(t, real, part[2], data)
				if d, ok := differs[part[0]]; ok {
					if want.code != d.real || got.code != d.ours {
						t.Errorf("codes %d and %d, want %d and %d: %s", want.code, got.code, d.real, d.ours, d.why)
					}
				} else if got.code != want.code || !bytes.Equal(got.out, want.out) || !bytes.Equal(got.second, want.second) {
					t.Errorf("code %d, %d and %d bytes; the real one has %d, %d and %d bytes, and says %q", got.code, len(got.out), len(got.second), want.code, len(want.out), len(want.second), want.stderr)
				}
			} else {
				t.Logf("alone: %v", err)
			}
			if got.code != wantCode || whole && !bytes.Equal(got.out, data) {
				t.Errorf("code %d, %d bytes, want %d; it says %q", got.code, len(got.out), wantCode, got.stderr)
			}
			if strings.Contains(part[2], "second") && !bytes.Equal(got.second, data) {
				t.Errorf("second has %d bytes", len(got.second))
			}
		})
	}
	if n != 42 {
		t.Errorf("%d lines", n)
	}
}

// runLine runs a program with a line's arguments in a directory of its own.
func runLine(t *testing.T, program, line string, data []byte) (r run42) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in3"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(line, "-L ") && strings.Contains(line, "-m 5G") {
		line = strings.ReplaceAll(line, "-m 5G", "-m 512M") // of which all is touched
	}
	args := strings.Fields(line)
	var received, sent chan []byte
	for i, arg := range args {
		switch {
		case arg == "-I": // the port may be in use
			port := freePort(t)
			args[i+1] = port
			sent = make(chan []byte, 1)
			go send(t, port, data, sent)
		case arg == "-O" && strings.HasSuffix(args[i+1], ":9"):
			args[i+1] = "127.0.0.1:" + freePort(t)
		case arg == "-O":
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			args[i+1] = l.Addr().String()
			received = make(chan []byte, 1)
			go receive(l, received)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, bytes.NewReader(data), &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r = run42{code: exitStatus(cmd.ProcessState), out: stdout.Bytes(), stderr: stderr.Bytes()}
	if b, err := os.ReadFile(filepath.Join(dir, "outp")); err == nil {
		r.out = b
	}
	r.second, _ = os.ReadFile(filepath.Join(dir, "second"))
	if received != nil {
		r.out = <-received
	}
	if sent != nil {
		<-sent
	}
	return r
}

// send sends the data to what is about to listen.
func send(t *testing.T, port string, data []byte, sent chan<- []byte) {
	defer close(sent)
	for end := time.Now().Add(patience / 2); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			conn.Write(data)
			conn.Close()
			return
		}
	}
	t.Errorf("nothing listens at port %s", port)
}

// receive receives one connection's data.
func receive(l net.Listener, received chan<- []byte) {
	defer close(received)
	l.(*net.TCPListener).SetDeadline(time.Now().Add(patience / 2))
	if conn, err := l.Accept(); err == nil {
		b, _ := io.ReadAll(conn)
		received <- b
		conn.Close()
	}
	l.Close()
}
