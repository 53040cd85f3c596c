package main

import (
	"debug/buildinfo"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
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
		want := size{int(min(c.want, math.MaxInt)), c.text}
		if s, err := parseMemory(c.text); err != nil || s != want || s.String() != c.text {
			t.Errorf("%q is %d, shown as %v, and %v, want %d", c.text, s.bytes, s, err, want.bytes)
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
		if s, err := parseMemory(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q is %d and %v, want %q", text, s.bytes, err, why)
		}
	}
	if n, err := parseSize("0K"); n != 0 || err != nil {
		t.Errorf("no bytes are %d and %v", n, err)
	}
}

func TestParseValues(t *testing.T) {
	for text, want := range map[string]float64{"2%": 2, "0.5%": 0.5, "90%": 90, "91%": -1, "0%": -1, "-1%": -1, "%": -1, "NaN%": -1, "2": 0, "2M": 0} {
		share, is, err := parseShare(text)
		if is != strings.HasSuffix(text, "%") || (err != nil) != (want < 0) || err == nil && share != want {
			t.Errorf("%q is a share of %v, %v, %v, want %v", text, share, is, err, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"30": 30 * time.Second, "0.5": 500 * time.Millisecond, "0.5s": 500 * time.Millisecond, "10m": 10 * time.Minute, "0": 0,
		"1e300": math.MaxInt64/2 + 1, "-1": -1, "-1s": -1, "": -1, "x": -1, "5x": -1,
	} {
		if d, err := parseTime(text, time.Second); (err != nil) != (want < 0) || err == nil && d != want {
			t.Errorf("%q is %v and %v, want %v", text, d, err, want)
		}
	}
	for text, want := range map[string]level{"0": 0, "6": 6, "none": 0, "fatal": 1, "error": 2, "warning": 3, "info": 4, "debug": 5, "io": 6, "7": -1, "-1": -1, "": -1, "Info": -1} {
		if l, err := parseLevel(text); (err != nil) != (want < 0) || err == nil && l != want {
			t.Errorf("%q is level %v and %v, want %v", text, l, err, want)
		}
	}
	for n, want := range map[float64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 3 << 20: "3 MiB", 1.5e18: "1.301 EiB", 0.01: "0.01 B", 1 << 75: "3.277e+04 EiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%v is %q, want %q", n, got, want)
		}
	}
}

// std is what is read or written where nothing is named.
var std = []place{{name: "-"}}

