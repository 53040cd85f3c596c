package main

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"runtime"

	"github.com/bytering/bytering/pump"
	"github.com/docker/go-units"
	"github.com/pborman/getopt/v2"
)

// A config is what the flags say.
type config struct {
	input, output string // "-" for the standard ones
	memory, block size
	quiet, force  bool
	direct        bool
	help, version bool
}

// largestBlock is how much one read or write moves at most, and what a pipe can
// be made to hold without privileges.
const largestBlock = 1 << 20

// directBlock is what --direct rounds the largest call up to: the block of nearly
// all devices.
const directBlock = 4 << 10

// A size is a number of bytes on the command line, with K = 1024.
type size struct {
	bytes int
	text  string // as typed, which errors show
}

func (s *size) String() string { return s.text }

func (s *size) Type() string { return "SIZE" }

// sizeForm is a decimal number and a unit. The libraries would also take "1e3"
// or "0x10", which nobody means.
var sizeForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)((?:[kKmMgGtT](?:[iI]?[bB])?|[bB])?)$`)

func (s *size) Set(text string, _ getopt.Option) error {
	part := sizeForm.FindStringSubmatch(text)
	if part == nil {
		return fmt.Errorf("not a size such as 512K, 16M or 2G")
	}
	unit, err := units.RAMInBytes("1" + part[2])
	if err != nil {
		return err
	}
	// The library's own product is rounded, and of an overflow it is whatever
	// the processor makes of it.
	number, ok := new(big.Rat).SetString(part[1])
	if !ok {
		return fmt.Errorf("not a number: %s", part[1])
	}
	bytes := number.Mul(number, new(big.Rat).SetInt64(unit))
	switch {
	case bytes.Cmp(big.NewRat(1, 1)) < 0:
		return fmt.Errorf("less than one byte")
	case !bytes.IsInt():
		return fmt.Errorf("not a whole number of bytes")
	}
	*s = size{math.MaxInt, text} // or more, which no machine has
	if bytes.Cmp(new(big.Rat).SetInt64(math.MaxInt)) < 0 {
		s.bytes = int(bytes.Num().Int64())
	}
	return nil
}

// errHelp is not a fault: the usage was asked for.
var errHelp = errors.New("help")

func flags(cfg *config) *getopt.Set {
	fs := getopt.New()
	// Between two pipes 4 MiB pass 1.08 times the bytes of 16 MiB and take
	// 0.8 times the processor time (bench, suite pipes): less memory is gone
	// through again and again. A ring for long stalls is what -m is for.
	cfg.memory, cfg.block = size{4 << 20, "4M"}, size{largestBlock, "1M"}
	cfg.input, cfg.output = "-", "-"
	fs.FlagLong(&cfg.input, "input", 'i')
	fs.FlagLong(&cfg.output, "output", 'o')
	fs.FlagLong(&cfg.memory, "memory", 'm')
	fs.FlagLong(&cfg.block, "block", 's')
	fs.FlagLong(&cfg.direct, "direct", 0)
	fs.FlagLong(&cfg.force, "force", 'f')
	fs.FlagLong(&cfg.quiet, "quiet", 'q')
	fs.FlagLong(&cfg.help, "help", 'h')
	fs.FlagLong(&cfg.version, "version", 0)
	return fs
}

func parse(args []string) (config, error) {
	var cfg config
	fs := flags(&cfg)
	if err := fs.Getopt(append([]string{"bytering"}, args...), nil); err != nil {
		var bad *getopt.Error
		if errors.As(err, &bad) && bad.ErrorCode == getopt.Invalid {
			err = fmt.Errorf("%s %q: %w", bad.Name, bad.Parameter, err)
		}
		return cfg, err
	}
	if cfg.help {
		return cfg, errHelp
	}
	if fs.NArgs() > 0 {
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
		cfg.memory.bytes = pump.RoundUp(cfg.memory.bytes, pump.DirectAlign)
		cfg.block.bytes = pump.RoundUp(cfg.block.bytes, directBlock)
	}
	// What a call can't be offered anyway is no reason to refuse.
	cfg.block.bytes = min(cfg.block.bytes, largestBlock, max(1, cfg.memory.bytes/2))
	return cfg, nil
}

// usage is written by hand. A test holds it against the flags and the exit codes.
const usage = `bytering copies its input to its output through a ring in memory.

Usage: bytering [flags]

Examples:
  tar -c data | bytering | ssh host tar -x
  bytering -m 1G <slow >fast

Flags:
  -i, --input FILE    read from FILE (default -, standard input)
  -o, --output FILE   write to FILE (default -, standard output)
  -m, --memory SIZE   memory of the ring (default 4M)
  -s, --block SIZE    largest read and write (default 1M, at most 1M and -m/2)
      --direct        bypass the page cache; rounds -m up to 64K, -s to 4K
  -f, --force         overwrite the output if it exists
  -q, --quiet         no bar and no summary, only errors
  -h, --help          print this
      --version       print the version

SIZE is a whole number of bytes, such as 4096, 64K or 1.5G. K, M, G and T are
powers of 1024, however written: 4M, 4m, 4mb, 4MB and 4MiB are the same.

Exits: 0 done, 1 could not begin, 3 sink failed, 4 reader of standard output
gone, 5 source failed, 128+n signal n: 129 HUP, 130 INT, 131 QUIT, 143 TERM.
`
