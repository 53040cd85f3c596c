package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
