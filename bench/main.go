// Bench compares bytering with other ways to move bytes between goroutines,
// connections and processes.
//
// Usage:
//
//	go run ./bench [flags]
//
// It prints Markdown. README.md says what is measured and how.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A config holds what the flags say.
type config struct {
	suites   string
	only     string
	trials   int
	duration time.Duration // of one trial, roughly; 0 leaves it to the suite
	capacity int
	sizes    []int
	procs    int // 0 leaves it to the suite
	keep     bool

	json     string
	report   bool
	benchfmt string

	// For the suites of whole processes.
	commands []string // more contenders
	calls    bool
	life     string
	bytes    int // the number that a trial moves
	rtrb     string
	shop     *workshop
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	cfg, err := parse(args)
	if err != nil {
		return err
	}
	defer cfg.shop.close()
	switch {
	case cfg.life != "":
		return life(cfg.life, cfg.sizes[0], out)
	case cfg.calls:
		return countCalls(cfg, out)
	case cfg.report:
		return report(cfg, out)
	case cfg.benchfmt != "":
		r, err := load(cfg.benchfmt, cfg)
		if err == nil {
			r.lines(out)
		}
		return err
	}
	chosen, err := choose(cfg.suites, cfg)
	if err != nil {
		return err
	}
	rec := &record{Machine: thisMachine(cfg)}
	fmt.Fprintln(out, rec.Machine)
	for _, s := range chosen {
		s = s.only(cfg.only)
		if len(s.contenders) == 0 {
			fmt.Fprintf(out, "\n## %s\n\nNo contender.\n", s.title)
			continue
		}
		for _, procs := range s.processors(cfg) {
			res, err := measure(s, cfg, procs)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			rec.Results = append(rec.Results, res)
			res.print(out, nil)
		}
	}
	if cfg.json != "" {
		return rec.save(cfg.json)
	}
	return nil
}

func parse(args []string) (config, error) {
	var cfg config
	var sizes, file string
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&cfg.suites, "suite", "stream", "run these `suites`, separated by commas, such as 'stream,conns*', or all")
	fs.StringVar(&cfg.only, "only", "", "run only contenders whose name contains one of these `words`, separated by commas")
	fs.IntVar(&cfg.trials, "trials", 11, "trials of each contender at each size")
	fs.DurationVar(&cfg.duration, "duration", 0, "about how long a trial takes; 0 leaves it to the suite, 60ms for most")
	fs.IntVar(&cfg.capacity, "capacity", 256<<10, "`bytes` that every contender may buffer, or two chunks if that is more")
	fs.StringVar(&sizes, "sizes", "", "sizes in `bytes`, separated by commas, instead of the suite's own")
	fs.IntVar(&cfg.procs, "procs", 0, "GOMAXPROCS; 0 leaves it to the suite: 1, then 2, for some, and Go's default for the others")
	fs.BoolVar(&cfg.keep, "keep", false, "discard no trial; for a first look on a machine that is always busy")
	fs.StringVar(&cfg.json, "json", "", "keep every trial in `file`")
	fs.BoolVar(&cfg.report, "report", false, "measure nothing; write docs/benchmarks.md and its part of README.md from bench/results")
	fs.StringVar(&cfg.benchfmt, "benchfmt", "", "measure nothing; print the trials in a `file` of -json as benchstat reads them")
	fs.Func("x", "also run this `command` between two pipes, such as 'bytering -q -m 4M'; may be repeated", func(s string) error {
		if strings.TrimSpace(s) == "" {
			return errors.New("no command")
		}
		cfg.commands = append(cfg.commands, s)
		return nil
	})
	fs.IntVar(&cfg.bytes, "bytes", 1<<30, "`bytes` that a trial of whole processes moves")
	fs.StringVar(&file, "file", "", "the `file` that whole processes move, such as one in the page cache or /dev/zero, instead of a temporary one")
	fs.StringVar(&cfg.rtrb, "rtrb", "", "also run streams through rtrb, from the checkout in this `directory`, with its submodule; needs rustc")
	fs.BoolVar(&cfg.calls, "calls", false, "measure nothing; count the system calls of the commands with strace")
	fs.StringVar(&cfg.life, "life", "", "for memory-faults: make a ring of -sizes bytes in this `way`, use it twice and print figures")
	if err := fs.Parse(args); err != nil {
		return cfg, err
	}
	cfg.shop = &workshop{file: file}
	if sizes != "" {
		for s := range strings.SplitSeq(sizes, ",") {
			n, err := strconv.Atoi(s)
			if err != nil {
				return cfg, fmt.Errorf("-sizes: %w", err)
			}
			if n < stampSize {
				return cfg, fmt.Errorf("-sizes: %d is less than %d", n, stampSize)
			}
			cfg.sizes = append(cfg.sizes, n)
		}
	}
	switch {
	case fs.NArg() > 0:
		return cfg, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case cfg.trials < 1:
		return cfg, fmt.Errorf("-trials: %d is less than 1", cfg.trials)
	case cfg.procs < 0:
		return cfg, fmt.Errorf("-procs: %d is negative", cfg.procs)
	case cfg.bytes < 1:
		return cfg, fmt.Errorf("-bytes: %d is less than 1", cfg.bytes)
	case cfg.capacity < 1:
		return cfg, fmt.Errorf("-capacity: %d is less than 1", cfg.capacity)
	case cfg.life != "" && len(cfg.sizes) != 1:
		return cfg, fmt.Errorf("-life: %d -sizes, want 1", len(cfg.sizes))
	case cfg.duration < 0:
		return cfg, fmt.Errorf("-duration: %v is negative", cfg.duration)
	}
	return cfg, nil
}

// room returns the capacity for chunks of a size. It is at least that of two
// chunks, so that one can be written while another is read.
func (cfg config) room(size int) int { return max(cfg.capacity, 2*size) }

// processors returns the values of GOMAXPROCS to run s with.
func (s suite) processors(cfg config) []int {
	switch {
	case cfg.procs > 0:
		return []int{cfg.procs}
	case s.oneAndTwo && runtime.NumCPU() > 1:
		return []int{1, 2}
	}
	return []int{runtime.GOMAXPROCS(0)}
}