// usual returns what no arguments say, changed.
func usual(change func(*config)) config {
	cfg := config{inputs: std, outputs: std, memory: size{4 << 20, "4M"}, block: size{1 << 20, "1M"}, resumeBelow: 100, size: -1, count: -1, level: sayWarnings}
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		as   program
		args string
		want func(*config)
	}{
		{asBytering, "", nil},
		{asBytering, "-qf -i a --output=b -m4K -s 512", func(c *config) {
			c.inputs, c.outputs = []place{{name: "a"}}, []place{{name: "b"}}
			c.memory, c.block, c.show.quiet, c.force = size{4096, "4K"}, size{512, "512"}, true, true
		}},
		{asBytering, "a -o x - -q b -o y --append", func(c *config) {
			c.inputs, c.outputs = []place{{name: "a"}, {name: "-"}, {name: "b"}}, []place{{name: "x", append: true}, {name: "y", append: true}}
			c.show.quiet = true
		}},
		{asBytering, "tcp://h:1 ./tcp://h:1 -o tcp-listen://2", func(c *config) {
			c.inputs, c.outputs = []place{{kind: dial, name: "h:1"}, {name: "./tcp://h:1"}}, []place{{kind: listen, name: "2"}}
		}},
		{asBytering, "-- -q links", func(c *config) { c.inputs = []place{{name: "-q"}, {name: "links"}} }},
		{asBytering, "-P 90% --resume-b 10 --obs 10K --size 0 --skip 1 --count 0", func(c *config) {
			c.startAbove, c.resumeBelow, c.wholeBlock, c.skip, c.count = 90, 10, size{10240, "10K"}, 1, 0
		}},
		{asBytering, "-m 5% -s 16M", func(c *config) { c.memory, c.share, c.block.text = size{0, "5%"}, 5, "16M" }},
		{asBytering, "-m 5% -m 1M", func(c *config) { c.memory, c.block.bytes = size{1 << 20, "1M"}, 512<<10 }},
		{asBytering, "--depth 16 https://h/x ./https://h -i HTTP://h", func(c *config) {
			c.inputs = []place{{kind: get, name: "HTTP://h"}, {kind: get, name: "https://h/x"}, {name: "./https://h"}}
			c.depth, c.deepBlock, c.memory = 16, size{256 << 10, "256K"}, size{17 * 256 << 10, "17 times 256K"}
		}},
		{asBytering, "--depth 4 -s 2M", func(c *config) {
			c.depth, c.deepBlock, c.memory, c.block.text = 4, size{2 << 20, "2M"}, size{10 << 20, "5 times 2M"}, "2M"
		}},
		{asBytering, "--depth 2", func(c *config) { c.depth, c.deepBlock = 2, size{256 << 10, "256K"} }},
		{asBytering, "--depth 16 -m 1M", func(c *config) {
			c.depth, c.deepBlock, c.memory, c.block.bytes = 16, size{256 << 10, "256K"}, size{1 << 20, "1M"}, 512<<10
		}},
		{asMbuffer, "-4 -I h:1 -6 -O a:2 -W 5 -0 -O b:3 -o -", func(c *config) {
			c.inputs = []place{{kind: listenAll, name: "h:1", family: 4, patient: true}}
			c.outputs = []place{{kind: dial, name: "a:2", family: 6, patient: true}, {kind: dial, name: "b:3"}, {name: "-"}}
			c.timeout = 5 * time.Second
		}},
		{asMbuffer, "--append -o a -o tcp://x:1 -f", func(c *config) {
			c.outputs, c.force = []place{{name: "a", append: true}, {name: "tcp://x:1"}}, true
		}},
		{asMbuffer, "-q -b 16 -s 64k", func(c *config) {
			c.show.quiet, c.blocks, c.block, c.memory = true, 16, size{64 << 10, "64k"}, size{1 << 20, "16 times 64k"}
		}},
		{asMbuffer, "-b 16 -m 1M", func(c *config) { c.blocks, c.block, c.memory = 16, size{64 << 10, "65536"}, size{1 << 20, "1M"} }},
		{asMbuffer, "-v 4 -W 600 -n 1 -a 5 -H --hash sha256,md5 -R10M -r 1k --tcptimeo 5 --no-direct -D 2M --tapeaware -c -e", func(c *config) {
			c.level, c.timeout, c.hashes, c.writeRate, c.readRate = sayInfo, 10*time.Minute, []string{"md5", "sha256"}, 10<<20, 1<<10
			c.connTimeout, c.tape, c.syncEach, c.stopAll = 5*time.Millisecond, tape{2 << 20, true}, true, true
		}},
		{asPv, "--prog --eta -s 3M -L 20m -i 0.5 -D 1 -w 120 -N x -nfcW a", func(c *config) {
			c.inputs, c.size, c.writeRate = []place{{name: "a"}}, 3<<20, 20<<20
			c.show = display{bar: true, eta: true, interval: time.Second / 2, delay: time.Second, width: 120, name: "x", numeric: true, force: true, cursor: true, wait: true}
		}},
		{asPv, "-S -s 5 -q -C -B 64K", func(c *config) {
			c.noSplice, c.size, c.count, c.atMost, c.memory, c.block.bytes = true, 5, 5, true, size{64 << 10, "64K"}, 32<<10
			c.show = display{quiet: true, bar: true, timer: true, eta: true, rate: true, bytes: true}
		}},
	} {
		want := usual(c.want)
		want.as, want.goOn, want.fsync = c.as, c.as == asPv, c.as == asMbuffer
		got, err := parse(c.as, strings.Fields(c.args))
		if !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("%v %s: %v\n%+v, want\n%+v", c.as, c.args, err, got, want)
		}
	}
	// A block that is too large is cut to what serves.
	for args, block := range map[string]int{
		"-m1": 1, "-m3": 1, "-m1M": 512 << 10, "-m2M": 1 << 20,
		"-s 3K -m 4K": 2 << 10, "-s 128k -m 128k": 64 << 10, "-s 2M": 1 << 20, "-s 16M": 1 << 20,
		"-s 16M -m 1G": 1 << 20, "-s 99999999T": 1 << 20, "--direct -s 128k -m 128k": 64 << 10,
	} {
		if cfg, err := parse(asBytering, strings.Fields(args)); cfg.block.bytes != block || err != nil {
			t.Errorf("%s makes blocks of %d, %v; want %d", args, cfg.block.bytes, err, block)
		}
	}
}

// TestSizeOf: --size and pv's -s take the size of a file.
func TestSizeOf(t *testing.T) {
	name := randomFile(t, 12345)
	for as, args := range map[program][]string{asBytering: {"--size=@" + name}, asPv: {"-s", "@" + name}} {
		if cfg, err := parse(as, args); cfg.size != 12345 || err != nil {
			t.Errorf("%v %v: %d, %v", as, args, cfg.size, err)
		}
	}
}

