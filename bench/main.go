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
	profile  string
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
	chosen, err := choose(cfg.suites)
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
	var sizes string
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&cfg.suites, "suite", "stream", "which `suites` to run, separated by commas; all for all")
	fs.StringVar(&cfg.only, "only", "", "run contenders whose name contains one of these `words`, separated by commas")
	fs.IntVar(&cfg.trials, "trials", 11, "trials of each contender at each size")
	fs.DurationVar(&cfg.duration, "duration", 60*time.Millisecond, "about how long a trial takes")
	fs.IntVar(&cfg.capacity, "capacity", 256<<10, "`bytes` that every contender may buffer")
	fs.StringVar(&sizes, "sizes", "8,64,512,4096,32768,65536", "chunk sizes in `bytes`, separated by commas")
	fs.IntVar(&cfg.procs, "procs", runtime.GOMAXPROCS(0), "GOMAXPROCS")
	fs.BoolVar(&cfg.extra, "extra", false, "also print the spread, allocations and processor time")
	fs.StringVar(&cfg.profile, "cpuprofile", "", "write a profile to `file`")
	if err := fs.Parse(args); err != nil {
		return cfg, err
	}
	for s := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return cfg, fmt.Errorf("-sizes: %w", err)
		}
		if n < stampSize || n > cfg.capacity {
			return cfg, fmt.Errorf("-sizes: %d is not between %d and the capacity, %d", n, stampSize, cfg.capacity)
		}
		cfg.sizes = append(cfg.sizes, n)
	}
	switch {
	case fs.NArg() > 0:
		return cfg, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case cfg.trials < 1:
		return cfg, fmt.Errorf("-trials: %d is less than 1", cfg.trials)
	case cfg.procs < 1:
		return cfg, fmt.Errorf("-procs: %d is less than 1", cfg.procs)
	case cfg.duration <= 0:
		return cfg, fmt.Errorf("-duration: %v is not above 0", cfg.duration)
	}
	return cfg, nil
}
