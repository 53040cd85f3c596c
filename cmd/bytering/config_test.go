package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want size
	}{
		{"1", 1}, {"512", 512}, {"7B", 7}, {"7b", 7},
		{"1k", 1 << 10}, {"1K", 1 << 10}, {"1kB", 1 << 10}, {"1KiB", 1 << 10}, {"1kib", 1 << 10},
		{"16M", 16 << 20}, {"128k", 128 << 10}, {"1.5K", 1536}, {"0.5M", 512 << 10},
		{"1G", 1 << 30}, {"1GiB", 1 << 30}, {"001", 1},
	} {
		var s size
		if err := s.Set(c.text); err != nil || s != c.want {
			t.Errorf("%q is %d and %v, want %d", c.text, int(s), err, int(c.want))
		}
	}
	for text, why := range map[string]string{
		"": "not a size", "x": "not a size", "K": "not a size", "-1": "not a size", "+1": "not a size",
		"1 K": "not a size", " 1": "not a size", "1X": "not a size", "1iB": "not a size", "1Bi": "not a size",
		"1e3": "not a size", "0x10": "not a size", "1_000": "not a size", ".5K": "not a size", "5.": "not a size",
		"NaN": "not a size", "Inf": "not a size", "1K\n": "not a size", "1KK": "not a size", "1,5K": "not a size",
		"0": "less than one byte", "0K": "less than one byte", "0.4": "less than one byte",
		"8192P": "too large", "9223372036854775808": "too large", "999999999999T": "too large",
		strings.Repeat("9", 400): "too large",
	} {
		s := size(42)
		if err := s.Set(text); err == nil || !strings.Contains(err.Error(), why) || s != 42 {
			t.Errorf("%q is %d and %v, want %q", text, int(s), err, why)
		}
	}
}

func TestParse(t *testing.T) {
	cfg, err := parse([]string{"-qf", "-i", "a", "--output=b", "-m4K", "-s", "512"})
	want := config{input: "a", output: "b", memory: 4096, block: 512, quiet: true, force: true}
	if cfg != want || err != nil {
		t.Errorf("%+v and %v, want %+v", cfg, err, want)
	}
	cfg, err = parse(nil)
	want = config{input: "-", output: "-", memory: 4 << 20, block: 1 << 20}
	if cfg != want || err != nil {
		t.Errorf("%+v and %v, want %+v", cfg, err, want)
	}
	// The default block fits into a small ring.
	for memory, block := range map[string]size{"-m1": 1, "-m3": 1, "-m1M": 512 << 10, "-m2M": 1 << 20} {
		if cfg, err := parse([]string{memory}); cfg.block != block || err != nil {
			t.Errorf("%s makes blocks of %v, %v; want %v", memory, &cfg.block, err, &block)
		}
	}
}

// TestUsage holds the text, which is written by hand, against the flags.
func TestUsage(t *testing.T) {
	var cfg config
	flags(&cfg).VisitAll(func(f *pflag.Flag) {
		line := "      --" + f.Name
		if f.Shorthand != "" {
			line = "  -" + f.Shorthand + ", --" + f.Name
		}
		contains(t, usage, line)
	})
	contains(t, usage, "(default "+cfg.memory.String()+")", "(default "+cfg.block.String()+")", "Examples:")
	lines := strings.Split(strings.TrimSuffix(usage, "\n"), "\n")
	if len(lines) > 24 {
		t.Errorf("%d lines are too many for one screen", len(lines))
	}
	for _, line := range lines {
		if len(line) > 79 {
			t.Errorf("%q is too wide for one screen", line)
		}
	}
}

// texts returns what describes the command, each as one line.
func texts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"help": usage}
	for _, name := range []string{"main.go", "../../README.md"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = strings.ReplaceAll(string(b), "\n//", "\n")
	}
	for name, text := range all {
		all[name] = strings.Join(strings.Fields(text), " ")
	}
	return all
}

func TestHelpAndVersion(t *testing.T) {
	for arg, want := range map[string]string{"-h": "Usage:", "--help": "Usage:", "--version": version} {
		p := prepare(t, arg)
		p.Stderr = nil
		out, err := p.Output()
		if err != nil {
			t.Errorf("%s: %v", arg, err)
		}
		contains(t, string(out), want)
	}
}

func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args  string
		lines int
		says  string
	}{
		{"--nope", 2, "--nope"},
		{"-x", 2, "-x"},
		{"file", 2, `"file"`},
		{"-i", 2, "-i"},
		{"--input=", 2, "--input names no file"},
		{"--output=", 2, "--output names no file"},
		{"-m 0", 2, `"0" for "-m, --memory"`},
		{"-m many", 2, `"many" for "-m, --memory"`},
		{"-s 0", 2, `"0" for "-s, --block"`},
		{"-s 2M", 2, "-s, --block 2M: at most 1024K"},
		{"-s 3K -m 4K", 2, "-s, --block 3K: more than half of -m, --memory 4K"},
		{"-m -5", 2, `"-5" for "-m, --memory"`},
		{"-m 8192P", 2, "too large"},
		{"-m 4096P", 1, "--memory 4E: "},
		{"-q=perhaps", 2, "perhaps"},
	} {
		p := prepare(t, strings.Fields(c.args)...)
		p.Dir = dir // for what "-o=" would make
		p.start()
		contains(t, p.end(exitUsage, c.lines), c.says)
	}
}