// TestTables: each flag of each table is parsed as the table says, and named in
// --help.
func TestTables(t *testing.T) {
	server := newOrigin(t, 0)
	server.StartTLS()
	cert := server.certificate(t)
	for _, as := range []program{asBytering, asMbuffer, asPv} {
		for _, f := range as.table() {
			for _, name := range strings.Split(f.names(), ", ") {
				var args []string
				if args = append(args, name); f.arg != "" {
					args = append(args, map[string]string{
						"N%": "50", "N": "50", "TIME": "5", "SECONDS": "5", "LEVEL": "3", "HASH": "md5", "HOST:PORT": "h:1", "[HOST:]PORT": "1", "FILE": "a", "@FILE": "@" + os.DevNull, "NAME=VALUE": "a=b", "DATE": "2030-01-31",
					}[f.arg])
					if args[1] == "" {
						args[1] = "4K"
					}
					if f.long == "cacert" {
						args[1] = cert
					}
					if f.short == "n" && as == asMbuffer {
						args[1] = "1"
					}
				}
				if f.optional() {
					args = []string{name + "=4K"}
				}
				object := as == asBytering && inTable(objectFlags, f)
				if object {
					if _, err := parse(as, args); err == nil || !strings.Contains(err.Error(), f.names()+" is for an output of s3://") {
						t.Errorf("%v %v: %v", as, args, err)
					}
					args = append(args, "-o", "s3://bucket/key")
				}
				_, err := parse(as, args)
				if f.state == refused {
					if err == nil || !strings.HasPrefix(err.Error(), f.names()+": not supported: ") {
						t.Errorf("%v %v: %v", as, args, err)
					}
				} else if err != nil {
					t.Errorf("%v %v: %v", as, args, err)
				}
				if f.state == done && f.set == nil {
					t.Errorf("%v %v does nothing", as, args)
				}
				if f.arg != "" && !f.optional() && f.state != refused {
					if _, err := parse(as, args[:1]); err == nil || !strings.Contains(err.Error(), "needs a value: "+f.arg) {
						t.Errorf("%v %v: %v", as, args[:1], err)
					}
				}
			}
			hidden := as == asBytering && !inTable(commonFlags, f)
			if column := f.column(); strings.Contains(help(as), "  "+column) == hidden {
				t.Errorf("help of %v does not have %q, or should not", as, column)
			}
		}
	}
}

// TestUsage: --help fits on a screen and a half.
func TestUsage(t *testing.T) {
	for as, most := range map[program]int{asBytering: 36, asMbuffer: 74, asPv: 60} {
		lines := strings.Split(strings.TrimSuffix(help(as), "\n"), "\n")
		if len(lines) > most {
			t.Errorf("%d lines of %v are too many", len(lines), as)
		}
		for _, line := range lines {
			if len(line) > helpWidth {
				t.Errorf("%q is too wide for a screen", line)
			}
		}
	}
	contains(t, help(asBytering), "Usage:", "(default 4M)", "(default 1M)", "to 1M and -m/2", "4M, 4m, 4mb,\n4MB and 4MiB", "tcp://HOST:PORT", "links")
}

// TestCodes holds what the texts say of the exit codes against the codes.
func TestCodes(t *testing.T) {
	for place, text := range texts(t) {
		for code, means := range map[int]string{
			exitDone: "done", exitRefused: "could not begin", exitSink: "sink failed",
			exitReader: "reader", exitSource: "source failed",
		} {
			if want := fmt.Sprintf(" %d %s", code, means); !strings.Contains(text, want) {
				t.Errorf("%s does not say%s", place, want)
			}
		}
	}
	for _, code := range []int{exitDone, exitRefused, exitSink, exitReader, exitSource, exitEarly, exitSignal} {
		if code == 2 {
			t.Error("2 is the code of Go's runtime")
		}
	}
}

// texts returns what describes the command, each as one line without the bars
// of tables.
func texts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"help": help(asBytering), "help of mbuffer": help(asMbuffer), "help of pv": help(asPv)}
	for _, name := range []string{"../../docs/command.md", "../../README.md"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
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
		{"--nope", 1, "--nope"},
		{"-x", 1, "-x"},
		{"-qx", 1, "-x"},
		{"-i", 1, "-i"},
		{"--input=", 1, `-i, --input "": names no file`},
		{"--output=", 1, `-o, --output "": names no file`},
		{"- -", 1, `"-" is read twice`},
		{"-o - -o -", 1, `"-" is written twice`},
		{"--pro", 1, `"--pro"`},
		{"--f x", 1, "--f is ambiguous: --force, --fsync"},
		{"links", 1, "links needs one directory"},
		{"links nowhere", 1, "symlink nowhere/mbuffer: no such file"},
		{"-m 0", 1, `-m, --memory "0": less than one byte`},
		{"--memory many", 1, `-m, --memory "many": not a size`},
		{"-s 0", 1, `-s, --block "0": less than one byte`},
		{"-s 1.5", 1, `-s, --block "1.5": not a whole number of bytes`},
		{"-m 1.0000001K", 1, `-m, --memory "1.0000001K": not a whole number of bytes`},
		{"-m -5", 1, `-m, --memory "-5": not a size`},
		{"-m 8388608T", 1, "-m, --memory 8388608T: more than 80% of the memory"},
		{"--quiet=perhaps", 1, "--quiet: takes no value"},
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
	contains(t, p.end(exitRefused, 1), "-m, --memory 8388607T: more than 80% of the memory")
}

// inTable reports whether a table has that flag.
func inTable(table []flag, f flag) bool {
	return slices.ContainsFunc(table, func(other flag) bool { return other.names() == f.names() })
}
