package main

import (
	"fmt"
	"math"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"
)

// A config is what the flags say.
type config struct {
	input, output string // "-" for the standard ones
	memory        size
	quiet, force  bool
	version       bool
}

// A size is a number of bytes on the command line, with K = 1024.
type size int

func (s *size) String() string {
	return units.CustomSize("%.4g%s", float64(*s), 1024, []string{"", "K", "M", "G", "T", "P", "E"})
}
func (s *size) Type() string { return "SIZE" }

func (s *size) Set(text string) error {
	n, err := units.RAMInBytes(text)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is no size such as 512K, 16M or 2G", text)
	}
	if n == 0 {
		return fmt.Errorf("a size of %q is too small", text)
	}
	if n > math.MaxInt {
		return fmt.Errorf("a size of %q is too large for this machine", text)
	}
	*s = size(n)
	return nil
}

func flags(cfg *config) *pflag.FlagSet {
	fs := pflag.NewFlagSet("bytering", pflag.ContinueOnError)
	fs.SortFlags = false
	fs.Usage = func() {}
	fs.StringVarP(&cfg.input, "input", "i", "-", "read from `FILE` (- for standard input)")
	fs.StringVarP(&cfg.output, "output", "o", "-", "write to `FILE` (- for standard output)")
	cfg.memory = 16 << 20
	fs.VarP(&cfg.memory, "memory", "m", "memory of the ring")
	fs.BoolVarP(&cfg.force, "force", "f", false, "overwrite the output if it exists")
	fs.BoolVarP(&cfg.quiet, "quiet", "q", false, "no bar and no summary, only errors")
	fs.BoolVar(&cfg.version, "version", false, "print the version")
	return fs
}

func parse(args []string) (config, error) {
	var cfg config
	fs := flags(&cfg)
	if err := fs.Parse(args); err != nil {
		return cfg, err
	}
	if fs.NArg() > 0 {
		return cfg, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	for name, value := range map[string]string{"--input": cfg.input, "--output": cfg.output} {
		if value == "" {
			return cfg, fmt.Errorf("%s names no file", name)
		}
	}
	return cfg, nil
}

func usage() string {
	var cfg config
	return `bytering copies its input to its output through a ring in memory.

Usage:
  bytering [flags]

Examples:
  tar -c data | bytering | ssh host tar -x
  bytering -i disk.img -o /mnt/disk.img
  bytering -m 1G <slow >fast

Flags:
` + flags(&cfg).FlagUsages() + `
SIZE counts in bytes, or with K, M, G or T in powers of 1024.

Exit codes: 0 done, 1 usage, 2 source failed, 3 sink failed,
4 the reader of standard output went away, 128+n signal n.
`
}
