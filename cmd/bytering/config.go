package main

import (
	"fmt"
	"math"
	"regexp"
	"runtime"
	"strconv"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"
)

// A config is what the flags say.
type config struct {
	input, output string // "-" for the standard ones
	memory, block size
	quiet, force  bool
	direct        bool
	version       bool
}

// largestBlock is how much one read or write moves at most, and what a pipe can
// be made to hold without privileges.
const largestBlock = 1 << 20

// What --direct rounds the ring and the largest call up to. The ring also begins
// at a multiple of the former, which no device's block is larger than; the latter
// is the block of nearly all.
const (
	directMemory size = 64 << 10
	directBlock  size = 4 << 10
)

// A size is a number of bytes on the command line, with K = 1024.
type size int

// String is also what --memory shows in an error.
func (s *size) String() string {
	return units.CustomSize("%.4g%s", float64(*s), 1024, []string{"", "K", "M", "G", "T", "P", "E"})
}

func (s *size) Type() string { return "SIZE" }

// sizeForm is a decimal number and a unit. The library would also take "1e3"
// or "0x10", which nobody means.
var sizeForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)((?:[kKmMgGtTpP](?:[iI]?[bB])?|[bB])?)$`)

func (s *size) Set(text string) error {
	part := sizeForm.FindStringSubmatch(text)
	if part == nil {
		return fmt.Errorf("not a size such as 512K, 16M or 2G")
	}
	unit, err := units.RAMInBytes("1" + part[2])
	if err != nil {
		return err
	}
	// Multiplied here, because the library's result of an overflow is
	// whatever the processor makes of it.
	number, err := strconv.ParseFloat(part[1], 64)
	bytes := number * float64(unit)
	switch {
	case err != nil || bytes >= math.MaxInt:
		return fmt.Errorf("too large for this machine")
	case bytes < 1:
		return fmt.Errorf("less than one byte")
	}
	*s = size(bytes)
	return nil
}

// roundUp rounds it up to a multiple of m, a power of two, unless no machine has
// that many bytes.
func (s *size) roundUp(m size) {
	if *s <= math.MaxInt-m {
		*s += -*s & (m - 1)
	}
}

func flags(cfg *config) *pflag.FlagSet {
	fs := pflag.NewFlagSet("bytering", pflag.ContinueOnError)
	fs.SortFlags = false
	fs.Usage = func() {}
	// Between two pipes 4 MiB pass 1.08 times the bytes of 16 MiB and take
	// 0.8 times the processor time (bench, suite pipes): less memory is gone
	// through again and again. A ring for long stalls is what -m is for.
	cfg.memory, cfg.block = 4<<20, largestBlock
	fs.StringVarP(&cfg.input, "input", "i", "-", "")
	fs.StringVarP(&cfg.output, "output", "o", "-", "")
	fs.VarP(&cfg.memory, "memory", "m", "")
	fs.VarP(&cfg.block, "block", "s", "")
	fs.BoolVar(&cfg.direct, "direct", false, "")
	fs.BoolVarP(&cfg.force, "force", "f", false, "")
	fs.BoolVarP(&cfg.quiet, "quiet", "q", false, "")
	fs.BoolVar(&cfg.version, "version", false, "")
	fs.BoolP("help", "h", false, "")
	return fs
}

func parse(args []string) (config, error) {
	var cfg config
	fs := flags(&cfg)
	if err := fs.Parse(args); err != nil {
		return cfg, err
	}
	if help, _ := fs.GetBool("help"); help {
		return cfg, pflag.ErrHelp
	}
	if fs.NArg() > 0 {
		return cfg, fmt.Errorf("unexpected argument %q: files are named with -i and -o", fs.Arg(0))
	}
	if cfg.input == "" {
		return cfg, fmt.Errorf("-i, --input names no file")
	}
	if cfg.output == "" {
		return cfg, fmt.Errorf("-o, --output names no file")
	}
	if cfg.direct {
		if runtime.GOOS != "linux" {
			return cfg, fmt.Errorf("--direct: not supported on %s", runtime.GOOS)
		}
		cfg.memory.roundUp(directMemory)
		cfg.block.roundUp(directBlock)
	}
	if cfg.block > largestBlock {
		return cfg, fmt.Errorf("-s, --block %v: at most %dK", &cfg.block, largestBlock>>10)
	}
	if half := max(1, cfg.memory/2); cfg.block > half {
		if fs.Changed("block") {
			return cfg, fmt.Errorf("-s, --block %v: more than half of -m, --memory %v", &cfg.block, &cfg.memory)
		}
		cfg.block = half
	}
	return cfg, nil
}

// usage is written by hand: pflag's own lines run to "--force[=true|false]". A
// test holds it against the flags.
const usage = `bytering copies its input to its output through a ring in memory.

Usage: bytering [flags]

Examples:
  tar -c data | bytering | ssh host tar -x
  bytering -m 1G <slow >fast

Flags:
  -i, --input FILE    read from FILE (default -, standard input)
  -o, --output FILE   write to FILE (default -, standard output)
  -m, --memory SIZE   memory of the ring (default 4M)
  -s, --block SIZE    largest read and write (default 1M)
      --direct        bypass the page cache; rounds -m up to 64K, -s to 4K
  -f, --force         overwrite the output if it exists
  -q, --quiet         no bar and no summary, only errors
  -h, --help          print this
      --version       print the version

SIZE counts in bytes, or with K, M, G or T in powers of 1024.

Exit codes: 0 done, 1 usage, 2 source failed, 3 sink failed,
4 the reader of standard output went away, 128+n signal n:
129 HUP, 130 INT, 131 QUIT, 143 TERM.
`
