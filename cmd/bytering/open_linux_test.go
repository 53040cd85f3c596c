package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNothingLost: an output keeps what it holds if another one can't be opened, and
// one that was made for the command is gone again.
func TestNothingLost(t *testing.T) {
	for _, c := range []struct {
		as, other string // DIR and PORT are replaced
		says      string
	}{
		{"bytering", "-o DIR/none/x", "none/x: no such file or directory"},
		{"bytering", "-o DIR", "is a directory"},
		{"bytering", "-o DIR/in", "in is both input and output"},
		{"bytering", "-o DIR/link", "the same"},
		{"bytering", "-o tcp://host:", "not HOST:PORT"},
		{"mbuffer", "-o DIR/none/x", "none/x: no such file or directory"},
		{"mbuffer", "-O 127.0.0.1:PORT", "connection refused"},
	} {
		for _, force := range []string{"-f", ""} {
			t.Run(c.as+" "+c.other+" "+force, func(t *testing.T) {
				dir := t.TempDir()
				in, old, fresh := writeFile(t, dir, "in", "new bytes"), filepath.Join(dir, "old"), filepath.Join(dir, "fresh")
				if err := os.Symlink(in, filepath.Join(dir, "link")); err != nil {
					t.Skip(err)
				}
				args := "-q -i " + in + " " + force
				if force != "" {
					writeFile(t, dir, "old", "old bytes")
					args += " -o " + old
				} else {
					args += " -o " + fresh
				}
				other := strings.NewReplacer("DIR", dir, "PORT", freePort(t)).Replace(c.other)
				p := prepare(t, strings.Fields(args+" "+other)...).as(c.as)
				p.start()
				if code, said := p.over(); code != exitRefused || strings.Count(said, "\n") != 1 || force != "" && !strings.Contains(said, c.says) {
					t.Errorf("code %d, %q, want %q", code, said, c.says)
				}
				if got, err := os.ReadFile(old); force != "" && string(got) != "old bytes" {
					t.Errorf("the output has %q (%v)", got, err)
				}
				if got, err := os.ReadFile(fresh); err == nil {
					t.Errorf("the output was made, and has %q", got)
				}
			})
		}
	}
}

// TestNothingLostBySignal: nor does an output lose its bytes while another one waits
// for its reader.
func TestNothingLostBySignal(t *testing.T) {
	old := writeFile(t, t.TempDir(), "old", "old bytes")
	p := prepare(t, "-f", "-i", os.DevNull, "-o", old, "-o", mkfifo(t))
	p.startDefault(syscall.SIGTERM)
	settle()
	contains(t, p.kill(syscall.SIGTERM), "nothing was written")
	if got, err := os.ReadFile(old); string(got) != "old bytes" {
		t.Errorf("the output has %q (%v)", got, err)
	}
}

// TestOpenPatient: as with mbuffer, -W limits only the connections of the -I and -O
// that follow.
func TestOpenPatient(t *testing.T) {
	port := freePort(t)
	p := prepare(t, "-q", "-I", port, "-W", "0.3", "-o", filepath.Join(t.TempDir(), "sink")).as("mbuffer")
	p.start()
	listening(t, port)
	time.Sleep(600 * time.Millisecond)
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begin := time.Now()
	code, said := p.over()
	if code != exitTimeout || !strings.Contains(said, "read tcp://"+conn.LocalAddr().String()+": nothing moved for 300ms") {
		t.Errorf("code %d, %q", code, said)
	}
	t.Logf("after %v", time.Since(begin))
}

// TestOpenTimeout: -W also limits how long an end takes to open, and what another one
// holds stays.
func TestOpenTimeout(t *testing.T) {
	for _, c := range []struct{ as, args, says string }{
		{"bytering", "-i FIFO -o OLD -f", "FIFO"},
		{"bytering", "-i FIFO -o OLD -f --depth 4", "FIFO"},
		{"bytering", "-i /dev/zero -f -o OLD -o FIFO", "FIFO"},
		{"bytering", "-i tcp-listen://PORT -f -o OLD", "tcp-listen://PORT"},
		{"bytering", "-i /dev/zero -f -o OLD -o tcp://127.0.0.1:PORT", "tcp://127.0.0.1:PORT"}, // which refuses
		{"bytering", "-i s3://bucket/key -f -o OLD", "s3://bucket/key"},                        // of a store that refuses, too
		{"bytering", "-i /dev/zero -o s3://bucket/key", "s3://bucket/key"},
		{"mbuffer", "-i FIFO -f -o OLD", "FIFO"},
		{"mbuffer", "-i /dev/zero -f -o OLD -o FIFO", "FIFO"},
		{"mbuffer", "-I PORT -f -o OLD", "-I PORT"},
	} {
		t.Run(c.as+" "+c.args, func(t *testing.T) {
			t.Parallel()
			old := writeFile(t, t.TempDir(), "old", "old bytes")
			fill := strings.NewReplacer("OLD", old, "FIFO", mkfifo(t), "PORT", freePort(t)).Replace
			p := prepare(t, strings.Fields("-q -W 0.3 "+fill(c.args))...).as(c.as)
			p.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", fill("AWS_ENDPOINT_URL=http://127.0.0.1:PORT"))
			p.start()
			code, said := p.over()
			if want := c.as + ": open " + fill(c.says) + ": nothing moved for 300ms; nothing was written\n"; code != exitTimeout || said != want {
				t.Errorf("code %d, %q, want %q", code, said, want)
			}
			if got, err := os.ReadFile(old); string(got) != "old bytes" {
				t.Errorf("the output has %q (%v)", got, err)
			}
		})
	}
}
