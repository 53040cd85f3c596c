package main

import (
	"debug/buildinfo"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/pborman/getopt/v2"
)

func TestSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
	}{
		{"1", 1}, {"512", 512}, {"7B", 7}, {"7b", 7},
		{"1k", 1 << 10}, {"1K", 1 << 10}, {"1kB", 1 << 10}, {"1KiB", 1 << 10}, {"1kib", 1 << 10},
		{"4MB", 4 << 20}, {"4mb", 4 << 20}, {"4MiB", 4 << 20}, {"4Mb", 4 << 20}, {"4miB", 4 << 20},
		{"16M", 16 << 20}, {"128k", 128 << 10}, {"1.5K", 1536}, {"0.5M", 512 << 10}, {"2.0", 2},
		{"1.0009765625K", 1025}, {"1G", 1 << 30}, {"1GiB", 1 << 30}, {"001", 1}, {"2T", 2 << 40},
		{"9007199254740993", 1<<53 + 1}, {"9223372036854775807", math.MaxInt64}, {"8388607T", math.MaxInt64 - (1<<40 - 1)},
		// More is as much as the machine can count.
		{"8388608T", math.MaxInt64}, {"9223372036854775808", math.MaxInt64}, {strings.Repeat("9", 400), math.MaxInt64},
	} {
		var s size
		want := int(min(c.want, math.MaxInt))
		if err := s.Set(c.text, nil); err != nil || s.bytes != want || s.String() != c.text {
			t.Errorf("%q is %d, shown as %v, and %v, want %d", c.text, s.bytes, &s, err, want)
		}
	}
	for text, why := range map[string]string{
		"": "not a size", "x": "not a size", "K": "not a size", "-1": "not a size", "+1": "not a size",
		"1 K": "not a size", " 1": "not a size", "1X": "not a size", "1iB": "not a size", "1Bi": "not a size",
		"1e3": "not a size", "0x10": "not a size", "1_000": "not a size", ".5K": "not a size", "5.": "not a size",
		"NaN": "not a size", "Inf": "not a size", "1K\n": "not a size", "1KK": "not a size", "1,5K": "not a size",
		"1P": "not a size", "1/2": "not a size",
		"0": "less than one byte", "0K": "less than one byte", "0.4": "less than one byte", "0.0009K": "less than one byte",
		"1.5": "not a whole number", "1.0000001K": "not a whole number", "0.1M": "not a whole number", "99.9b": "not a whole number",
		"1." + strings.Repeat("0", 400) + "1": "not a whole number",
	} {
		old := size{42, "42"}
		s := old
		if err := s.Set(text, nil); err == nil || !strings.Contains(err.Error(), why) || s != old {
			t.Errorf("%q is %d and %v, want %q", text, s.bytes, err, why)
		}
	}
}

func TestParse(t *testing.T) {
	cfg, err := parse([]string{"-qf", "-i", "a", "--output=b", "-m4K", "-s", "512"})
	want := config{input: "a", output: "b", memory: size{4096, "4K"}, block: size{512, "512"}, quiet: true, force: true}
	if cfg != want || err != nil {
		t.Errorf("%+v and %v, want %+v", cfg, err, want)
	}
	cfg, err = parse(nil)
	want = config{input: "-", output: "-", memory: size{4 << 20, "4M"}, block: size{1 << 20, "1M"}}
	if cfg != want || err != nil {
		t.Errorf("%+v and %v, want %+v", cfg, err, want)
	}
	// A block that is too large is cut to what serves.
	for args, block := range map[string]int{
		"-m1": 1, "-m3": 1, "-m1M": 512 << 10, "-m2M": 1 << 20,
		"-s 3K -m 4K": 2 << 10, "-s 128k -m 128k": 64 << 10, "-s 2M": 1 << 20, "-s 16M": 1 << 20,
		"-s 16M -m 1G": 1 << 20, "-s 99999999T": 1 << 20, "--direct -s 128k -m 128k": 64 << 10,
	} {
		if cfg, err := parse(strings.Fields(args)); cfg.block.bytes != block || err != nil {
			t.Errorf("%s makes blocks of %d, %v; want %d", args, cfg.block.bytes, err, block)
		}
	}
}

// TestUsage holds the texts, which are written by hand, against the flags.
func TestUsage(t *testing.T) {
	var cfg config
	fs := flags(&cfg)
	all := texts(t)
	delete(all, "../../README.md") // has the usual ones only
	for place, text := range all {
		fs.VisitAll(func(f getopt.Option) {
			flag := " --" + f.LongName()
			if f.ShortName() != "" {
				flag = " -" + f.ShortName() + "," + flag
			}
			if !strings.Contains(text, flag) {
				t.Errorf("%s does not name%s", place, flag)
			}
		})
		contains(t, text, "(default "+cfg.memory.String()+")", "(default "+cfg.block.String(), "whole number of bytes", "4MiB")
	}
	contains(t, usage, "Examples:", "at most 1M", "-m/2", "4M, 4m, 4mb, 4MB and 4MiB")
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

// TestCodes holds what the texts say of the exit codes against the codes.
func TestCodes(t *testing.T) {
	for place, text := range texts(t) {
		for code, means := range map[int]string{
			exitDone: "done", exitRefused: "could not begin", exitSink: "sink failed",
			exitReader: "reader of standard output gone", exitSource: "source failed",
		} {
			if want := fmt.Sprintf(" %d %s", code, means); !strings.Contains(text, want) {
				t.Errorf("%s does not say%s", place, want)
			}
		}
	}
	for _, code := range []int{exitDone, exitRefused, exitSink, exitReader, exitSource, exitSignal} {
		if code == 2 {
			t.Error("2 is the code of Go's runtime")
		}
	}
}

// texts returns what describes the command, each as one line without the bars
// of tables.
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
		all[name] = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '|' || unicode.IsSpace(r) }), " ")
	}
	return all
}

func TestHelpAndVersion(t *testing.T) {
	built, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{"-h": "Usage:", "--help": "Usage:", "--version": "bytering " + built.Main.Version + "\n"} {
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
		{"-qx", 2, "-x"},
		{"-", 2, `"-"`},
		{"-q -- file", 2, `"file"`},
		{"file", 2, `"file"`},
		{"-i", 2, "-i"},
		{"--input=", 2, "--input names no file"},
		{"--output=", 2, "--output names no file"},
		{"-m 0", 2, `-m "0": less than one byte`},
		{"--memory many", 2, `--memory "many": not a size`},
		{"-s 0", 2, `-s "0": less than one byte`},
		{"-s 1.5", 2, `-s "1.5": not a whole number of bytes`},
		{"-m 1.0000001K", 2, `-m "1.0000001K": not a whole number of bytes`},
		{"-m -5", 2, `-m "-5": not a size`},
		{"-m 8388608T", 1, "-m, --memory 8388608T: too large\n"},
		{"--quiet=perhaps", 2, "perhaps"},
	} {
		p := prepare(t, strings.Fields(c.args)...)
		p.Dir = dir // for what "-o=" would make
		p.start()
		contains(t, p.end(exitRefused, c.lines), c.says)
	}
}

// TestTooLarge: what no machine has is shown as it was typed.
func TestTooLarge(t *testing.T) {
	if strconv.IntSize < 64 {
		t.Skip("a machine of 32 bits may have all that it can count")
	}
	p := prepare(t, "-m", "8388607T")
	p.start()
	contains(t, p.end(exitRefused, 1), "-m, --memory 8388607T: too large")
}
