package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFileToFile(t *testing.T) {
	for _, n := range []int64{0, 1, 100<<20 + 3} {
		for _, memory := range []string{"16M", "4097"} {
			if memory != "16M" && n > 1<<20 && testing.Short() {
				continue
			}
			from, to := randomFile(t, n), filepath.Join(t.TempDir(), "sink")
			p := prepare(t, "-i", from, "-o", to, "-m", memory)
			p.start()
			contains(t, p.end(exitDone, 1), fmt.Sprintf("bytering: %d bytes", n), "/s\n")
			if got, want := sumFile(t, to), sumFile(t, from); got != want {
				t.Errorf("%d bytes over %s: %s, want %s", n, memory, got, want)
			}
		}
	}
}

func TestPipeToPipe(t *testing.T) {
	const n = 20<<20 + 7
	for _, memory := range []string{"1", "100", "1M"} {
		n := int64(n)
		if memory == "1" {
			n = 5000 // each byte costs two system calls
		}
		p := prepare(t, "-q", "-m", memory)
		stdin, err := p.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		p.start()
		written := make(chan error, 1)
		go func() {
			_, err := io.Copy(stdin, random(n))
			written <- err
			stdin.Close()
		}()
		if got, want := sum(t, stdout), sum(t, random(n)); got != want {
			t.Errorf("over %s: %s, want %s", memory, got, want)
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
		p.end(exitDone, 0)
	}
}

// TestTrickle: what was written appears though nothing follows it.
func TestTrickle(t *testing.T) {
	p := prepare(t, "-q")
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w := pipe(t)
	p.Stdout = w
	p.start()
	w.Close()
	r.SetReadDeadline(time.Now().Add(patience))
	for _, text := range []string{"hi", "again"} {
		begin := time.Now()
		if _, err := io.WriteString(stdin, text); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 10)
		n, err := r.Read(b)
		if string(b[:n]) != text || err != nil {
			t.Fatalf("%q and %v, want %q", b[:n], err, text)
		}
		t.Logf("%q came after %v", text, time.Since(begin))
	}
	stdin.Close()
	p.end(exitDone, 0)
}

func TestDashesAndSummary(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		args, lines := []string{"-i", "-", "-o", "-"}, 1
		if quiet {
			args, lines = append(args, "--quiet"), 0
		}
		p := prepare(t, args...)
		from := randomFile(t, 1000)
		f, err := os.Open(from)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p.Stdin = f
		p.start()
		if said := p.end(exitDone, lines); !quiet {
			contains(t, said, "1000 bytes", " s, ")
		}
	}
}

func TestNoOverwrite(t *testing.T) {
	from, to := randomFile(t, 10), filepath.Join(t.TempDir(), "sink")
	if err := os.WriteFile(to, []byte("something precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := prepare(t, "-i", from, "-o", to)
	p.start()
	contains(t, p.end(exitRefused, 1), to, "exists", "-f")
	if b, _ := os.ReadFile(to); string(b) != "something precious" {
		t.Errorf("it was overwritten with %q", b)
	}
	p = prepare(t, "-i", from, "-o", to, "-f")
	p.start()
	p.end(exitDone, 1)
	if got, want := sumFile(t, to), sumFile(t, from); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSameFile(t *testing.T) {
	from := randomFile(t, 10)
	want := sumFile(t, from)
	link := filepath.Join(filepath.Dir(from), "link")
	if err := os.Link(from, link); err != nil {
		t.Skip(err)
	}
	for _, to := range []string{from, link} {
		for _, force := range [][]string{{}, {"--force"}} {
			p := prepare(t, append(force, "-i", from, "-o", to)...)
			p.start()
			if said := p.end(exitRefused, 1); to == from {
				contains(t, said, from+" is both input and output")
			} else {
				contains(t, said, from+" and "+to+" are the same")
			}
		}
	}
	// The shell's >>, which would never end.
	p := prepare(t, "-i", from)
	f, err := os.OpenFile(from, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p.Stdout = f
	p.start()
	contains(t, p.end(exitRefused, 1), from, stdoutName)
	if got := sumFile(t, from); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	from, missing := randomFile(t, 10), filepath.Join(dir, "missing")
	for _, c := range []struct {
		code int
		args []string
		says string
	}{
		{exitRefused, []string{"-i", missing}, missing},
		{exitRefused, []string{"-i", missing, "-o", filepath.Join(dir, "sink")}, missing},
		{exitRefused, []string{"-i", dir}, dir},
		{exitRefused, []string{"-i", from, "-o", filepath.Join(missing, "sink")}, missing},
		{exitRefused, []string{"-i", from, "-o", dir}, dir},
	} {
		p := prepare(t, c.args...)
		p.start()
		contains(t, p.end(c.code, 1), c.says)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left %v behind, %v", entries, err)
	}
}

// TestCloseFails: a sink that took everything and then fails has failed, also
// where the source has.
func TestCloseFails(t *testing.T) {
	for _, both := range []bool{false, true} {
		from, to := place{name: randomFile(t, 0)}, place{name: filepath.Join(t.TempDir(), "sink")}
		cfg := usual(func(c *config) { c.inputs, c.outputs = []place{from}, []place{to} })
		s, err := newStream(nil, cfg, &voice{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.prepare(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := s.openEnds(t.Context(), nil, nil); err != nil {
			t.Fatal(err)
		}
		if both {
			s.source.cur.file.Close() // so that a read is an error
		}
		s.sinks[0].file.Close() // so that another close is an error
		errs := s.run(t.Context())
		if len(errs) != 1 || exitCode(errs[0]) != exitSink {
			t.Fatalf("%v, want one of the sink", errs)
		}
		contains(t, errs[0].Error(), "close "+to.name, "; 0 bytes written")
	}
}

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		n    int64
		d    time.Duration
		want string
	}{
		{0, 0, "0 bytes in 0.000 s, 0 B/s"},
		{3, time.Second / 2, "3 bytes in 0.500 s, 6 B/s"},
		{1023, time.Second, "1023 bytes in 1.000 s, 1023 B/s"},
		{1024, time.Second, "1024 bytes (1 KiB) in 1.000 s, 1 KiB/s"},
		{1536, 1500 * time.Millisecond, "1536 bytes (1.5 KiB) in 1.500 s, 1 KiB/s"},
		{1 << 30, time.Second, "1073741824 bytes (1 GiB) in 1.000 s, 1 GiB/s"},
		{1 << 40, 34*time.Hour + time.Millisecond, "1099511627776 bytes (1 TiB) in 122400.001 s, 8.567 MiB/s"},
		{math.MaxInt64, 0, "9223372036854775807 bytes (8 EiB) in 0.000 s, 8e+09 EiB/s"},
	} {
		if got := summary(c.n, c.d); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
