// Bench compares bytering with other ways to move bytes between goroutines.
//
// Usage:
//
//	go run ./bench [flags]
//
// It prints Markdown. See README.md for what is measured and how.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// A config is what the flags say.
type config struct {
	suites   string
	only     string
	trials   int
	duration time.Duration // of one trial, about
	capacity int
	sizes    []int
	procs    int
	extra    bool
	keep     bool
	profile  string

	// For the suites of whole processes.
	commands []string // more contenders
	calls    bool
	through  string
	life     string
	bytes    int // that a trial moves
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
	case cfg.through != "":
		return through(cfg.through, os.Stdin, os.Stdout)
	case cfg.life != "":
		return life(cfg.life, cfg.sizes[0], out)
	case cfg.calls:
		return countCalls(cfg, out)
	}
	chosen, err := choose(cfg.suites, cfg)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(cfg.procs)
	if cfg.profile != "" {
		f, err := os.Create(cfg.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Fprintf(out, "%s, %s/%s, GOMAXPROCS %d, capacity %d bytes, %d trials of about %v\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, cfg.procs, cfg.capacity, cfg.trials, cfg.duration)
	for _, s := range chosen {
		s = s.only(cfg.only)
		if len(s.contenders) == 0 {
			fmt.Fprintf(out, "\n## %s\n\nNo contender.\n", s.title)
			continue
		}
		res, err := measure(s, cfg)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		res.print(out, cfg.extra)
	}
	return nil
}

func parse(args []string) (config, error) {
	var cfg config
	var sizes, file string
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&cfg.suites, "suite", "stream", "which `suites` to run, separated by commas; all for all")
	fs.StringVar(&cfg.only, "only", "", "run contenders whose name contains one of these `words`, separated by commas")
	fs.IntVar(&cfg.trials, "trials", 11, "trials of each contender at each size")
	fs.DurationVar(&cfg.duration, "duration", 60*time.Millisecond, "about how long a trial takes")
	fs.IntVar(&cfg.capacity, "capacity", 256<<10, "`bytes` that every contender may buffer, or two chunks where that is more")
	fs.StringVar(&sizes, "sizes", "", "sizes in `bytes`, separated by commas, in place of the suite's own")
	fs.IntVar(&cfg.procs, "procs", runtime.GOMAXPROCS(0), "GOMAXPROCS")
	fs.BoolVar(&cfg.extra, "extra", false, "also print the spread, allocations and processor time")
	fs.BoolVar(&cfg.keep, "keep", false, "discard no trial, as on a machine that is busy all the time")
	fs.StringVar(&cfg.profile, "cpuprofile", "", "write a profile to `file`")
	fs.Func("x", "also run this `command` between two pipes, such as 'bytering -q -m 4M'; may be repeated", func(s string) error {
		if strings.TrimSpace(s) == "" {
			return errors.New("no command")
		}
		cfg.commands = append(cfg.commands, s)
		return nil
	})
	fs.IntVar(&cfg.bytes, "bytes", 1<<30, "`bytes` that a trial of whole processes or of memory-size moves")
	fs.StringVar(&file, "file", "", "what whole processes move, such as a `file` in the page cache or /dev/zero; a temporary one without it")
	fs.BoolVar(&cfg.calls, "calls", false, "count the system calls of the commands, and of a ring at its wrap, with strace, and measure nothing")
	fs.StringVar(&cfg.through, "through", "", "only move standard input to standard output, in pieces of 32 KiB, each at the wrap of a ring: in one of the `ways` of -calls")
	fs.StringVar(&cfg.life, "life", "", "only make a ring of -sizes bytes, use it twice and print figures: in one of the `ways` of memory-faults")
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
	case cfg.procs < 1:
		return cfg, fmt.Errorf("-procs: %d is less than 1", cfg.procs)
	case cfg.bytes < 1:
		return cfg, fmt.Errorf("-bytes: %d is less than 1", cfg.bytes)
	case cfg.capacity < 1:
		return cfg, fmt.Errorf("-capacity: %d is less than 1", cfg.capacity)
	case cfg.life != "" && len(cfg.sizes) != 1:
		return cfg, fmt.Errorf("-life: %d -sizes in place of 1", len(cfg.sizes))
	case cfg.duration <= 0:
		return cfg, fmt.Errorf("-duration: %v is not above 0", cfg.duration)
	}
	return cfg, nil
}

// room is the capacity for chunks of a size: two must go in, or nobody could
// write one while another is read.
func (cfg config) room(size int) int { return max(cfg.capacity, 2*size) }
